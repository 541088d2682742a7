from tracker import Prediction, TrackerBase


class Flat(TrackerBase):
    """Never has an opinion. A model that ranks below it would have scored better without any."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        return {"value": 0.0}
