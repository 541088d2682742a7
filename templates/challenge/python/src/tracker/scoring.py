from typing import TypedDict

from .question import Prediction


class Score(TypedDict):
    value: float
    hit: bool


def score_prediction(prediction: Prediction, actual_return: float) -> Score:
    """
    The score of one prediction, as the node computes it. `value` is the return of a position of that size, in basis points
    before costs; `hit` tells whether its direction was right.

    :param actual_return: price at the horizon / price at the prediction - 1
    """
    value = prediction["value"]
    return {"value": value * actual_return * 10_000, "hit": _sign(value) == _sign(actual_return)}


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
