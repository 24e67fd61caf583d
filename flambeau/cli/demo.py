"""`flambeau demo`: the iris example, in full."""

import importlib.util
import pathlib
import sys

__all__ = ["demo"]

NEEDED = {"matplotlib": "matplotlib", "sklearn": "scikit-learn", "tqdm": "tqdm"}


def demo(argv):
    """Train a network on the iris data with the arguments `argv`. Returns the exit status."""
    missing = [name for module, name in NEEDED.items() if not importlib.util.find_spec(module)]
    if missing:
        print(
            f"flambeau demo needs {', '.join(missing)}: pip install 'flambeau[examples]'",
            file=sys.stderr,
        )
        return 1
    spec = importlib.util.spec_from_file_location("flambeau.cli.iris", _program())
    iris = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(iris)
    iris.main(["--plot", "iris.png", *argv])
    return 0


def _program():
    """The example: it is installed beside this file, or lies in the source tree."""
    installed = pathlib.Path(__file__).with_name("iris.py")
    if installed.exists():
        return installed
    return pathlib.Path(__file__).parents[2] / "examples" / "04_iris_validate.py"
