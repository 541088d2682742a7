from math import erf, exp, pi, sqrt
from typing import TypedDict

from .question import Prediction


class Score(TypedDict):
    crps: float
    error: float


def crps_normal(forecast: Prediction, observed: float) -> float:
    """
    Continuous ranked probability score of a normal forecast, in degrees Celsius; lower is better, 0 is perfect.

    Closed form of Gneiting and Raftery, "Strictly Proper Scoring Rules, Prediction, and Estimation", Journal of the
    American Statistical Association 102 (2007), doi 10.1198/016214506000001437. It rewards an accurate mean and a
    calibrated spread: one that is too narrow or too wide costs.
    """
    mean, std = forecast["mean"], forecast["std"]
    if not std > 0:
        raise ValueError(f"std must be more than 0, not {std}")
    z = (observed - mean) / std
    density = exp(-z * z / 2) / sqrt(2 * pi)
    return std * (z * erf(z / sqrt(2)) + 2 * density - 1 / sqrt(pi))


def score_prediction(prediction: Prediction, observed: float) -> Score:
    """
    The score of one prediction, as the node computes it.

    :param observed: the observed maximum temperature, degrees Celsius
    """
    return {"crps": crps_normal(prediction, observed), "error": prediction["mean"] - observed}
