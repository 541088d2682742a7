import unittest

from tracker import score_prediction


class ScorePredictionTest(unittest.TestCase):
    def test_earns_the_move_in_basis_points_as_large_as_the_position(self) -> None:
        for value, actual_return, expected in [(1, 0.001, 10), (-0.5, 0.001, -5), (-0.5, -0.002, 10)]:
            self.assertAlmostEqual(score_prediction({"value": value}, actual_return)["value"], expected, 12)

    def test_hits_when_the_direction_is_right_and_not_without_an_opinion(self) -> None:
        self.assertIs(score_prediction({"value": 0.1}, 0.001)["hit"], True)
        self.assertIs(score_prediction({"value": 0.1}, -0.001)["hit"], False)
        self.assertEqual(score_prediction({"value": 0.0}, 0.001), {"value": 0.0, "hit": False})
