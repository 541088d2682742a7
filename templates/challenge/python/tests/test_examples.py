import unittest

from .load_example import list_examples, load_example

RISING = [100 * 1.0005**bar for bar in range(120)]
CASES = {
    "no tick": None,
    "no close": [],
    "one close": [100],
    "two closes": [100, 101],
    "a constant market": [100] * 120,
    "a jumping market": [*RISING, 50, 500],
}


def answer(name: str, closes: list[float] | None, subject: str = "BTCUSDT") -> float:
    """The answer of a new model, after one tick if one is given."""
    model = load_example(name)()
    if closes is not None:
        model.tick({"subject": subject, "closes": closes})
    return model.predict(subject, 300, 60)["value"]


class ExamplesTest(unittest.TestCase):
    def test_answer_within_the_contract(self) -> None:
        for name in list_examples():
            for case, closes in CASES.items():
                with self.subTest(name=name, after=case):
                    value = answer(name, closes)
                    self.assertIsInstance(value, float)
                    self.assertTrue(-1 <= value <= 1, value)

    def test_keep_the_subjects_apart(self) -> None:
        for name in list_examples():
            with self.subTest(name=name):
                model = load_example(name)()
                model.tick({"subject": "BTCUSDT", "closes": RISING})
                model.tick({"subject": "ETHUSDT", "closes": RISING[::-1]})
                self.assertEqual(model.predict("BTCUSDT", 300, 60)["value"], answer(name, RISING))

    def test_disagree_about_a_rising_market(self) -> None:
        self.assertEqual(list_examples(), ["coin", "flat", "mean-reversion", "momentum", "volatility-scaled"])
        self.assertGreater(answer("momentum", RISING), 0.5)
        self.assertLess(answer("mean-reversion", RISING), -0.2)
        self.assertEqual(answer("flat", RISING), 0)
        self.assertAlmostEqual(answer("volatility-scaled", RISING), 1, 6)

    def test_a_wilder_market_makes_a_smaller_position(self) -> None:
        wild = [close * (1 if bar % 2 == 0 else 1.01) for bar, close in enumerate(RISING)]
        self.assertLess(abs(answer("volatility-scaled", wild)), 0.2)

    def test_the_coin_falls_evenly_on_both_sides(self) -> None:
        draws = [answer("coin", [100 + draw / 100]) for draw in range(500)]
        self.assertLess(abs(sum(draws) / len(draws)), 0.1)
        self.assertLess(abs(sum(abs(draw) < 0.5 for draw in draws) / len(draws) - 0.5), 0.1)
