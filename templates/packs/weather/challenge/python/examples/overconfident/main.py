from tracker import Prediction, TrackerBase
from tracker.question import within_limits


class Overconfident(TrackerBase):
    """Tomorrow is like today, and nothing else is thought possible: a right centre with a dishonest spread."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        if data is None or not data["days"]:
            # Nothing has been seen yet: it commits to next to nothing.
            return {"mean": 15.0, "std": 12.0}
        return within_limits(data["days"][-1]["tempMax"], 0.1)
