"""
Answers and scores of the Python examples, for a comparison with those of the TypeScript ones:

    python3 -m tests.answers < ROUNDS

ROUNDS is a JSON list of `{"tick": ..., "truth": ...}`. Prints a JSON object with a list of `[prediction, score]` per
example, one item per round.
"""

import json
import sys

from . import load_example as examples
from tracker import score_prediction

HORIZON_SECONDS = 300
STEP_SECONDS = 60


def main() -> None:
    rounds = json.load(sys.stdin)
    answers = {}
    for name in examples.list_examples():
        model = examples.load_example(name)()
        answers[name] = []
        for entry in rounds:
            model.tick(entry["tick"])
            prediction = model.predict(entry["tick"]["subject"], HORIZON_SECONDS, STEP_SECONDS)
            answers[name].append([prediction, score_prediction(prediction, entry["truth"])])
    json.dump(answers, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main()
