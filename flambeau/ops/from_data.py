"""Tensors from numbers, nested lists, arrays and buffers."""

import numpy as np

from .. import dtypes
from ..backends.memory import Buffer
from ..recorder.entering import new_leaf, share
from ..recorder.handle import Tensor, intern, require_device
from .api import FUNCTIONS, cast_to, function

__all__ = [
    "array_of",
    "as_tensor",
    "finish",
    "from_array",
    "from_numpy",
    "frombuffer",
    "make_tensor",
]


def finish(x, requires_grad):
    """The tensor as a leaf that requires a gradient, if asked for."""
    return x.requires_grad_() if requires_grad else x


def from_array(array, dtype=None):
    """A tensor over a contiguous array that nobody else writes to."""
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    dtype = dtype or dtypes.FROM_NUMPY[array.dtype]
    buffer = Buffer.allocate(array.nbytes)
    buffer.numpy(array.dtype, array.size)[...] = array.reshape(-1)
    return new_leaf(intern(array.shape, dtype), buffer)


_NATIVE = {np.dtype(x) for x in ("u2", "u4", "u8")}


def array_of(data, dtype):
    """Nested data as (array of the storage dtype, dtype), as `flambeau.tensor` infers it."""
    if isinstance(data, (np.ndarray, np.generic)):
        found = dtypes.FROM_NUMPY.get(data.dtype.newbyteorder("="))
        if found is None:
            raise TypeError(
                f"can't convert np.ndarray of type {data.dtype}. The only supported types are: "
                "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, "
                "uint8, and bool."
            )
        kind = dtype or found
        if kind is found:
            return np.asarray(data, found.numpy), kind
        from ..backends.numpy.interpret import cast_array

        return dtypes.encode(cast_array(np.asarray(data), found, kind), kind), kind
    plain = _plain_numbers(data, dtype)
    if plain is not None:
        return plain
    data = _plain(data)
    _check_nested(data)
    array = np.asarray(data)
    if array.dtype == object:
        raise _cannot_convert(data)
    inferred = _infer(array, data)
    kind = dtype or inferred
    if kind.category == dtypes.INT and array.dtype.kind in "iu" and array.size:
        info = np.iinfo(kind.numpy)
        if array.max() > info.max or array.min() < info.min:
            raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")
    from ..backends.numpy.interpret import cast_array

    source = dtypes.FROM_NUMPY.get(array.dtype, dtypes.int64)
    return dtypes.encode(cast_array(array, source, kind), kind), kind


def _plain_numbers(data, dtype):
    """As `array_of`, for a number or a list of numbers of one kind; None for other data."""
    kinds = set(map(type, data)) if type(data) is list else {type(data)}
    if kinds == {int}:
        kind = dtypes.int64
    elif kinds == {float}:
        kind = dtypes.get_default_dtype()
    else:
        return None
    if dtype not in (None, kind) or kind.coded:
        return None
    try:
        with np.errstate(over="ignore"):
            return np.array(data, kind.numpy), kind
    except OverflowError:
        return None


def _infer(array, data):
    if array.size == 0:
        return dtypes.get_default_dtype()
    if array.dtype.kind == "f" and not _has_numpy(data):
        return dtypes.get_default_dtype()
    if array.dtype.kind == "c" and not _has_numpy(data):
        return dtypes.get_default_dtype().to_complex()
    return dtypes.FROM_NUMPY.get(array.dtype, dtypes.int64)


def _has_numpy(data):
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic))


def _plain(data):
    """Nested sequences with tensors in them as arrays."""
    if isinstance(data, Tensor):
        return data.detach().numpy() if data.ndim else data.item()
    if isinstance(data, (list, tuple)):
        if any(isinstance(x, (Tensor, list, tuple)) for x in data):
            return [_plain(x) for x in data]
        return data
    if hasattr(data, "__array__") and not isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    if isinstance(data, range):
        return list(data)
    if (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not isinstance(data, (np.ndarray, str, bytes, dict))
    ):
        return [data[i] for i in range(len(data))]
    return data


def _check_nested(data, path=0):
    """Raise ValueError where sequences of one level differ in length, TypeError for other data."""
    if isinstance(data, (str, bytes, dict, set)) or data is None:
        raise _cannot_convert(data)
    if not isinstance(data, (list, tuple)) or not data:
        return
    nested = isinstance(data[0], (list, tuple))
    if nested:
        length = len(data[0])
        for x in data:
            if not isinstance(x, (list, tuple)):
                raise TypeError(f"must be real number, not {type(x).__name__}")
            if len(x) != length:
                raise ValueError(
                    f"expected sequence of length {length} at dim {path + 1} (got {len(x)})"
                )
            _check_nested(x, path + 1)
    else:
        for x in data:
            if isinstance(x, (str, bytes, dict, set)) or x is None:
                raise _cannot_convert(x)
            if isinstance(x, (list, tuple)):
                raise TypeError(f"not a sequence at dim {path}")


def _cannot_convert(data):
    if isinstance(data, str):
        return TypeError(f"new(): invalid data type '{type(data).__name__}'")
    kind = type(data).__name__
    return RuntimeError(f"Could not infer dtype of {kind}")


def make_tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new tensor with the values of numbers, nested sequences, arrays or tensors: a copy.

    Raises: ValueError for ragged sequences; RuntimeError for data that are not numbers.

    >>> import flambeau as torch
    >>> torch.tensor([[1, 2], [3, 4]]).dtype
    torch.int64
    """
    require_device(device)
    if isinstance(data, Tensor):
        made = data.detach().clone()
        made = cast_to(made, dtype) if dtype else made
    else:
        array, kind = array_of(data, dtype)
        made = from_array(array, kind)
    if requires_grad:
        if made._meta.dtype.category < dtypes.FLOAT:
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        made.requires_grad_()
    return made


make_tensor.__name__ = "tensor"


FUNCTIONS["tensor"] = make_tensor


@function(methods=False, out=False)
def from_numpy(array):
    """A tensor that shares the memory of a NumPy array, both ways."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtype = dtypes.FROM_NUMPY.get(array.dtype)
    if dtype is None:
        raise TypeError(
            f"can't convert np.ndarray of type {array.dtype}. The only supported types are: "
            "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, "
            "and bool."
        )
    if any(s < 0 for s in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().)"
        )
    strides = tuple(s // array.itemsize for s in array.strides)
    if any(s % array.itemsize for s in array.strides):
        raise ValueError("given numpy array strides not a multiple of the element byte size.")
    if not array.size:
        return new_leaf(intern(array.shape, dtype), Buffer.allocate(0))
    meta = intern(array.shape, dtype, strides)
    flat = np.lib.stride_tricks.as_strided(array, (meta.span,), (array.itemsize,))
    out = new_leaf(meta, Buffer(flat.view(np.uint8), _address(array), flat.nbytes, array))
    if not meta.is_dense:
        out._meta = intern((meta.span,), dtype)
        storage = share(out)
        out._meta = meta
        out._storage = storage
    return out


def _address(array):
    return array.__array_interface__["data"][0]


@function(methods=False, out=False, aliases=("asarray",))
def as_tensor(data, dtype=None, device=None):
    """A tensor of the data, which shares memory with it where that can be."""
    require_device(device)
    if isinstance(data, Tensor):
        return cast_to(data, dtype) if dtype else data
    if hasattr(data, "__array__") and not isinstance(data, (np.ndarray, np.generic)):
        data = np.asarray(data)
    if isinstance(data, np.ndarray) and data.dtype in dtypes.FROM_NUMPY:
        if dtype in (None, dtypes.FROM_NUMPY[data.dtype]) and all(s >= 0 for s in data.strides):
            return from_numpy(data)
    return make_tensor(data, dtype=dtype)


@function(methods=False, out=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over the memory of an object with the buffer protocol."""
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    if array.flags.writeable and array.size:
        memory = Buffer(array.view(np.uint8), _address(array), array.nbytes, array)
        return finish(new_leaf(intern(array.shape, dtype), memory), requires_grad)
    return finish(from_array(array, dtype), requires_grad)
