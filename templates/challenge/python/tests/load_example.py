import importlib.util
import inspect
from pathlib import Path

from tracker import TrackerBase

EXAMPLES = Path(__file__).parents[1] / "examples"


def list_examples() -> list[str]:
    """The names of the examples; each is the folder of a complete submission."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/main.py"))


def load_example(name: str) -> type[TrackerBase]:
    """The model's class, found like on the node: the first one that extends the base class."""
    path = EXAMPLES / name / "main.py"
    spec = importlib.util.spec_from_file_location(f"example_{name.replace('-', '_')}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for _, candidate in inspect.getmembers(module, inspect.isclass):
        if candidate is not TrackerBase and issubclass(candidate, TrackerBase):
            return candidate
    raise ImportError(f"{path} has no class that extends TrackerBase")
