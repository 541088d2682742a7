from tracker import Prediction, TrackerBase


class Flat(TrackerBase):
    """No opinion, ever: whoever ranks below it would have done better to stay silent."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        return {"value": 0.0}
