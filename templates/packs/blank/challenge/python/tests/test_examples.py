import unittest

from .load_example import list_examples, load_example


def answer(name: str, values: list[float] | None) -> float:
    """The answer of a new model, after one tick if one is given."""
    model = load_example(name)()
    if values is not None:
        model.tick({"subject": "example", "values": values})
    return model.predict("example", 3_600, 3_600)["value"]


class ExamplesTest(unittest.TestCase):
    def test_answer_before_there_are_data(self) -> None:
        for name in list_examples():
            self.assertEqual(answer(name, None), 0)
            self.assertEqual(answer(name, []), 0)

    def test_answer_by_their_ideas(self) -> None:
        self.assertEqual(list_examples(), ["last-value", "recent-mean"])
        self.assertEqual(answer("last-value", [1, 2, 6]), 6)
        self.assertEqual(answer("recent-mean", [100, 1, 2, 6]), 3)
