"""Where downloads are kept."""

import os

import pytest

from flambeau import hub
from flambeau.hub import folder


def test_environment(torch, monkeypatch, tmp_path):
    for name in ("TORCH_HUB", "TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(folder, "_chosen", None)
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    for name, value in (("HOME", tmp_path), ("XDG_CACHE_HOME", "/cache"), ("TORCH_HOME", "~/t")):
        monkeypatch.setenv(name, str(value))
        assert hub.get_dir() == torch.hub.get_dir()
    monkeypatch.setenv("TORCH_HUB", "x")
    with pytest.warns(UserWarning, match="TORCH_HUB is deprecated"):
        hub.get_dir()


def test_set_dir(monkeypatch):
    monkeypatch.setattr(folder, "_chosen", None)
    hub.set_dir("~/models")
    assert hub.get_dir() == os.path.expanduser("~/models")
