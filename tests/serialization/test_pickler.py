"""What is written: PyTorch's names, one record per storage, and no more than is used."""

import collections
import datetime
import io
import pickle
import pickletools

import numpy as np
import pytest

import flambeau
from flambeau.serialization import load, safe_globals, save, tensors
from flambeau.serialization.pickler import TensorPickler


def saved_here(obj):
    file = io.BytesIO()
    save(obj, file)
    file.seek(0)
    return file


def names(data):
    return {arg for opcode, arg, _ in pickletools.genops(data) if opcode.name == "GLOBAL"}


def test_the_records_and_their_order(records):
    x = flambeau.arange(4.0)
    found = records(saved_here({"b": x, "a": flambeau.ones(2, dtype=flambeau.int16)}))
    assert list(found) == [
        *("data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1"),
        *("version", ".data/serialization_id"),
    ]
    assert found["version"] == b"3\n"
    assert found[".format_version"] == b"1"
    assert found[".storage_alignment"] == b"64"
    assert found["byteorder"] == b"little"
    assert np.frombuffer(found["data/0"], np.float32).tolist() == [0, 1, 2, 3]
    assert np.frombuffer(found["data/1"], np.int16).tolist() == [1, 1]


def test_nothing_names_flambeau():
    module = flambeau.nn.Linear(2, 3)
    values = {
        "parameter": module.weight,
        "state": module.state_dict(),
        "size": module.weight.shape,
        "device": flambeau.device("cpu"),
        "dtype": [flambeau.float32, flambeau.bool, flambeau.bfloat16],
        "layout": flambeau.strided,
        "format": flambeau.channels_last,
    }
    data = TensorPickler().dumps(values)
    assert b"flambeau" not in data
    assert names(data) == {
        "torch FloatStorage",
        "torch Size",
        "torch bfloat16",
        "torch bool",
        "torch channels_last",
        "torch device",
        "torch float32",
        "torch._utils _rebuild_parameter",
        "torch._utils _rebuild_tensor_v2",
        "torch.serialization _get_layout",
        "collections OrderedDict",
    }
    assert names(TensorPickler().dumps(module)) >= {"torch.nn Linear"}


def test_ties_and_aliases_keep_one_storage(records):
    x = flambeau.arange(6.0)
    p = flambeau.nn.Parameter(x)
    file = saved_here({"x": x, "again": x, "view": x.reshape(2, 3), "p": p, "tied": p})
    assert [name for name in records(file) if name.startswith("data/")] == ["data/0"]
    file.seek(0)
    back = load(file)
    assert back["x"] is back["again"]
    assert back["p"] is back["tied"]
    back["x"][0] = 10.0
    for name in ("view", "p"):
        assert back[name].reshape(-1).tolist() == [10, 1, 2, 3, 4, 5]


def test_aliases_in_pytorch(torch):
    x = flambeau.arange(6.0)
    theirs = torch.load(saved_here([x, x[2:], x.reshape(2, 3).T]))
    theirs[0][2] = 10.0
    assert theirs[1].tolist() == [10, 3, 4, 5]
    assert theirs[2].tolist() == [[0, 3], [1, 4], [10, 5]]
    assert theirs[2].stride() == (1, 3)


def test_what_no_tensor_sees_is_left_out(torch, records):
    big = flambeau.arange(1000.0)
    file = saved_here({"a": big[10:12], "b": big[15:30].reshape(3, 5)[:, 1], "e": big[5:5]})
    found = records(file)
    assert np.frombuffer(found["data/0"], np.float32).tolist() == list(range(10, 27))
    file.seek(0)
    for back in (load(file), (file.seek(0), torch.load(file))[1]):
        assert back["a"].tolist() == [10, 11]
        assert back["b"].tolist() == [16, 21, 26]
        assert back["e"].tolist() == []
        assert back["a"].storage_offset() == 0
        assert back["b"].storage_offset() == 6
        assert back["b"].stride() == (5,)


def test_empty_and_expanded_tensors(torch, records):
    values = {"e": flambeau.zeros(0, 3), "x": flambeau.ones(1).expand(1000), "s": flambeau.ones(())}
    file = saved_here(values)
    found = records(file)
    assert [len(v) for k, v in found.items() if k.startswith("data/")] == [0, 4, 4]
    file.seek(0)
    theirs = torch.load(file)
    file.seek(0)
    ours = load(file)
    for name, value in values.items():
        assert theirs[name].shape == tuple(value.shape) == ours[name].shape
        assert theirs[name].tolist() == value.tolist() == ours[name].tolist()
    assert theirs["x"].stride() == (0,)


def test_requires_grad(torch):
    leaf = flambeau.ones(2, requires_grad=True)
    file = saved_here([leaf, leaf * 2, flambeau.nn.Parameter(leaf, requires_grad=False)])
    for module in (torch, None):
        file.seek(0)
        back = load(file) if module is None else module.load(file)
        assert [x.requires_grad for x in back] == [True, True, False]
        assert all(x.is_leaf for x in back)


def test_gradients_are_not_saved():
    p = flambeau.nn.Parameter(flambeau.ones(2))
    p.grad = flambeau.ones(2)
    assert load(saved_here(p)).grad is None


def test_buffers_are_tensors(torch):
    file = saved_here(flambeau.nn.Buffer(flambeau.ones(2), persistent=False))
    assert type(torch.load(file)) is torch.Tensor


class Marked(flambeau.Tensor):
    pass


def test_subclasses_keep_their_class():
    x = flambeau.ones(2).as_subclass(Marked)
    file = saved_here(x)
    with pytest.raises(pickle.UnpicklingError, match="Marked"):
        load(file)
    file.seek(0)
    with safe_globals([Marked]):
        back = load(file)
    assert type(back) is Marked
    assert back.tolist() == [1, 1]


def test_one_memory_as_two_dtypes_is_refused(torch):
    x = torch.zeros(2)
    with pytest.raises(RuntimeError, match="as different types"):
        torch.save([x, x.view(torch.int32)], io.BytesIO())
    storage = tensors.make_storage(np.zeros(2, np.float32), flambeau.float32)
    a, b = (tensors.make_tensor(storage, 0, (2,), (1,), False) for _ in range(2))
    b._meta = b._meta.with_dtype(flambeau.int32)
    with pytest.raises(RuntimeError, match="as different types"):
        save([a, b], io.BytesIO())


def test_plain_data(torch):
    value = {
        "numbers": [1, -1, 2**70, 1.5, True, None, 1 + 2j],
        "text": ("a", "\u4e2d", b"bytes", bytearray(b"x")),
        "sets": [{1, 2}, frozenset({3})],
        "ordered": collections.OrderedDict(b=1, a=2),
        "counter": collections.Counter("abca"),
        "deep": [[[[[()]]]]],
    }
    assert load(saved_here(value)) == value
    assert torch.load(saved_here(value), weights_only=False) == value
    value["date"] = datetime.datetime(2024, 1, 1)
    value["default"] = collections.defaultdict(list, a=[1])
    assert load(saved_here(value)) == value


def test_numpy_arrays_are_plain_data():
    value = {"a": np.arange(6.0).reshape(2, 3), "s": np.float32(1.5)}
    back = load(saved_here(value))
    assert back["a"].tolist() == value["a"].tolist()
    assert back["s"] == 1.5


def test_what_can_not_be_pickled_leaves_no_file(tmp_path):
    path = tmp_path / "a.pt"
    save(1, path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        save({"f": lambda: 1}, path)
    assert load(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_numbers_that_are_written_last_have_their_place():
    """Whatever the order in which views of different parts come."""
    x = flambeau.arange(10.0)
    parts = [x[5:6], x[3:8], x[7:9], x[2:2]]
    assert [p.tolist() for p in load(saved_here(parts))] == [p.tolist() for p in parts]
    assert load(saved_here([parts[0], x]))[0].storage_offset() == 5
