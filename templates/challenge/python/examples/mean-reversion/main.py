from math import sqrt, tanh

from tracker import Prediction, TrackerBase

BARS = 30


class MeanReversion(TrackerBase):
    """Expects a price far from its half-hour mean to return, with more confidence the more standard deviations it is away."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        closes = [] if data is None else data["closes"][-BARS:]
        if not closes:
            return {"value": 0.0}
        mean = total(closes) / len(closes)
        std = sqrt(total([(close - mean) ** 2 for close in closes]) / len(closes))
        return {"value": 0.0 if std == 0 else tanh((mean - closes[-1]) / (2 * std))}


def total(numbers: list[float]) -> float:
    """Adds in order: `sum` of newer Python versions rounds differently, so two versions would differ in the last digit."""
    result = 0.0
    for number in numbers:
        result += number
    return result
