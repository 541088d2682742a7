from typing import TypedDict


class ObservedDay(TypedDict):
    """One finished day of a station."""

    date: str
    """`2012-01-31`"""
    tempMax: float
    """The day's maximum temperature, degrees Celsius."""


class TickData(TypedDict):
    """The argument of `tick`: the last 30 known days of one subject, oldest first."""

    subject: str
    days: list[ObservedDay]


class Prediction(TypedDict):
    """The answer of `predict`: tomorrow's maximum temperature as a normal distribution, degrees Celsius."""

    mean: float
    """From -90 to 70."""
    std: float
    """Standard deviation, from 0.05 to 40."""


LOWEST_MEAN, HIGHEST_MEAN = -90.0, 70.0
LOWEST_STD, HIGHEST_STD = 0.05, 40.0


def within_limits(mean: float, std: float) -> Prediction:
    """The nearest answer within the limits of the contract."""
    return {
        "mean": min(HIGHEST_MEAN, max(LOWEST_MEAN, mean)),
        "std": min(HIGHEST_STD, max(LOWEST_STD, std)),
    }
