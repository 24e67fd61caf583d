"""Optional libraries: what is there is imported, what is not is named with how to get it."""

import sys

import pytest

from flambeau.extras import optional


def test_there():
    """A module that is there."""
    assert optional("json.decoder", "plot").JSONDecoder


def test_not_there(monkeypatch):
    """One that is not, and one that lacks something itself."""
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'flambeau\[tensorboard\]'"):
        optional("no_such_library.part", "tensorboard")
    monkeypatch.setitem(sys.modules, "json.nothing", None)
    with pytest.raises(ModuleNotFoundError, match="json is not installed"):
        optional("json.nothing", "plot")
