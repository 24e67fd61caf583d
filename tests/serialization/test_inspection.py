"""What is told of a file, and that nothing of it is run."""

import io
import pathlib
import pickle

import pytest

import flambeau
from flambeau.serialization import (
    add_safe_globals,
    clear_safe_globals,
    get_unsafe_globals_in_checkpoint,
    save,
)
from flambeau.serialization.inspection import Unknown, inspect

from ..files.mutations import packed, records

ZIPPED = pytest.mark.parametrize("zipped", [True, False])


def seen(obj, lib=flambeau, zipped=True):
    file = io.BytesIO()
    lib.save(obj, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    return inspect(file)


@ZIPPED
@pytest.mark.parametrize("name", ["flambeau", "torch"])
def test_tensors_and_values(torch, zipped, name):
    lib = {"flambeau": flambeau, "torch": torch}[name]
    x = lib.arange(100.0)
    whole, part = lib.ones(2, 3, dtype=lib.bfloat16), x.reshape(10, 10)[1:3, 2:]
    found = seen({"a": whole, "b": [part, x], "c": {1: 2.5}, "d": {}}, lib, zipped)
    a, b, all_of_x = found.entries
    assert a[:4] == ("a", "bfloat16", (2, 3), 12)
    assert b[:4] == ("b[0]", "float32", (2, 8), 64)
    assert b.seen == (12, 30)
    assert b.storage == all_of_x.storage != a.storage
    assert found.storages == {a.storage: ("cpu", 12), b.storage: ("cpu", 400)}
    assert found.values == {"c[1]": 2.5}
    assert found.unknown == []


@ZIPPED
def test_modules(torch, zipped):
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    model.tied = model[0]
    found = seen(model, torch, zipped)
    assert [entry.name for entry in found.entries] == [
        "._modules['0']._parameters['weight']",
        "._modules['0']._parameters['bias']",
    ]
    assert found.unknown == [
        "torch.nn.modules.activation.ReLU",
        "torch.nn.modules.container.Sequential",
        "torch.nn.modules.linear.Linear",
    ]


class Attack:
    """Pickles as the creation of a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return pathlib.Path.touch, (self.path,)


@ZIPPED
def test_nothing_is_run(zipped, tmp_path):
    ran = tmp_path / "ran"
    found = seen([flambeau.ones(2), Attack(ran), {Unknown("a"): 1}], zipped=zipped)
    assert not ran.exists()
    assert len(found.entries) == 1
    assert "__builtin__.getattr" in found.unknown


def test_unsafe_names():
    file = io.BytesIO()
    save({"a": flambeau.ones(2), "b": Unknown("c"), "e": {1, 2}}, file)
    file.seek(0)
    name = "flambeau.serialization.inspection.Unknown"
    (found,) = get_unsafe_globals_in_checkpoint(file)
    assert found.removeprefix("torch") == name.removeprefix("flambeau")
    add_safe_globals([Unknown])
    file.seek(0)
    assert get_unsafe_globals_in_checkpoint(file) == []
    clear_safe_globals()


@pytest.mark.parametrize("name", ["float4_e2m1fn_x2", "float8_e4m3fn", "uint16", "uint64"])
def test_dtypes_that_are_not_here(torch, name):
    file = io.BytesIO()
    tensor = torch.empty(2, 3, dtype=getattr(torch, name))
    torch.save({"a": tensor}, file)
    file.seek(0)
    (entry,) = inspect(file).entries
    assert entry[:4] == ("a", name, (2, 3), tensor.nbytes)
    if hasattr(flambeau, name):
        return
    for options in ({}, {"weights_only": False}):
        file.seek(0)
        with pytest.raises(pickle.UnpicklingError, match=f"torch.{name}"):
            flambeau.load(file, **options)


def test_other_locations(torch):
    file = io.BytesIO()
    torch.save(torch.ones(3), file)
    found = records(file.getvalue())
    cpu, cuda = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    found["data.pkl"] = found["data.pkl"].replace(cpu, cuda)
    assert inspect(io.BytesIO(packed(found))).storages == {"0": ("cuda:0", 12)}


def test_damaged_files(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"text")
    with pytest.raises(pickle.UnpicklingError, match=r"a\.pt: neither a zip archive"):
        inspect(tmp_path / "a.pt")
    with pytest.raises(FileNotFoundError):
        inspect(tmp_path / "b.pt")
