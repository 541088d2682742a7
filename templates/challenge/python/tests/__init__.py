"""
Run them in the folder above, with nothing installed: `python3 -m unittest`. `pytest` runs them too.
"""

import sys
from pathlib import Path

# First, so that these sources are tested and not a release of them that is installed.
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))
