"""The oldest files of PyTorch, written here by hand as PyTorch still reads them."""

import io
import pickle
import tarfile

import numpy as np
import pytest

import flambeau
from flambeau.serialization.inspection import inspect

from ..files.tars import STATE, Class, Named, old_file


def as_lists(obj):
    if isinstance(obj, dict):
        return {key: as_lists(value) for key, value in obj.items()}
    if isinstance(obj, list):
        return [as_lists(item) for item in obj]
    return (str(obj.dtype), obj.tolist(), obj.stride()) if hasattr(obj, "stride") else obj


@pytest.mark.parametrize("weights_only", [True, False])
def test_as_pytorch_reads_it(torch, tmp_path, weights_only):
    (tmp_path / "a.pt").write_bytes(old_file(STATE).getvalue())
    ours = flambeau.load(tmp_path / "a.pt", weights_only=weights_only)
    theirs = torch.load(tmp_path / "a.pt", weights_only=False)
    assert as_lists(ours) == as_lists(theirs)
    ours["a"].zero_()
    assert ours["b"].sum().item() == 0


def test_views_of_storages(torch, tmp_path):
    tensors = [(1, 9, (3,), (1,), 1)]
    file = old_file(Named(1), tensors=tensors, views=[(9, 7, 4, 5)])
    (tmp_path / "a.pt").write_bytes(file.getvalue())
    theirs = torch.load(tmp_path / "a.pt", weights_only=False)
    assert flambeau.load(file).tolist() == theirs.tolist() == [5, 6, 7]


def test_inspect():
    found = inspect(old_file(STATE))
    assert found.kind == "file of before PyTorch 0.2"
    assert [entry[:4] for entry in found.entries] == [
        ("a", "float32", (3, 4), 48),
        ("b", "float32", (2, 2), 16),
        ("c[0]", "int64", (3,), 24),
    ]
    assert found.values == {"c[1]": 2.5}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tensors": [(1, 7, (3, 5), (5, 1), 0)]}, "reaches beyond its storage"),
        ({"tensors": [(1, 7, (3,), (-1,), 2)]}, "is no geometry"),
        ({"tensors": [(1, 5, (3,), (1,), 0)]}, "there is no storage 5"),
        ({"tensors": []}, "there is no tensor or storage '1'"),
        ({"views": [(9, 7, 10, 5)]}, "storage 9 reaches beyond"),
        ({"storages": [(7, "cuda:0", Class("torch.FloatStorage"), np.ones(1))]}, "CUDA device"),
        ({"storages": [(7, "cpu", Class("os.system"), np.ones(1))]}, "not allowed"),
        ({"storages": [(7, "cpu", 3, np.ones(1))]}, "is not what should be"),
    ],
)
def test_damage(change, message):
    with pytest.raises((RuntimeError, pickle.UnpicklingError), match=message):
        flambeau.load(old_file(STATE, **change))


def test_cut_off():
    data = old_file(STATE).getvalue()
    for end in range(262, len(data) - 10_000, 97):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            flambeau.load(io.BytesIO(data[:end]))


def test_other_archives():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:") as container:
        container.addfile(tarfile.TarInfo("a"))
    file.seek(0)
    with pytest.raises(RuntimeError, match="not one of PyTorch"):
        flambeau.load(file)
