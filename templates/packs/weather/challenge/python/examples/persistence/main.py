from math import sqrt

from tracker import Prediction, TrackerBase
from tracker.question import within_limits

# The spread assumed before any error is known, and how many errors it counts as.
PRIOR_STD = 4
PRIOR_WEIGHT = 3


class Persistence(TrackerBase):
    """Predicts today's maximum."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        history = [] if data is None else [day["tempMax"] for day in data["days"]]
        if not history:
            # No data yet: a very wide distribution.
            return {"mean": 15.0, "std": 12.0}
        return within_limits(next_day(history), spread(history))


def next_day(history: list[float]) -> float:
    return history[-1]


def spread(history: list[float]) -> float:
    """The typical error of this rule on the known days; 4 degrees before there are any."""
    squares = PRIOR_WEIGHT * PRIOR_STD**2
    for day in range(1, len(history)):
        squares += (history[day] - next_day(history[:day])) ** 2
    return sqrt(squares / (PRIOR_WEIGHT + len(history) - 1))
