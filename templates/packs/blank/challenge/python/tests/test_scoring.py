import unittest

from tracker import score_prediction


class ScorePredictionTest(unittest.TestCase):
    def test_is_the_absolute_error(self) -> None:
        self.assertEqual(score_prediction({"value": 3}, 5), {"error": 2})
        self.assertEqual(score_prediction({"value": 5}, 3), {"error": 2})
