from math import sqrt

from tracker import Prediction, TrackerBase

BARS = 60
TARGET_MOVE = 0.0005
"""The move per bar at which the position is full: 5 basis points."""


class VolatilityScaled(TrackerBase):
    """Follows the direction of the last hour, with a smaller position in a more volatile market."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        closes = [] if data is None else data["closes"]
        usual = usual_move(closes)
        if usual == 0:
            return {"value": 0.0}
        move = move_over(closes, BARS)
        direction = (move > 0) - (move < 0)
        return {"value": direction * min(1.0, TARGET_MOVE / usual)}


def usual_move(closes: list[float]) -> float:
    """Root mean square of the relative moves between closes, which is their typical size; 0 without moves."""
    if len(closes) < 2:
        return 0.0
    squares = 0.0
    for before, close in zip(closes, closes[1:]):
        move = close / before - 1
        squares += move * move
    return sqrt(squares / (len(closes) - 1))


def move_over(closes: list[float], bars: int) -> float:
    """The relative move from the close `bars` ago, or the oldest, to the last; 0 with fewer than two closes."""
    recent = closes[-bars - 1 :]
    return recent[-1] / recent[0] - 1 if recent else 0.0
