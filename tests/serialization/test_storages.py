"""Tensors of a file: every bound is checked, and what PyTorch writes is what is made."""

import io
import pickle
import sys

import numpy as np
import pytest

import flambeau
from flambeau.serialization import load, save
from flambeau.serialization.names import STORAGE_TYPES
from flambeau.serialization.storages import check_storage_id
from flambeau.storage import TypedStorage

DATA = np.arange(6, dtype=np.float32)
RAW = DATA.tobytes()


def body(value):
    """The instructions that build plain data."""
    return pickle.dumps(value, 2)[2:-1]


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def crafted(
    repacked,
    *,
    rebuild="_rebuild_tensor_v2",
    kind=("torch", "FloatStorage"),
    key="0",
    location="cpu",
    numel=6,
    args=(0, (2, 3), (3, 1), False),
    rest=b"N",
    data=RAW,
    prefix=b"",
    suffix=b"",
    byteorder="little",
):
    """A file that holds one tensor, with whatever numbers."""
    pid = b"(" + body("storage") + name(*kind) + body(key) + body(location) + body(numel) + b"tQ"
    call = name("torch._utils", rebuild) + b"(" + pid + b"".join(map(body, args)) + rest + b"tR"
    pickled = b"\x80\x02" + prefix + call + suffix + b"."
    contents = {"data.pkl": pickled, "byteorder": byteorder.encode(), "data/0": data}
    return repacked({**contents, "version": b"3\n"})


def test_the_crafted_file_is_sound(repacked, torch):
    file = crafted(repacked)
    assert load(file).tolist() == [[0, 1, 2], [3, 4, 5]]
    file.seek(0)
    assert torch.load(file).tolist() == [[0, 1, 2], [3, 4, 5]]


BOUNDS = {
    "offset": {"args": (1, (2, 3), (3, 1), False)},
    "offset far away": {"args": (2**61, (2, 3), (3, 1), False)},
    "offset beyond 64 bits": {"args": (2**64, (0,), (1,), False)},
    "negative offset": {"args": (-1, (2,), (1,), False)},
    "size": {"args": (0, (7,), (1,), False)},
    "negative size": {"args": (0, (-1, 3), (3, 1), False)},
    "size with a large product": {"args": (0, (2**31, 2**31), (0, 0), False)},
    "stride": {"args": (0, (2, 3), (4, 1), False)},
    "large stride": {"args": (0, (2, 3), (2**61, 1), False)},
    "negative stride": {"args": (5, (6,), (-1,), False)},
    "fewer strides": {"args": (0, (2, 3), (3,), False)},
    "more strides": {"args": (0, (2,), (3, 1), False)},
    "size of floats": {"args": (0, (2.0,), (1,), False)},
    "size of bools": {"args": (0, (True,), (1,), False)},
    "size that is a list": {"args": (0, [2], (1,), False)},
    "size that is a number": {"args": (0, 2, (1,), False)},
    "offset that is no number": {"args": (None, (2,), (1,), False)},
    "too many dims": {"args": (0, (1,) * 65, (1,) * 65, False)},
    "more elements than the record": {"numel": 7},
    "fewer elements than the record": {"numel": 5, "args": (0, (2,), (1,), False)},
    "negative numel": {"numel": -6},
    "numel beyond 64 bits": {"numel": 2**64},
    "numel that is no number": {"numel": "6"},
    "larger elements": {"kind": ("torch", "DoubleStorage")},
    "record that is not there": {"key": "1"},
    "key that leaves the folder": {"key": "../../data/0"},
    "key that is no string": {"key": 0},
    "location that is no string": {"location": 0},
    "unknown location": {"location": "nowhere"},
    "storage type": {"kind": ("torch", "Size")},
    "unknown metadata": {"rest": b"N" + body({"quantized": True})},
    "metadata that is no dict": {"rest": b"N" + body(3)},
    "too few arguments": {"args": (0,)},
    "unknown byte order": {"byteorder": "middle"},
}


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("case", BOUNDS)
def test_bounds(repacked, case, trusted, mmap, tmp_path):
    path = tmp_path / "a.pt"
    path.write_bytes(crafted(repacked, **BOUNDS[case]).getvalue())
    kinds = (RuntimeError, pickle.UnpicklingError, *([TypeError, AttributeError] * trusted))
    with pytest.raises(kinds):
        load(path, weights_only=not trusted, mmap=mmap)


def test_an_integer_can_not_require_gradients(repacked):
    file = crafted(repacked, kind=("torch", "IntStorage"), args=(0, (6,), (1,), True))
    with pytest.raises(pickle.UnpicklingError, match="can not require gradients"):
        load(file)


def test_views_that_need_not_fill_their_storage(repacked):
    for args, expected in (
        ((2, (2,), (2,), False), [2, 4]),
        ((5, (), (), False), 5),
        ((1, (2, 2), (0, 1), False), [[1, 2], [1, 2]]),
        ((99, (0, 3), (1, 1), False), []),
    ):
        assert load(crafted(repacked, args=args)).tolist() == expected


def test_one_storage_in_two_ways(repacked):
    for change in (
        {"numel": 3, "kind": ("torch", "DoubleStorage")},
        {"kind": ("torch", "IntStorage")},
        {"numel": 5},
    ):
        numel, kind = change.get("numel", 6), change.get("kind", ("torch", "FloatStorage"))
        pid = b"(" + body("storage") + name(*kind) + body("0") + body("cpu") + body(numel) + b"tQ"
        with pytest.raises((RuntimeError, pickle.UnpicklingError), match="in two ways|instead of"):
            load(crafted(repacked, prefix=pid, suffix=b"\x86"))


def untyped(repacked, dtype="float32", numel=24, **options):
    rest = b"N" + name("torch", dtype)
    kind = ("torch.storage", "UntypedStorage")
    return crafted(
        repacked, rebuild="_rebuild_tensor_v3", kind=kind, numel=numel, rest=rest, **options
    )


def test_storages_of_bytes(repacked, torch):
    for dtype, size in (("float32", 6), ("int16", 12), ("complex64", 3), ("bool", 24)):
        args = (1, (size - 1,), (1,), False)
        data = bytes(24) if dtype == "bool" else DATA.tobytes()
        ours = load(untyped(repacked, dtype, args=args, data=data))
        theirs = torch.load(untyped(repacked, dtype, args=args, data=data))
        assert ours.tolist() == theirs.tolist()
        assert repr(ours.dtype) == repr(theirs.dtype)


def test_storages_of_bytes_are_checked(repacked):
    for options in (
        {"dtype": "float64", "args": (0, (4,), (1,), False)},
        {"byteorder": "little" if sys.byteorder == "big" else "big"},
        {"dtype": "float64", "data": bytes(23), "numel": 23},
        {"dtype": "Size"},
    ):
        with pytest.raises(pickle.UnpicklingError):
            load(untyped(repacked, **options))


def test_a_dtype_that_is_not_there(saved, torch):
    file = saved(torch.empty(2, dtype=torch.float4_e2m1fn_x2))
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.float4_e2m1fn_x2, a dtype that"):
        load(file)


def test_the_other_byte_order(repacked):
    other = "big" if sys.byteorder == "little" else "little"
    file = crafted(repacked, byteorder=other, data=DATA.byteswap().tobytes())
    assert load(file).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_conjugates_and_negatives(saved, torch):
    x = torch.tensor([[1 + 2j, 3 - 4j], [5j, 6]])
    for value in (x.conj(), x[:, 1].conj(), x.conj().imag, x.conj().T):
        assert load(saved(value)).tolist() == value.tolist()
    both = load(saved([x, x.conj()]))
    assert both[0].tolist() == x.tolist()
    assert both[1].tolist() == x.conj().tolist()


def test_attributes_of_tensors(saved, torch):
    x, p = torch.ones(2), torch.nn.Parameter(torch.ones(3))
    x.note, p.note = "a", {"b": 1}
    ours = load(saved({"x": x, "p": p}))
    assert ours["x"].note == "a"
    assert ours["p"].note == {"b": 1}
    assert type(ours["p"]) is flambeau.nn.Parameter
    file = io.BytesIO()
    save(ours, file)
    file.seek(0)
    theirs = torch.load(file)
    assert theirs["x"].note == "a"
    assert theirs["p"].note == {"b": 1}


def test_attributes_can_not_replace_what_tensors_have(repacked):
    for state in ({"shape": 1}, {"_meta": 1}, {"_grad": 1}, {1: 2}, 3):
        head = name("torch._tensor", "_rebuild_from_type_v2") + b"("
        head += name("torch._utils", "_rebuild_tensor_v2") + name("torch", "Tensor")
        pid = name("torch", "FloatStorage") + body("0") + body("cpu") + body(6) + b"tQ"
        args = b"((" + body("storage") + pid + body(0) + body((6,)) + body((1,)) + b"\x89Nt"
        pickled = b"\x80\x02" + head + args + body(state) + b"tR."
        with pytest.raises(pickle.UnpicklingError):
            load(repacked({"data.pkl": pickled, "data/0": DATA.tobytes(), "version": b"3"}))


def test_tensors_are_built_in_known_ways_only(repacked):
    rebuild = name("torch._tensor", "_rebuild_from_type_v2")
    ordered, tensor = name("collections", "OrderedDict"), name("torch", "Tensor")
    known = name("torch._utils", "_rebuild_tensor_v2")
    for args in (ordered + tensor + b")}", known + ordered + b")}", known + tensor + b"]}"):
        with pytest.raises(pickle.UnpicklingError, match="unknown way"):
            load(repacked({"data.pkl": b"\x80\x02" + rebuild + b"(" + args + b"tR."}))
    for rebuild in ("_rebuild_parameter", "_rebuild_tensor_v2"):
        args = b"(" + b"N" * (3 if rebuild == "_rebuild_parameter" else 6) + b"tR."
        with pytest.raises(pickle.UnpicklingError, match="expected a"):
            load(repacked({"data.pkl": b"\x80\x02" + name("torch._utils", rebuild) + args}))


def test_ids():
    for pid in (None, (), "storage", ("storage",) * 5, ("module", 1, 2, 3, 4)):
        with pytest.raises(pickle.UnpicklingError, match="is not the id of a storage"):
            check_storage_id(pid, 5)


def test_the_oldest_tensors(repacked):
    file = crafted(repacked, rebuild="_rebuild_tensor", args=(1, (2,), (2,)), rest=b"")
    assert load(file).tolist() == [1, 3]


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_of_their_own(torch, saved):
    """As PyTorch does it, bytes come back as elements of uint8."""
    x = torch.arange(3.0)
    typed, view, untyped = load(saved([x.storage(), x[1:], torch.arange(2).untyped_storage()]))
    assert isinstance(typed, TypedStorage)
    assert typed.tolist() == [0, 1, 2]
    assert typed.untyped() == view.untyped_storage()
    assert untyped.dtype is flambeau.uint8
    assert untyped.tolist() == [0] * 8 + [1] + [0] * 7
    file = io.BytesIO()
    save([typed, view, untyped.untyped()], file)
    for loader in (load, torch.load):
        file.seek(0)
        theirs = loader(file)
        assert theirs[0].tolist() == [0, 1, 2]
        assert theirs[1].storage_offset() == 1
        assert theirs[2].tolist() == [0] * 8 + [1] + [0] * 7


def test_dtypes_that_no_storage_is_named_after(torch, monkeypatch):
    monkeypatch.delitem(STORAGE_TYPES, flambeau.int16)
    x = flambeau.arange(6, dtype=flambeau.int16)
    file = io.BytesIO()
    save([x[2:4], x.reshape(2, 3)[1]], file)
    for loader in (load, torch.load):
        file.seek(0)
        back = loader(file)
        assert [b.tolist() for b in back] == [[2, 3], [3, 4, 5]]
        assert repr(back[0].dtype) == "torch.int16"
        back[0][1] = 9
        assert back[1].tolist() == [9, 4, 5]
