from typing import TypedDict


class TickData(TypedDict):
    """The argument of `tick`: the last values of one subject, oldest first."""

    subject: str
    values: list[float]


class Prediction(TypedDict):
    """The answer of `predict`: the next value."""

    value: float
