"""Functions that a local folder offers."""

import sys

import pytest

import flambeau
from flambeau import hub

HUBCONF = '''
import flambeau
from parts_of_hub import scale

dependencies = ["numpy"]
number = 3

def linear(features, bias=True):
    """A linear layer."""
    return flambeau.nn.Linear(features, scale, bias=bias)
'''


@pytest.fixture
def folder(tmp_path):
    """A folder with a file `hubconf.py` and one that it imports."""
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    (tmp_path / "parts_of_hub.py").write_text("scale = 5\n")
    yield tmp_path
    sys.modules.pop("parts_of_hub", None)


def test_local(folder):
    for path in (folder, str(folder)):
        layer = hub.load(path, "linear", 2, source="local", bias=False)
        assert isinstance(layer, flambeau.nn.Linear)
        assert layer.weight.shape == (5, 2)
    assert str(folder) not in sys.path


def test_errors(folder):
    with pytest.raises(ValueError, match="Unknown source"):
        hub.load(folder, "linear", source="web")
    with pytest.raises(ValueError, match="should be a string"):
        hub.load(folder, 1, source="local")
    for name in ("number", "nothing"):
        with pytest.raises(RuntimeError, match=f"Cannot find callable {name}"):
            hub.load(folder, name, source="local")
    with pytest.raises(FileNotFoundError):
        hub.load(folder / "nothing", "linear", source="local")
    text = HUBCONF.replace('["numpy"]', '["numpy", "no_such_library"]')
    (folder / "hubconf.py").write_text(text)
    with pytest.raises(RuntimeError, match="Missing dependencies: no_such_library"):
        hub.load(folder, "linear", 2, source="local")
