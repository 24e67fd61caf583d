"""In which dtype composites compute, and which they refuse."""

from .. import dtypes
from .api import cast_to

__all__ = ["narrow", "require_floating", "widen"]


def widen(x):
    """`x` to compute with: 16-bit floats as float32, as their rounding errors would add up."""
    kind = x._meta.dtype
    return cast_to(x, dtypes.float32) if kind.is_floating_point and kind.itemsize == 2 else x


def narrow(x, like):
    """A result computed in a wider dtype, in the dtype of the operand `like`."""
    return cast_to(x, like._meta.dtype)


def require_floating(name, x):
    """Raise NotImplementedError, PyTorch's class for it, unless `x` has a floating-point dtype."""
    kind = x._meta.dtype
    if kind.category < dtypes.FLOAT:
        raise NotImplementedError(
            f'"{name}" not implemented for {kind}: the input of shape {list(x._meta.shape)} must '
            "be floating point, as x.float() would be"
        )
