"""`flambeau inspect`."""

import json

import pytest

import flambeau
from flambeau.cli import main


@pytest.fixture
def path(tmp_path):
    x = flambeau.arange(100.0)
    model = flambeau.nn.Linear(3, 2)
    obj = {"model": model.state_dict(), "views": [x, x[4:8]], "epoch": 3, "text": "a" * 100}
    flambeau.save(obj, tmp_path / "a.pt")
    return str(tmp_path / "a.pt")


def test_table(path, capsys):
    assert main(["inspect", path]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{path}: zip archive, 4 tensors of 112 elements, 432 B of data, ")
    assert [line.split() for line in lines] == [
        ["name", "dtype", "shape", "bytes", "storage"],
        ["model['weight']", "float32", "[2,", "3]", "24", "B", "0"],
        ["model['bias']", "float32", "[2]", "8", "B", "1"],
        ["views[0]", "float32", "[100]", "400", "B", "2", "(shared", "by", "2)"],
        ["views[1]", "float32", "[4]", "16", "B", "2", "(shared", "by", "2,", "elements"]
        + ["4:8", "of", "400", "B)"],
        ["epoch", "=", "3"],
        ["text", "=", "'" + "a" * 55, "..."],
    ]


def test_json(path, capsys):
    assert main(["inspect", "--json", path, path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    found = json.loads(lines[0])
    assert found["entries"][0]["name"] == "model['weight']"
    assert found["values"]["epoch"] == "3"
    assert found["storages"]["2"] == ["cpu", 400]


def test_a_module(tmp_path, capsys):
    flambeau.save(flambeau.nn.Linear(1, 1), tmp_path / "a.pt")
    assert main(["inspect", str(tmp_path / "a.pt")]) == 0
    assert "load refuses, unless they are allowed: torch.nn.Linear" in capsys.readouterr().out


def test_damage(path, tmp_path, capsys):
    (tmp_path / "b.pt").write_bytes(b"text")
    assert main(["inspect", str(tmp_path / "b.pt"), path, str(tmp_path / "c.pt")]) == 1
    out, error = capsys.readouterr()
    assert "zip archive, 4 tensors" in out
    assert "b.pt: neither a zip archive nor an older file" in error
    assert "No such file" in error


@pytest.mark.parametrize("nbytes", [0, 999, 1000, 1_500_000, 10**13, 10**17])
def test_sizes(nbytes):
    from flambeau.cli.inspect import _size

    expected = {0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_500_000: "1.5 MB", 10**13: "10.0 TB"}
    assert _size(nbytes) == expected.get(nbytes, "100000.0 TB")
