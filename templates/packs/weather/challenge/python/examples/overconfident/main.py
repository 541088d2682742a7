from tracker import Prediction, TrackerBase
from tracker.question import within_limits


class Overconfident(TrackerBase):
    """Predicts today's maximum with far too small a spread: a good centre with false confidence."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        if data is None or not data["days"]:
            # No data yet: a very wide distribution.
            return {"mean": 15.0, "std": 12.0}
        return within_limits(data["days"][-1]["tempMax"], 0.1)
