from typing import TypedDict

from .question import Prediction


class Score(TypedDict):
    value: float
    hit: bool


def score_prediction(prediction: Prediction, actual_return: float) -> Score:
    """
    What one prediction scores, as the node computes it. `value` is what a position of that size earned, in basis points
    before costs; `hit` says whether its direction was right.

    :param actual_return: price at the horizon / price at the prediction - 1
    """
    value = prediction["value"]
    return {"value": value * actual_return * 10_000, "hit": _sign(value) == _sign(actual_return)}


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
