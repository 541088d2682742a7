from math import sqrt

from tracker import Prediction, TrackerBase
from tracker.question import within_limits

# The spread assumed before any error is known, and how many errors it counts as.
PRIOR_STD = 4
PRIOR_WEIGHT = 3


class Trend(TrackerBase):
    """Extends the straight line through the last five days by one day."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        history = [] if data is None else [day["tempMax"] for day in data["days"]]
        if not history:
            # No data yet: a very wide distribution.
            return {"mean": 15.0, "std": 12.0}
        return within_limits(next_day(history), spread(history))


def next_day(history: list[float]) -> float:
    recent = history[-5:]
    middle = (len(recent) - 1) / 2
    mean = total(recent) / len(recent)
    squares = total([(day - middle) ** 2 for day in range(len(recent))])
    if squares == 0:
        return mean
    slope = total([(day - middle) * (temp_max - mean) for day, temp_max in enumerate(recent)]) / squares
    return mean + slope * (len(recent) - middle)


def spread(history: list[float]) -> float:
    """The typical error of this rule on the known days; 4 degrees before there are any."""
    squares = PRIOR_WEIGHT * PRIOR_STD**2
    for day in range(1, len(history)):
        squares += (history[day] - next_day(history[:day])) ** 2
    return sqrt(squares / (PRIOR_WEIGHT + len(history) - 1))


def total(numbers: list[float]) -> float:
    """Adds in order: `sum` of newer Python versions rounds differently, so two versions would differ in the last digit."""
    result = 0.0
    for number in numbers:
        result += number
    return result
