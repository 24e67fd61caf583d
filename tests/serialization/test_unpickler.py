"""The reader of pickles: all that pickle writes of plain data, and nothing that runs."""

import collections
import datetime
import io
import os
import pathlib
import pickle
import struct
from pickle import UnpicklingError

import numpy as np
import pytest

import flambeau
from flambeau.serialization.safe import safe_globals
from flambeau.serialization.unpickler import PlainUnpickler


def refuse(pid):
    raise UnpicklingError("no storages here")


def loads(data, **options):
    return PlainUnpickler(data, refuse, **options).load()


SHARED = [1]
VALUES = {
    "constants": [None, True, False],
    "ints": [0, 1, 255, 256, 65535, 65536, -1, 2**31, -(2**31), 2**63, 10**50, -(10**600)],
    "floats": [0.0, -0.0, 1.5, 1e300, float("inf")],
    "complex": 1 - 2j,
    "text": ["", "a", "\u00e9\u4e2d\U0001f600", "x" * 300, "\ud800"],
    "bytes": [b"", b"abc", bytes(range(256)) * 2, bytearray(b"abc"), bytearray()],
    "containers": [[], (), {}, set(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [[1], {"a": (2,)}]],
    "many": [list(range(3000)), {i: str(i) for i in range(3000)}],
    "sets": [{1, 2}, frozenset({(1, 2)}), set(range(100))],
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "counter": collections.Counter("abracadabra"),
    "defaultdict": collections.defaultdict(list, {"a": [1]}),
    "slices": [slice(1, 2, 3), slice(None), range(1, 10, 2)],
    "dates": [
        datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12, 30, 1, 5, tzinfo=datetime.UTC),
        datetime.time(1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "x")),
        datetime.timedelta(days=3, seconds=4),
    ],
    "paths": [pathlib.Path("a/b"), pathlib.PurePosixPath("/a"), pathlib.PureWindowsPath("c:\\a")],
    "numpy scalars": [
        np.float64(1.5),
        np.int8(-3),
        np.bool_(True),
        np.complex64(1j),
        np.str_("ab"),
    ],
    "types": [int, dict, collections.OrderedDict],
    "keys": {None: 1, 1.5: 2, (1, ("a", b"b")): 3, frozenset({1}): 4, np.int64(3): 5},
}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", VALUES)
def test_plain_data(name, protocol):
    value = VALUES[name]
    result = loads(pickle.dumps(value, protocol))
    assert result == value
    assert repr(result) == repr(value)
    assert type(result) is type(value)


ARRAYS = [
    *(np.arange(6).astype(d).reshape(2, 3) for d in "?bBhHiIqQefdFD"),
    np.arange(6.0).reshape(2, 3).T,
    np.asfortranarray(np.ones((3, 2))),
    np.array([], np.float32),
    np.array(3),
    np.arange(4, dtype=">f4"),
    np.array([b"ab", b"c"]),
    np.array(["ab", "\u00e9"]),
    np.array(["ab"], ">U2"),
]


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: f"{a.dtype.str}{a.shape}")
def test_numpy_arrays(array, protocol):
    result, theirs = (f(pickle.dumps(array, protocol)) for f in (loads, pickle.loads))
    assert result.dtype == theirs.dtype
    assert result.shape == array.shape
    assert result.flags.writeable
    np.testing.assert_array_equal(result, array)
    assert loads(pickle.dumps(array.dtype, protocol)) == array.dtype


def test_what_is_shared_and_what_contains_itself():
    value = [SHARED, SHARED, {"a": SHARED}]
    value.append(value)
    result = loads(pickle.dumps(value, 2))
    assert result[0] is result[1] is result[2]["a"]
    assert result[3] is result


def test_attributes_of_ordered_dicts():
    value = collections.OrderedDict(a=1)
    value._metadata = {"": {"version": 1}}
    result = loads(pickle.dumps(value, 2))
    assert result == value
    assert result._metadata == value._metadata


def test_strings_of_python_2():
    data = b"\x80\x02U\x02\xc3\xa9."
    assert loads(data) == "\u00e9"
    assert loads(data, encoding="latin1") == "\u00c3\u00a9"
    assert loads(data, encoding="bytes") == b"\xc3\xa9"
    assert loads(b"T\x02\x00\x00\x00ab.") == "ab"
    assert loads(b"c__builtin__\nunicode\n.") is str


def test_positions():
    data = b"xx" + pickle.dumps([1], 2) + pickle.dumps({"a": 2}, 2)
    first = PlainUnpickler(data, refuse, 2)
    assert first.load() == [1]
    assert PlainUnpickler(data, refuse, first.position).load() == {"a": 2}


# What must not be built


class Runs:
    """Pickles as a call of any function."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


def touch(path):
    pathlib.Path(path).touch()


CALLS = {
    "system": (os.system, "touch {}"),
    "eval": (eval, "open({!r}, 'w')"),
    "exec": (exec, "open({!r}, 'w')"),
    "open": (open, "{}", "w"),
    "touch": (touch, "{}"),
    "getattr": (getattr, "", "format"),
    "import": (__import__, "os"),
    "pickle": (pickle.loads, b"cos\nsystem\n."),
    "load": (flambeau.nn.Module,),
    "numpy": (np.save, "{}", 1),
    "mmap": (np.memmap, "{}"),
    "touch path": (pathlib.Path.touch, pathlib.Path("{}")),
}


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("name", CALLS)
def test_nothing_runs(name, protocol, tmp_path):
    path = tmp_path / "ran"
    function, *args = CALLS[name]
    filled = [a.format(path) if isinstance(a, str) else a for a in args]
    with pytest.raises(UnpicklingError, match="not allowed"):
        loads(pickle.dumps([Runs(function, *filled)], protocol))
    assert not path.exists()


def test_no_class_of_the_program_is_made():
    made = []

    class Local:
        def __setstate__(self, state):
            made.append(state)

    globals()["Local"] = Local
    Local.__qualname__ = "Local"
    try:
        for protocol in (2, 4, 5):
            with pytest.raises(
                UnpicklingError, match=r"Local, which is not allowed .*safe_globals"
            ):
                loads(pickle.dumps(Local(), protocol))
    finally:
        del globals()["Local"]
    assert not made


G = b"c%s\n%s\n"
ORDERED, SET = G % (b"collections", b"OrderedDict"), G % (b"__builtin__", b"set")
TENSOR, DICT = G % (b"torch", b"Tensor"), G % (b"__builtin__", b"dict")
DTYPE = G % (b"numpy", b"dtype")
REFUSED = {
    "call of a class that is only named": TENSOR + b")R.",
    "call of dict": DICT + b")R.",
    "call of a dtype": G % (b"torch", b"float32") + b")R.",
    "call of a string": b"X\x01\x00\x00\x00a)R.",
    "arguments that are no tuple": SET + b"]R.",
    "new object of an allowed class": ORDERED + b")\x81.",
    "new object by name": ORDERED + b")}\x92.",
    "attribute that dicts have": ORDERED + b")R}X\x04\x00\x00\x00keysK\x01sb.",
    "attribute that is no string": ORDERED + b")R}K\x01K\x01sb.",
    "state of a list": b"]}b.",
    "state of a class": ORDERED + b"}b.",
    "state of None": b"N}b.",
    "append to a set": SET + b")RK\x01a.",
    "append to a tuple": b")K\x01a.",
    "item of a list": b"]K\x01K\x02s.",
    "element of a list": b"](K\x01\x90.",
    "list as a key": b"}]K\x01s.",
    "list in a key": b"}]\x85K\x01s.",
    "list in a set": b"\x8f(]\x90.",
    "list in a frozenset": b"(]\x91.",
    "list in a set that is called": SET + b"]]a\x85R.",
    "odd number of items": b"}(K\x01u.",
    "factory that is not plain": G % (b"collections", b"defaultdict") + ORDERED + b")R\x85R.",
    "bytes of a size": G % (b"__builtin__", b"bytearray") + b"J\xff\xff\xff\x7f\x85R.",
    "size of floats": G % (b"torch", b"Size") + b"]G" + bytes(8) + b"a\x85R.",
    "path of numbers": G % (b"pathlib", b"Path") + b"K\x01\x85R.",
    "layout": G % (b"torch.serialization", b"_get_layout") + b"X\x01\x00\x00\x00a\x85R.",
    "codec": G % (b"_codecs", b"encode") + b"X\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.",
    "objects": DTYPE + b"X\x01\x00\x00\x00O\x85R.",
    "records": DTYPE + b"X\x05\x00\x00\x00i4,i4\x85R.",
    "array of arrays": DTYPE + b"X\x04\x00\x00\x009999\x85R.",
    "persistent id": b"K\x01Q.",
    "protocol": b"\x80\x09.",
    "extension": b"\x82\x01.",
    "instruction of protocol 0": b"I1\n.",
    "unknown instruction": b"\xff.",
    "nothing": b"",
    "no end": b"N",
    "empty stack": b".",
    "mark as a value": b"(.",
    "mark in a tuple": b"(\x85.",
    "no mark": b"K\x01t.",
    "nothing to duplicate": b"2.",
    "nothing to keep": b"q\x00.",
    "nothing kept": b"h\x00.",
    "name without an end": b"ctorch",
    "name that is no text": b"c\xff\n\xff\n.",
    "name that is no string": b"K\x01K\x02\x93.",
    "negative length": b"\x8b\xff\xff\xff\xff.",
    "text of 16 EiB": b"\x8d" + b"\xff" * 8,
    "bytes of 16 EiB": b"\x8e" + b"\xff" * 8,
    "bytearray of 16 EiB": b"\x96" + b"\xff" * 8,
    "text that is none": b"X\x01\x00\x00\x00\xff.",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(UnpicklingError):
        loads(REFUSED[name])


def test_a_large_index_costs_no_memory():
    assert loads(b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff.") is None


def test_keys_that_would_take_ages_to_hash():
    nested = b")" + b"\x85" * 100_000
    doubling = b"K\x01" + b"2\x86" * 60
    for key in (nested, doubling):
        with pytest.raises(UnpicklingError, match="a key"):
            loads(b"}" + key + b"Ns.")


def array_state(**changes):
    state = {"version": 1, "shape": (2,), "dtype": np.dtype("f4"), "order": False, "data": bytes(8)}
    return pickle.dumps(tuple((state | changes).values()), 2)[:-1]


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": (3,)},
        {"shape": (-2,)},
        {"shape": (2**40, 2**40)},
        {"shape": 2},
        {"data": bytes(7)},
        {"data": [1, 2]},
        {"data": "12345678"},
        {"dtype": None},
    ],
    ids=str,
)
def test_arrays_are_checked(changes):
    head = G % (b"numpy.core.multiarray", b"_reconstruct") + G % (b"numpy", b"ndarray") + b"NN\x87R"
    assert loads(head + array_state() + b"b.").tolist() == [0, 0]
    with pytest.raises(UnpicklingError):
        loads(head + array_state(**changes) + b"b.")


@pytest.mark.parametrize(
    "state",
    [
        (3, "<", ("a",), None, None, -1, -1, 0),
        (3, "<", None, ("a",), {"a": 1}, -1, -1, 0),
        (3, "x", None, None, None, -1, -1, 0),
        (3,),
        None,
    ],
    ids=str,
)
def test_dtypes_are_checked(state):
    head = DTYPE + b"X\x02\x00\x00\x00f8\x89\x88\x87R"
    assert (
        loads(head + pickle.dumps((3, ">", None, None, None, -1, -1, 0), 2)[:-1] + b"b.") == ">f8"
    )
    with pytest.raises(UnpicklingError):
        loads(head + pickle.dumps(state, 2)[:-1] + b"b.")
    assert np.dtype("f8") == np.float64


def test_every_truncation_is_noticed():
    data = pickle.dumps(VALUES, 4)
    for length in range(0, len(data) - 1, 97):
        with pytest.raises(UnpicklingError):
            loads(data[:length])


def test_allowed_classes_are_built():
    value = io.StringIO("text")
    data = pickle.dumps(value, 2)
    with pytest.raises(UnpicklingError):
        loads(data)
    with safe_globals([io.StringIO]):
        assert loads(data).getvalue() == "text"
    with pytest.raises(UnpicklingError):
        loads(data)


def test_numbers_of_each_size():
    assert loads(b"M" + struct.pack("<H", 513) + b".") == 513
    assert loads(b"J" + struct.pack("<i", -5) + b".") == -5
    assert loads(b"\x8a\x00.") == 0
