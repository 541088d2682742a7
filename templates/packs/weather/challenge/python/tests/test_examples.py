import unittest
from datetime import date, timedelta
from math import cos, pi

from tracker.question import HIGHEST_MEAN, HIGHEST_STD, LOWEST_MEAN, LOWEST_STD, ObservedDay, Prediction

from .load_example import list_examples, load_example

DAY_SECONDS = 86_400
CASES = {
    "no tick": None,
    "no day": [],
    "one day": [10],
    "two days": [10, 12],
    "constant days": [10] * 30,
    "jumping days": [40 if day % 2 == 0 else -40 for day in range(30)],
    "ever rising heat": [day * 5 - 80 for day in range(30)],
}


def days_of(maxima: list[float]) -> list[ObservedDay]:
    """Days from 2012-01-01 on with these maxima."""
    first = date(2012, 1, 1)
    return [
        {"date": (first + timedelta(days=day)).isoformat(), "tempMax": temp_max} for day, temp_max in enumerate(maxima)
    ]


def answer(name: str, maxima: list[float] | None) -> Prediction:
    """The answer of a new model, after one tick if one is given."""
    model = load_example(name)()
    if maxima is not None:
        model.tick({"subject": "Seattle", "days": days_of(maxima)})
    return model.predict("Seattle", DAY_SECONDS, DAY_SECONDS)


class ExamplesTest(unittest.TestCase):
    def test_answer_within_the_contract(self) -> None:
        for name in list_examples():
            for case, maxima in CASES.items():
                with self.subTest(name=name, after=case):
                    prediction = answer(name, maxima)
                    self.assertTrue(LOWEST_MEAN <= prediction["mean"] <= HIGHEST_MEAN, prediction)
                    self.assertTrue(LOWEST_STD <= prediction["std"] <= HIGHEST_STD, prediction)

    def test_keep_the_cities_apart(self) -> None:
        maxima = [8, 9, 7, 10, 12, 11, 13, 12, 14]
        for name in list_examples():
            with self.subTest(name=name):
                model = load_example(name)()
                model.tick({"subject": "Seattle", "days": days_of(maxima)})
                model.tick({"subject": "New York", "days": days_of([30, 31, 32])})
                self.assertEqual(model.predict("Seattle", DAY_SECONDS, DAY_SECONDS), answer(name, maxima))

    def test_each_centres_where_its_idea_says(self) -> None:
        names = ["climatology", "overconfident", "persistence", "seven-day-mean", "trend"]
        self.assertEqual(list_examples(), names)
        maxima = [0, 10, 12, 14, 16, 18, 20, 22]
        for name, mean in zip(names, [14, 22, 22, 16, 24]):
            self.assertAlmostEqual(answer(name, maxima)["mean"], mean, 12)
        self.assertEqual(answer("overconfident", maxima)["std"], 0.1)

    def test_climatology_remembers_the_season_of_years_before_and_counts_a_day_once(self) -> None:
        days = days_of([round(15 - 10 * cos(day / 366 * 2 * pi)) for day in range(366 + 200)])
        model = load_example("climatology")()
        for end in range(1, len(days) + 1):
            model.tick({"subject": "Seattle", "days": days[max(0, end - 30) : end]})
        again = model.predict("Seattle", DAY_SECONDS, DAY_SECONDS)
        self.assertLess(abs(again["mean"] - 25), 1)
        model.tick({"subject": "Seattle", "days": days[-30:]})
        self.assertEqual(model.predict("Seattle", DAY_SECONDS, DAY_SECONDS), again)

    def test_changeable_weather_widens_the_spread(self) -> None:
        calm = [10 + day % 2 for day in range(30)]
        wild = [10 + 8 * (day % 2) for day in range(30)]
        self.assertGreater(answer("persistence", wild)["std"], answer("persistence", calm)["std"] + 3)
