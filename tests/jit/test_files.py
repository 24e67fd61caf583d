"""Scripted modules in files."""

import io

import pytest

import flambeau
from flambeau import jit, nn


@pytest.mark.parametrize("kind", ["path", "string", "file"])
def test_there_and_back(tmp_path, kind):
    place = {"path": tmp_path / "m.pt", "string": str(tmp_path / "m.pt"), "file": io.BytesIO()}
    place = place[kind]
    module = jit.script(nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.5)).eval())
    module.save(place, {"note": "text", "data": b"\0\1"})
    if kind == "file":
        place.seek(0)
    extra = {"note": "", "data": "", "missing": "kept"}
    loaded = jit.load(place, map_location="cpu", _extra_files=extra)
    assert extra == {"note": b"text", "data": b"\0\1", "missing": "kept"}
    assert isinstance(loaded, jit.ScriptModule)
    assert not loaded.training
    x = flambeau.ones(1, 2)
    assert flambeau.equal(loaded(x), module(x))


def test_functions():
    file = io.BytesIO()
    jit.save(jit.script(nn.functional.relu), file)
    file.seek(0)
    assert jit.load(file)(flambeau.tensor([-1.0])).tolist() == [0.0]


@pytest.mark.filterwarnings("ignore:.*jit.* is deprecated", "ignore:.*jit.* is not supported")
def test_files_of_torch(torch, tmp_path):
    path = tmp_path / "theirs.pt"
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    with pytest.raises(RuntimeError, match="TorchScript archive.*only PyTorch can run"):
        jit.load(path)


def test_other_files(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        jit.load(tmp_path / "nothing.pt")
    flambeau.save({"a": 1}, tmp_path / "plain.pt")
    with pytest.raises(RuntimeError, match="not written by flambeau.jit.save"):
        jit.load(tmp_path / "plain.pt")
    (tmp_path / "text.pt").write_text("text")
    with pytest.raises(Exception, match="."):  # whatever `flambeau.load` makes of it
        jit.load(tmp_path / "text.pt")
