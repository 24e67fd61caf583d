"""Element types and how they promote.

A `dtype` names what an element is; `dtype.numpy` is the NumPy type that stores it. NumPy has
neither bfloat16 nor complex32 nor floats of 8 bits, so their bits are stored in a `uint16`, a
`uint32` and a `uint8`; `decode` and `encode` go to the types they are computed in, float32 and
complex64, and back.
"""

import numpy as np

from .minifloats import FORMATS

__all__ = [
    "bfloat16",
    "bool_",
    "complex32",
    "complex64",
    "complex128",
    "dtype",
    "finfo",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "promote_types",
    "set_default_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

BOOL, INT, FLOAT, COMPLEX = range(4)


class dtype:
    """The type of a tensor's elements, such as `flambeau.float32`.

    Attributes: `name`, `itemsize` in bytes, `is_floating_point`, `is_complex`, `is_signed`,
    `category` (bool < int < float < complex), `numpy`, the NumPy dtype of the storage, and
    `compute`, the one that NumPy computes with, which is another if the storage is `coded`;
    `limited`, whether there is hardly any arithmetic: elements are stored, moved and cast.
    """

    __slots__ = (
        "category",
        "coded",
        "compute",
        "is_complex",
        "is_floating_point",
        "is_signed",
        "itemsize",
        "limited",
        "name",
        "numpy",
    )

    def __init__(self, name, storage, category, compute=None):
        self.name = name
        self.numpy = np.dtype(storage)
        self.compute, self.coded = np.dtype(compute or storage), compute is not None
        self.itemsize = self.numpy.itemsize
        self.category = category
        self.is_floating_point = category == FLOAT
        self.is_complex = category == COMPLEX
        self.is_signed = not name.startswith(("bool", "uint")) and name != "float8_e8m0fnu"
        self.limited = name.startswith(("float8", "uint")) and name != "uint8"

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return _by_name, (self.name,)

    def to_complex(self):
        """The complex dtype whose parts have this dtype; a complex one itself."""
        if self.is_complex:
            return self
        if self.limited and self.is_floating_point:
            raise RuntimeError(f"there is no complex dtype with parts of {self.name}")
        return {float16: complex32, float64: complex128}.get(self, complex64)

    def to_real(self):
        """The dtype of the parts of a complex dtype; any other dtype itself."""
        return {complex32: float16, complex64: float32, complex128: float64}.get(self, self)


bool_ = dtype("bool", np.bool_, BOOL)
uint8 = dtype("uint8", np.uint8, INT)
uint16 = dtype("uint16", np.uint16, INT)
uint32 = dtype("uint32", np.uint32, INT)
uint64 = dtype("uint64", np.uint64, INT)
int8 = dtype("int8", np.int8, INT)
int16 = dtype("int16", np.int16, INT)
int32 = dtype("int32", np.int32, INT)
int64 = dtype("int64", np.int64, INT)
float8_e4m3fn = dtype("float8_e4m3fn", np.uint8, FLOAT, np.float32)
float8_e5m2 = dtype("float8_e5m2", np.uint8, FLOAT, np.float32)
float8_e4m3fnuz = dtype("float8_e4m3fnuz", np.uint8, FLOAT, np.float32)
float8_e5m2fnuz = dtype("float8_e5m2fnuz", np.uint8, FLOAT, np.float32)
float8_e8m0fnu = dtype("float8_e8m0fnu", np.uint8, FLOAT, np.float32)
float16 = dtype("float16", np.float16, FLOAT)
bfloat16 = dtype("bfloat16", np.uint16, FLOAT, np.float32)
float32 = dtype("float32", np.float32, FLOAT)
float64 = dtype("float64", np.float64, FLOAT)
complex32 = dtype("complex32", np.uint32, COMPLEX, np.complex64)
complex64 = dtype("complex64", np.complex64, COMPLEX)
complex128 = dtype("complex128", np.complex128, COMPLEX)

ALL = (
    *(bool_, uint8, int8, int16, int32, int64, uint16, uint32, uint64),
    *(float8_e4m3fn, float8_e5m2, float8_e4m3fnuz, float8_e5m2fnuz, float8_e8m0fnu),
    *(float16, bfloat16, float32, float64, complex32, complex64, complex128),
)
BY_NAME = {d.name: d for d in ALL}
FROM_NUMPY = {d.numpy: d for d in ALL if not d.coded}


def _by_name(name):
    return BY_NAME[name]


def decode(array, kind):
    """An array to compute with: what is coded as its numbers, any other array as it is."""
    if not kind.coded:
        return array
    if kind is complex32:
        halves = np.ascontiguousarray(array).view(np.float16).astype(np.float32)
        return halves.view(np.complex64).reshape(np.shape(array))
    if kind.name in FORMATS:
        return FORMATS[kind.name].decode(array)
    return (array.astype(np.uint32) << np.uint32(16)).view(np.float32)


def encode(array, kind):
    """The storage of an array of numbers as `kind`, rounded to nearest even."""
    if not kind.coded:
        return array.astype(kind.numpy, copy=False)
    if kind is complex32:
        numbers = np.ascontiguousarray(array, np.complex64)
        return numbers.view(np.float32).astype(np.float16).view(np.uint32).reshape(np.shape(array))
    if kind.name in FORMATS:
        return FORMATS[kind.name].encode(np.asarray(array, np.float32))
    values = np.ascontiguousarray(array, np.float32).reshape(np.shape(array))
    bits = values.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(np.isnan(values), np.uint32(0x7FC0), rounded).astype(np.uint16)


_INTS = {(True, 1): int8, (True, 2): int16, (True, 4): int32, (True, 8): int64}
_default = float32


def promote_types(a, b):
    """The smallest dtype that holds both, as PyTorch defines it.

    >>> import flambeau
    >>> flambeau.promote_types(flambeau.uint8, flambeau.int8)
    torch.int16
    """
    if a is b:
        return a
    low, high = (a, b) if a.category <= b.category else (b, a)
    if a.limited or b.limited:
        _check_promotion(a, b, low, high)
    if low.category == high.category:
        if low.category == INT and low.is_signed != high.is_signed:
            signed = low if low.is_signed else high
            return int16 if signed is int8 else signed
        if {low, high} == {float16, bfloat16}:
            return float32
        return low if low.itemsize > high.itemsize else high
    if high.category == COMPLEX and low.category == FLOAT:
        own = low.to_complex()
        return own if own.itemsize > high.itemsize else high
    return high


def _check_promotion(a, b, low, high):
    """Raise RuntimeError unless one is unsigned and the other a float of 16 bits or more."""
    floats = any(x.limited and x.is_floating_point for x in (a, b))
    if floats or high.category == INT:
        which = "Float8 Types" if floats else "uint16, uint32, uint64 types"
        raise RuntimeError(
            f"Promotion for {which} is not supported, attempted to promote {a.name} and {b.name}"
        )


def of_scalar(kind):
    """The dtype of a 0-dim tensor made from a Python scalar of type `kind`."""
    if kind is bool:
        return bool_
    if kind is int:
        return int64
    return _default.to_complex() if kind is complex else _default


def get_default_dtype():
    """The floating-point dtype of new tensors where none is asked for."""
    return _default


def set_default_dtype(d):
    """Make `d`, a floating-point dtype, that of new tensors. Raises TypeError for any other."""
    global _default
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(
            "only floating-point types are supported as the default type, got "
            f"{d if isinstance(d, dtype) else type(d).__name__}"
        )
    _default = d


class finfo:
    """The limits of a floating-point dtype: `bits eps max min tiny smallest_normal resolution`."""

    def __init__(self, type=None):
        type = _default if type is None else type
        if type.category < FLOAT:
            raise TypeError(f"flambeau.finfo() requires a floating point input type, got {type}")
        type = type.to_real()
        self.dtype = type.name
        self.bits = type.itemsize * 8
        if type.limited:
            self._set(FORMATS[type.name])
        elif type is bfloat16:
            self.eps, self.tiny, self.resolution = 2.0**-7, 2.0**-126, 0.01
            self.max = (2.0 - 2.0**-7) * 2.0**127
        else:
            info = np.finfo(type.numpy)
            self.eps, self.tiny = float(info.eps), float(info.smallest_normal)
            self.max, self.resolution = float(info.max), float(info.resolution)
        self.min = -self.max if type.is_signed else self.tiny
        self.smallest_normal = self.tiny

    def _set(self, form):
        """The limits of a format of 8 bits."""
        self.eps, self.tiny, self.max = form.eps, form.smallest_normal, form.max
        self.resolution = 1.0

    def __repr__(self):
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype: `bits min max`."""

    def __init__(self, type):
        if type.category != INT:
            raise TypeError(f"flambeau.iinfo() requires an integer input type, got {type}")
        info = np.iinfo(type.numpy)
        self.dtype, self.bits = type.name, info.bits
        self.min, self.max = int(info.min), int(info.max)

    def __repr__(self):
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
