"""Converts each notebook here with crunch-convert and writes the expected results of the tests to `expected.json`.

    python -m venv /tmp/judge && /tmp/judge/bin/pip install crunch-convert==0.12.3
    /tmp/judge/bin/python convert.py
"""

import json
import pathlib

from crunch_convert.notebook import ConverterError, extract_from_file

here = pathlib.Path(__file__).parent


def convert(path):
    try:
        flat = extract_from_file(str(path))
    except ConverterError as error:
        return {"error": type(error).__name__}
    return {
        "source": flat.source_code,
        "requirements": [
            {
                "module": one.alias,
                "name": one.name,
                "extras": sorted(one.extras),
                "specs": sorted(one.specs),
            }
            for one in sorted(flat.requirements, key=lambda one: one.alias)
            if one.language.name == "PYTHON"
        ],
        "files": {one.normalized_path: one.content for one in flat.embedded_files},
        "warnings": [
            {"category": one.category.name, "cell": one.location.file, "line": one.location.line}
            for one in flat.warnings
        ],
    }


results = {path.stem: convert(path) for path in sorted(here.glob("*.ipynb"))}
(here / "expected.json").write_text(json.dumps(results, indent=2) + "\n")
