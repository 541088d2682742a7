import unittest

from tracker import score_prediction
from tracker.scoring import crps_normal


class CrpsNormalTest(unittest.TestCase):
    def test_known_values(self) -> None:
        # Results of scoringrules' crps_normal(observation, mu, sigma).
        for mean, std, observed, expected in [(0, 1, 0, 0.23369497725510913), (0.2, 0.7, 1.5, 0.9223530635539529)]:
            self.assertAlmostEqual(crps_normal({"mean": mean, "std": std}, observed) / expected, 1, 12)

    def test_is_the_absolute_error_of_a_forecast_that_is_nearly_certain(self) -> None:
        self.assertAlmostEqual(crps_normal({"mean": 10, "std": 1e-9}, 14), 4, 8)

    def test_refuses_a_spread_that_is_none(self) -> None:
        for std in [0, -1, float("nan")]:
            with self.assertRaisesRegex(ValueError, "std must be more than 0"):
                crps_normal({"mean": 0, "std": std}, 0)


class ScorePredictionTest(unittest.TestCase):
    def test_a_prediction_that_is_too_warm_has_a_positive_error(self) -> None:
        self.assertEqual(score_prediction({"mean": 12, "std": 1}, 10)["error"], 2)
