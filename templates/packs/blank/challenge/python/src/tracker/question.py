from typing import TypedDict


class TickData(TypedDict):
    """What `tick` brings: the last values of one subject, oldest first."""

    subject: str
    values: list[float]


class Prediction(TypedDict):
    """What `predict` answers: the next value."""

    value: float
