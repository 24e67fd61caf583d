"""What functions of matrices ask of their arguments, and the identity matrix."""

import functools

import numpy as np

from .. import dtypes
from ..errors import LinAlgError
from ..recorder.handle import Tensor
from .api import FUNCTIONS, into_out

__all__ = [
    "batch_shape",
    "finite_or_raise",
    "identity_like",
    "require_floating",
    "require_matrix",
    "require_square",
    "takes_same_out",
    "title",
]

_TITLES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "float32": "Float",
    "float64": "Double",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}


def title(dtype):
    """What PyTorch's messages call a dtype."""
    return _TITLES.get(dtype.name, dtype.name)


def require_matrix(name, x, called="A"):
    """Raise TypeError unless `x` is a tensor, and RuntimeError if it has less than two dims."""
    if not isinstance(x, Tensor):
        raise TypeError(
            f"{name}(): argument '{called}' (position 1) must be Tensor, not {type(x).__name__}"
        )
    if x.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {called} must have at least 2 dimensions.")


def require_square(name, x, called="A"):
    """Raise RuntimeError unless `x` is [..., n, n]."""
    require_matrix(name, x, called)
    rows, columns = x._meta.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{name}: {called} must be batches of square matrices, but they are {rows} by "
            f"{columns} matrices"
        )


def require_floating(name, x, low=False):
    """Raise RuntimeError for whole numbers and, unless `low`, floats of 16 bits."""
    kind = x._meta.dtype
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {title(kind)}"
        )
    if not low and kind.to_real().itemsize < 4:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {title(kind)}")


def batch_shape(*shapes):
    """What the dims before the matrices broadcast to."""
    return np.broadcast_shapes(*(s[:-2] for s in shapes))


def finite_or_raise(a):
    """The array itself. Raises LinAlgError if it has elements that are not finite."""
    if not np.isfinite(a).all():
        raise LinAlgError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained "
            "non-finite values."
        )
    return a


def identity_like(x):
    """The identity matrix of the size and dtype of [..., n, n]."""
    return FUNCTIONS["eye"](x._meta.shape[-1], dtype=x._meta.dtype)


def takes_same_out(f):
    """`f` with the argument `out`, which must have the dtype of the result."""

    @functools.wraps(f)
    def wrapper(*args, out=None, **kwargs):
        result = f(*args, **kwargs)
        if out is None:
            return result
        pairs = zip(result, out, strict=True) if isinstance(result, tuple) else [(result, out)]
        for r, o in pairs:
            if r._meta.dtype is not o._meta.dtype:
                raise RuntimeError(
                    f"{f.__name__}(): Expected out tensor to have dtype {r._meta.dtype.name}, but "
                    f"got {o._meta.dtype.name} instead"
                )
        return into_out(result, out)

    return wrapper
