from math import sqrt, tanh

from tracker import Prediction, TrackerBase

BARS = 10


class Momentum(TrackerBase):
    """Expects the move of the last ten bars to continue, with more confidence the larger it is for this market."""

    def predict(self, subject: str, horizon: int, step: int) -> Prediction:
        data = self.data_of(subject)
        closes = [] if data is None else data["closes"]
        usual = usual_move(closes) * sqrt(BARS)
        return {"value": 0.0 if usual == 0 else tanh(move_over(closes, BARS) / usual)}


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
