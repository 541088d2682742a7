from typing import TypedDict


class TickData(TypedDict):
    """The argument of `tick`: closes of one subject's finished candles of the last two hours, oldest first."""

    subject: str
    closes: list[float]


class Prediction(TypedDict):
    """The answer of `predict`: -1 is certainly down, 1 is certainly up, 0 is no opinion."""

    value: float
