"""The classes and functions that a file may name by default, and what each may be asked to build.

Nothing else is ever called. Whatever arguments they get, these functions only make plain data.
"""

import collections
import datetime
import pathlib
import re
from pickle import UnpicklingError

import numpy as np

import flambeau

from .. import dtypes, formats
from ..recorder.handle import Size, Tensor, device
from .names import STORAGE_TYPES, UNTYPED
from .safe import is_safe
from .storages import REBUILD

__all__ = ["DATA", "build", "call", "check_key", "find"]

MAX_KEY_PARTS = 1000
_KEYS = (
    *(type(None), bool, int, float, complex, str, bytes, np.generic, pathlib.PurePath, range),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo),
    *(device, dtypes.dtype, Tensor),
)
_BUILTIN = ("__builtin__", "builtins")
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_PATHLIB = ("pathlib", "pathlib._local")
_NUMPY_NAME = re.compile(r"[<>=|]?([?bhilqpBHILQPefdgFDG]|[iufc]\d{1,2}|b1|[SU]\d{1,9})")


def check_key(key):
    """Raise UnpicklingError unless `key` is plain and small enough to be hashed safely."""
    pending, parts = [key], 0
    while pending:
        item = pending.pop()
        parts += 1
        if type(item) in (tuple, frozenset, Size) and parts < MAX_KEY_PARTS:
            pending.extend(item)
        elif not isinstance(item, _KEYS) and not is_safe(type(item)):
            raise UnpicklingError(f"a key or an element of a set is a {type(item).__name__}")
    return key


def _set(items=()):
    # A range would have more items than the file has bytes.
    if not isinstance(items, (list, tuple, set, frozenset)):
        raise UnpicklingError(f"a set is made of a {type(items).__name__}")
    return {check_key(item) for item in items}


def _frozenset(items=()):
    return frozenset(_set(items))


def _ordered_dict(pairs=()):
    return collections.OrderedDict((check_key(key), value) for key, value in _pairs(pairs))


def _counter(pairs=()):
    return collections.Counter(dict(_pairs(pairs)))


def _pairs(pairs):
    return pairs.items() if isinstance(pairs, dict) else pairs


def _defaultdict(factory=None, pairs=()):
    if not any(factory is known for known in (None, *_FACTORIES)):
        raise UnpicklingError("a defaultdict has an unknown factory")
    return collections.defaultdict(factory, _ordered_dict(pairs))


def _encode(text, encoding="utf-8", errors="strict"):
    if encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise UnpicklingError(f"unknown encoding {encoding!r}")
    return text.encode(encoding)


def _bytes(data=b""):
    return bytes(_buffer(data))


def _bytearray(data=b"", encoding=None):
    return bytearray(_buffer(data) if encoding is None else _encode(data, encoding))


def _buffer(data):
    # A number would be a size, and so cost memory that the file does not have.
    if isinstance(data, list):
        return bytes(data)
    if not isinstance(data, (bytes, bytearray)):
        raise UnpicklingError(f"expected bytes, got {type(data).__name__}")
    return data


def _size(sizes=()):
    if not isinstance(sizes, (tuple, list)) or not all(type(n) is int for n in sizes):
        raise UnpicklingError("a Size holds ints only")
    return Size(sizes)


def _layout(name):
    found = formats.layout.known.get(str(name).removeprefix("torch."))
    if not isinstance(found, formats.layout):
        raise UnpicklingError(f"unknown layout {name!r}")
    return found


def _path(cls):
    def make(*parts):
        if not all(isinstance(part, str) for part in parts):
            raise UnpicklingError("a path is made of strings only")
        return cls(*parts)

    return make


def _numpy_dtype(name, align=False, copy=True):
    """A dtype of numbers or text, never one of objects, records or dates."""
    if not isinstance(name, str) or not _NUMPY_NAME.fullmatch(name):
        raise UnpicklingError(f"unknown NumPy dtype {name!r:.100}")
    return np.dtype(np.dtype(name), copy=True)


def _numpy_scalar(kind, data):
    return _numpy_array(data, kind, (), "C")[()]


def _numpy_reconstruct(cls, shape, kind):
    if cls is not np.ndarray:
        raise UnpicklingError("an array is not an ndarray")
    return np.empty(0, np.int8)


def _numpy_array(data, kind, shape, order):
    _check_array(kind, shape, data)
    return np.frombuffer(data, kind).reshape(shape, order=order).copy(order)


def _check_array(kind, shape, data):
    if not isinstance(kind, np.dtype) or not isinstance(data, (bytes, bytearray)):
        raise UnpicklingError("an array has no dtype or no data")
    count = 1
    for n in _size(shape):
        if n < 0:
            raise UnpicklingError("an array has a negative size")
        count *= n
    if count * kind.itemsize != len(data) or not kind.itemsize:
        raise UnpicklingError(f"an array of shape {shape} has {len(data)} bytes")


def _set_array_state(array, state):
    _, shape, kind, is_fortran, data = state
    _check_array(kind, shape, data)
    array.__setstate__((1, shape, kind, bool(is_fortran), bytes(data)))


def _set_dtype_state(kind, state):
    if state[1] not in ("<", ">", "=", "|") or any(part is not None for part in state[2:5]):
        raise UnpicklingError("unknown NumPy dtype")
    size, align = (kind.itemsize, kind.alignment) if kind.kind in "SU" else (-1, -1)
    kind.__setstate__((3, state[1], None, None, None, size, align, 0))


def _set_attributes(obj, state):
    """For a dict: what `OrderedDict` keeps beside its items, such as a state dict's `_metadata`."""
    for name in state:
        if not isinstance(name, str) or hasattr(type(obj), name):
            raise UnpicklingError(f"a {type(obj).__name__} can not be given {name!r}")
    vars(obj).update(state)


_FACTORIES = (
    *(bool, bytes, collections.Counter, collections.OrderedDict, complex, dict, float, int, list),
    *(set, str, tuple),
)

# What a file may name: (module, name) -> what it gets.
DATA = {
    ("_codecs", "encode"): _encode,
    ("collections", "Counter"): collections.Counter,
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "defaultdict"): collections.defaultdict,
    ("datetime", "date"): datetime.date,
    ("datetime", "datetime"): datetime.datetime,
    ("datetime", "time"): datetime.time,
    ("datetime", "timedelta"): datetime.timedelta,
    ("datetime", "timezone"): datetime.timezone,
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("torch", "Size"): Size,
    ("torch", "Tensor"): Tensor,
    ("torch", "device"): device,
    ("torch.serialization", "_get_layout"): _layout,
    **REBUILD,
    **{(home, cls.__name__): cls for home in _BUILTIN for cls in _FACTORIES},
    **{(home, cls.__name__): cls for home in _BUILTIN for cls in (bytearray, frozenset, slice)},
    **{("torch", name): kind for name, kind in dtypes.BY_NAME.items()},
    **{(kind.module, kind.name): kind for kind in (UNTYPED, *STORAGE_TYPES.values())},
    ("__builtin__", "long"): int,
    ("__builtin__", "unicode"): str,
    ("__builtin__", "xrange"): range,
    ("builtins", "range"): range,
}
for _name, _value in formats.memory_format.known.items():
    if isinstance(_value, formats.memory_format):
        DATA["torch", _name] = _value
for _home in _MULTIARRAY:
    DATA[_home, "scalar"] = _numpy_scalar
    DATA[_home, "_reconstruct"] = _numpy_reconstruct
for _home in _NUMERIC:
    DATA[_home, "_frombuffer"] = _numpy_array
_OF_THIS_SYSTEM = {"Path": pathlib.Path, "PosixPath": pathlib.Path, "WindowsPath": pathlib.Path}
_PURE = (pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath)
_PATHS = _OF_THIS_SYSTEM | {cls.__name__: cls for cls in _PURE}
for _home in _PATHLIB:
    DATA.update({(_home, name): cls for name, cls in _PATHS.items()})

# What a file may call, by the identity of what it got: how it is really made.
_CALLS = {
    bool: bool,
    bytearray: _bytearray,
    bytes: _bytes,
    collections.Counter: _counter,
    collections.OrderedDict: _ordered_dict,
    collections.defaultdict: _defaultdict,
    complex: complex,
    datetime.date: datetime.date,
    datetime.datetime: datetime.datetime,
    datetime.time: datetime.time,
    datetime.timedelta: datetime.timedelta,
    datetime.timezone: datetime.timezone,
    device: device,
    frozenset: _frozenset,
    np.dtype: _numpy_dtype,
    range: range,
    set: _set,
    Size: _size,
    slice: slice,
    **{cls: _path(cls) for cls in _PATHS.values()},
    **{
        function: function
        for function in (
            *(_encode, _layout, _numpy_array, _numpy_reconstruct, _numpy_scalar),
            *REBUILD.values(),
        )
    },
}
_CALLS = {id(name): function for name, function in _CALLS.items()}

_STATES = {
    collections.Counter: _set_attributes,
    collections.OrderedDict: _set_attributes,
    np.ndarray: _set_array_state,
    np.dtype: _set_dtype_state,
}


def find(module, name):
    """What a file gets that names this class, function or constant; None for an unknown one."""
    if (module, name) == ("torch.nn.parameter", "Parameter"):
        return flambeau.nn.Parameter
    return DATA.get((module, name))


def call(function, args):
    """What a file gets that calls `function`. Raises UnpicklingError unless it is one of ours."""
    made = _CALLS.get(id(function))
    if made is None:
        raise UnpicklingError(f"the file calls {function!r:.100}, which is not allowed")
    return made(*args)


def build(obj, state):
    """Give an object, in place, the state that the file has for it."""
    cls = np.dtype if isinstance(obj, np.dtype) else type(obj)
    if cls not in _STATES:
        raise UnpicklingError(f"the file sets the state of a {cls.__name__}")
    _STATES[cls](obj, state)
