from typing import TypedDict

from .question import Prediction


class Score(TypedDict):
    error: float


def score_prediction(prediction: Prediction, actual: float) -> Score:
    """The score of one prediction, as the node computes it: its absolute error. Lower is better."""
    return {"error": abs(prediction["value"] - actual)}
