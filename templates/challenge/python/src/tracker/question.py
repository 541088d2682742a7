from typing import TypedDict


class TickData(TypedDict):
    """What `tick` brings: closes of one subject's last two hours of finished candles, oldest first."""

    subject: str
    closes: list[float]


class Prediction(TypedDict):
    """What `predict` answers: -1 is surely down, 1 is surely up, 0 is no opinion."""

    value: float
