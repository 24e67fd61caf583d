"""`flambeau demo` trains on the iris data."""

import pathlib

import pytest

from flambeau.cli import main


def test_demo(capsys, monkeypatch, tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("tqdm")
    pytest.importorskip("matplotlib").use("agg")
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--epochs", "5"]) == 0
    text = capsys.readouterr().out
    assert "ms per epoch" in text
    assert "validation accuracy" in text
    assert "iris.png" in text
    assert pathlib.Path("iris.png").stat().st_size > 1000
    assert main(["demo", "--epochs", "1", "--plot", "other.png"]) == 0
    assert pathlib.Path("other.png").exists()


def test_missing_packages(capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["demo"]) == 1
    assert "pip install 'flambeau[examples]'" in capsys.readouterr().err
