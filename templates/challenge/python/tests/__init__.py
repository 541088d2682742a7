"""
Run them in the parent folder, without installing packages: `python3 -m unittest`. `pytest` also works.
"""

import sys
from pathlib import Path

# First, so that these sources are tested rather than an installed release.
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
