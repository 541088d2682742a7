from tracker import Prediction, TrackerBase


class LastValue(TrackerBase):
    """Predicts the last value."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        return {"value": data["values"][-1] if data is not None and data["values"] else 0.0}
