"""Headers of safetensors files, and the package `safetensors` on flambeau."""

import importlib.util
import io
import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest

import flambeau
from flambeau.serialization.inspection import inspect
from flambeau.serialization.safetensors import read_header

A = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
B = {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]}


def file_of(header, size):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(struct.pack("<Q", len(text)) + text + bytes(size))


def test_header():
    found = inspect(file_of({"__metadata__": {"format": "pt"}, "b": B, "a": A}, 26))
    assert found.kind == "safetensors"
    assert found.values == {"format": "pt"}
    assert [entry[:4] for entry in found.entries] == [
        ("a", "F32", (2, 3), 24),
        ("b", "BF16", (), 2),
    ]


@pytest.mark.parametrize(
    ("header", "size", "message"),
    [
        ({"a": A}, 23, "tensors have 24 bytes, the file 23"),
        ({"a": A}, 25, "tensors have 24 bytes, the file 25"),
        ({"a": A, "b": {**B, "data_offsets": [25, 27]}}, 27, "does not begin where"),
        ({"a": A, "b": {**B, "data_offsets": [23, 25]}}, 25, "does not begin where"),
        ({"a": {**A, "shape": [2, 2]}}, 24, r"'a' of F32\[2, 2\] has 24 bytes"),
        ({"a": {**A, "shape": [-2, -3]}}, 24, "unknown way"),
        ({"a": {**A, "shape": "23"}}, 24, "unknown way"),
        ({"a": {**A, "dtype": "X"}}, 24, "unknown way"),
        ({"a": {**A, "data_offsets": [24, 0]}}, 24, "unknown way"),
        ({"a": 3}, 24, "unknown way"),
        ({"__metadata__": 3}, 0, "metadata"),
        (b'{"a": 1, "a": 2}', 0, "there twice"),
        (b"{" + b'"a":{' * 20_000, 0, "damaged"),
        (b'{"a"', 0, "damaged"),
        (b'{"\xff"}', 0, "damaged"),
    ],
)
def test_damage(header, size, message):
    with pytest.raises(RuntimeError, match=message):
        read_header(file_of(header, size))


def test_a_header_longer_than_the_file():
    with pytest.raises(RuntimeError, match="cut off"):
        read_header(io.BytesIO(struct.pack("<Q", 1000) + b"{}"))


def test_arrays(tmp_path):
    """By the part of the package that knows NumPy."""
    numpy = pytest.importorskip("safetensors.numpy")
    x = flambeau.arange(6.0).reshape(2, 3)
    numpy.save_file({"x": x.numpy(), "y": np.arange(3)}, tmp_path / "a.safetensors")
    back = numpy.load_file(tmp_path / "a.safetensors")
    assert flambeau.equal(flambeau.from_numpy(back["x"]), x)
    assert [entry.name for entry in inspect(tmp_path / "a.safetensors").entries] == ["y", "x"]


PROGRAM = """
import sys, torch
from safetensors import safe_open
from safetensors.torch import load, load_file, load_model, save, save_file, save_model

assert torch.__name__ == "flambeau"
path = sys.argv[1]
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
model.tied = model[0]
save_model(model, path)
other = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
other.tied = other[0]
assert load_model(other, path) == (set(), [])
for name, value in model.state_dict().items():
    assert torch.equal(other.state_dict()[name], value), name
state = {
    "bfloat16": torch.arange(6.0).bfloat16(), "bool": torch.arange(3) > 1,
    "empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5), "int8": torch.ones(2).to(torch.int8),
    "complex": torch.ones(2, dtype=torch.complex64), "half": torch.ones(2, 2).half(),
}
save_file(state, path, metadata={"format": "pt"})
for back in (load_file(path), load(save(state))):
    assert back.keys() == state.keys()
    for name, value in state.items():
        assert back[name].dtype == value.dtype and torch.equal(back[name], value), name
with safe_open(path, framework="pt") as file:
    assert file.metadata() == {"format": "pt"}
    assert torch.equal(file.get_tensor("bfloat16"), state["bfloat16"])
    assert torch.equal(file.get_slice("half")[:1], state["half"][:1])
shared = torch.ones(3)
try:
    save_file({"a": shared, "b": shared}, path)
except RuntimeError as error:
    assert "share memory" in str(error)
else:
    raise AssertionError
print("done")
"""


@pytest.mark.skipif(not importlib.util.find_spec("safetensors"), reason="needs safetensors")
def test_the_package_for_pytorch(tmp_path):
    """Its part for PyTorch, unchanged, by `flambeau run`."""
    (tmp_path / "program.py").write_text(PROGRAM)
    names = [tmp_path / "program.py", tmp_path / "a.safetensors"]
    done = subprocess.run(
        [sys.executable, "-m", "flambeau", "run", *map(str, names)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout == "done\n", done.stderr
