from math import sqrt, tanh

from tracker import Prediction, TrackerBase

BARS = 30


class MeanReversion(TrackerBase):
    """A price far from its half-hour mean comes back, the surer the farther it is in standard deviations."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        closes = [] if data is None else data["closes"][-BARS:]
        if not closes:
            return {"value": 0.0}
        mean = total(closes) / len(closes)
        std = sqrt(total([(close - mean) ** 2 for close in closes]) / len(closes))
        return {"value": 0.0 if std == 0 else tanh((mean - closes[-1]) / (2 * std))}


def total(numbers: list[float]) -> float:
    """In order, one by one: newer Pythons' `sum` rounds otherwise, and two versions would not agree to the last digit."""
    result = 0.0
    for number in numbers:
        result += number
    return result
