import unittest

from tracker import TrackerBase


class Careless(TrackerBase):
    """A model whose constructor does not call the base class."""

    def __init__(self) -> None:
        self.seen = 0

    def tick(self, data):
        super().tick(data)
        self.seen += 1

    def predict(self, subject, horizon, step):
        return {}


class TrackerBaseTest(unittest.TestCase):
    def test_keeps_the_newest_data_of_each_subject(self) -> None:
        model = Careless()
        self.assertIsNone(model.data_of("a"))
        for subject, number in [("a", 1), ("b", 2), ("a", 3)]:
            model.tick({"subject": subject, "number": number})
        self.assertEqual(model.data_of("a"), {"subject": "a", "number": 3})
        self.assertEqual(model.data_of("b"), {"subject": "b", "number": 2})
        self.assertEqual(model.seen, 3)

    def test_instances_share_nothing(self) -> None:
        first, second = Careless(), Careless()
        first.tick({"subject": "a"})
        self.assertIsNone(second.data_of("a"))

    def test_a_model_must_have_predict(self) -> None:
        class Silent(TrackerBase):
            pass

        with self.assertRaisesRegex(TypeError, "predict"):
            Silent()
