"""Files of before PyTorch 1.6."""

import io
import os
import pickle

import numpy as np
import pytest

import flambeau
from flambeau.serialization import load, save

OLD = {"_use_new_zipfile_serialization": False}
DTYPES = [
    *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32"),
    *("float64", "complex64", "complex128"),
]


def saved_here(obj):
    file = io.BytesIO()
    save(obj, file, **OLD)
    file.seek(0)
    return file


@pytest.mark.parametrize("weights_only", [True, False])
def test_files_of_pytorch(torch, saved, weights_only):
    x = torch.arange(6.0)
    values = {d: (torch.arange(4) % 2).to(getattr(torch, d)) for d in DTYPES}
    values |= {"x": x, "view": x[2:4], "t": x.reshape(2, 3).T, "p": torch.nn.Parameter(x), "n": 3}
    back = load(saved(values, **OLD), weights_only=weights_only)
    for key, value in values.items():
        if key == "n":
            assert back[key] == 3
            continue
        assert back[key].tolist() == value.tolist()
        assert repr(back[key].dtype) == repr(value.dtype)
        assert back[key].stride() == value.stride()
        assert back[key].requires_grad == value.requires_grad
    back["x"][2] = 10.0
    assert back["view"].tolist() == [10, 3]


@pytest.mark.parametrize("weights_only", [True, False])
def test_files_for_pytorch(torch, weights_only):
    x = flambeau.arange(10.0)
    values = {d: flambeau.tensor([True, False], dtype=getattr(flambeau, d)) for d in DTYPES}
    values |= {"a": x[2:4], "b": x[3:6], "p": flambeau.nn.Parameter(flambeau.ones(2, 2))}
    theirs = torch.load(saved_here(values), weights_only=weights_only)
    ours = load(saved_here(values), weights_only=weights_only)
    for key, value in values.items():
        assert theirs[key].tolist() == value.tolist() == ours[key].tolist()
        assert repr(theirs[key].dtype) == repr(value.dtype) == repr(ours[key].dtype)
    theirs["a"][1] = 5.0
    assert theirs["b"].tolist() == [5, 4, 5]
    assert type(theirs["p"]) is torch.nn.Parameter


def test_one_after_the_other():
    file = io.BytesIO()
    for k in range(3):
        save({"k": flambeau.ones(2) * k}, file, **OLD)
    file.seek(0)
    for k in range(3):
        assert load(file, weights_only=k < 2)["k"].tolist() == [k, k]


def test_modules_of_pytorch(torch, saved):
    layer = torch.nn.Linear(2, 3)
    back = load(saved(layer, **OLD), weights_only=False)
    assert back.weight.tolist() == layer.weight.tolist()


def test_no_mmap(tmp_path):
    save(flambeau.ones(2), tmp_path / "a.pt", **OLD)
    with pytest.raises(RuntimeError, match="mmap can only be used with files saved with"):
        load(tmp_path / "a.pt", mmap=True)


def test_the_other_byte_order():
    data = saved_here(flambeau.arange(3.0)).getvalue()
    data = data.replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89")
    raw = np.arange(3, dtype=np.float32)
    data = data.replace(raw.tobytes(), raw.byteswap().tobytes())
    assert load(io.BytesIO(data)).tolist() == [0, 1, 2]


# Written by hand


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def body(value):
    return pickle.dumps(value, 2)[2:-1]


def crafted(keys=("0",), numel=4, elements=4, view=None, size=4, metadata=b"", count=1):
    head = b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {}))
    kind = name("torch", "FloatStorage")
    pid = b"(" + body("storage") + kind + body("0") + body("cpu") + body(numel) + body(view) + b"tQ"
    call = name("torch._utils", "_rebuild_tensor_v2") + b"(" + pid + body(0) + body((size,))
    call += body((1,)) + b"\x89N" + metadata + b"tR"
    data = np.arange(elements, dtype=np.float32).tobytes()
    pickled = b"\x80\x02" + call * count + b"."
    return io.BytesIO(
        head
        + pickled
        + pickle.dumps(list(keys) if type(keys) is tuple else keys, 2)
        + elements.to_bytes(8, "little")
        + data
    )


def test_views_of_storages():
    assert load(crafted()).tolist() == [0, 1, 2, 3]
    assert load(crafted(view=("5", 1, 2), size=2)).tolist() == [1, 2]


BAD = {
    "size": {"size": 5},
    "numel of the file": {"elements": 3},
    "numel of the id": {"numel": 5},
    "numel larger than the file": {"numel": 10**15},
    "no keys": {"keys": []},
    "other keys": {"keys": ["1"]},
    "keys that are no list": {"keys": {"0": 1}},
    "a key twice": {"keys": ["0", "0"]},
    "view beyond": {"view": ("1", 1, 4)},
    "view before": {"view": ("1", -1, 4)},
    "view that is none": {"view": (1, 1)},
    "view without a key": {"view": (1, 1, 1)},
    "tensor beyond its view": {"view": ("1", 1, 3)},
    "conjugate": {"metadata": body({"conj": True})},
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("weights_only", [True, False])
def test_bounds(case, weights_only):
    with pytest.raises(pickle.UnpicklingError):
        load(crafted(**BAD[case]), weights_only=weights_only)


def test_every_truncation_is_noticed():
    data = saved_here({"a": flambeau.ones(3), "b": [1, "x"]}).getvalue()
    for length in range(len(data)):
        with pytest.raises((RuntimeError, pickle.UnpicklingError)):
            load(io.BytesIO(data[:length]))


def test_what_is_no_file_of_pytorch():
    for data in (b"hello", pickle.dumps({"a": 1}), os.urandom(100), b"\x1f\x8b" + bytes(50)):
        with pytest.raises(pickle.UnpicklingError, match="neither a zip archive nor an older file"):
            load(io.BytesIO(data))
    with pytest.raises(RuntimeError, match="<BytesIO>: the file is empty"):
        load(io.BytesIO())
    version = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1000, 2) + pickle.dumps({}, 2)
    with pytest.raises(pickle.UnpicklingError, match="unknown protocol version 1000"):
        load(io.BytesIO(version))
    pid = pickle.dumps(1, 2)[:-1] + b"Q."
    with pytest.raises(pickle.UnpicklingError):
        load(io.BytesIO(pid))
