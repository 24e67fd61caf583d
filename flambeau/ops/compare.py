"""Comparisons of whole tensors, and questions about each element."""

import math

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from .api import cast_to, function
from .reduce import all as reduce_all

__all__ = ["allclose", "equal", "isclose"]


@function(out=False)
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where |input - other| <= atol + rtol * |other|. Equal infinities are close.

    Raises: RuntimeError for tensors of two dtypes, or negative tolerances.
    """
    kind = input._meta.dtype
    if kind is not other._meta.dtype:
        raise RuntimeError(f"{kind} did not match {other._meta.dtype}")
    if rtol < 0 or atol < 0:
        name, value = ("rtol", rtol) if rtol < 0 else ("atol", atol)
        raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value}")
    close = ew.eq(input, other)
    floating = kind.category >= dtypes.FLOAT
    if equal_nan and floating:
        close = ew.logical_or(close, ew.logical_and(ew.isnan(input), ew.isnan(other)))
    if rtol == 0 and atol == 0:
        return close
    if not floating:
        input, other = (cast_to(x, dtypes.float64) for x in (input, other))
    gap = ew.abs(input - other)
    allowed = ew.abs(other) * float(rtol) + float(atol)
    return ew.logical_or(close, ew.logical_and(ew.isfinite(gap), ew.le(gap, allowed)))


@function(out=False)
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close, as a bool; see `isclose`."""
    return bool(reduce_all(isclose(input, other, rtol, atol, equal_nan)).item())


@function(out=False)
def equal(input, other):
    """Whether two tensors have the same shape and elements, as a bool. NaN equals nothing.

    Raises: RuntimeError for tensors of two dtypes.
    """
    if not isinstance(other, Tensor):
        raise TypeError(
            f"equal(): argument 'other' (position 2) must be Tensor, not {type(other).__name__}"
        )
    if input._meta.dtype is not other._meta.dtype:
        raise RuntimeError(
            f"Expected all tensors to have the same dtype, but got {input._meta.dtype} and "
            f"{other._meta.dtype}"
        )
    if input._meta.shape != other._meta.shape:
        return False
    return bool(reduce_all(ew.eq(input, other)).item())


@function(out=False)
def isreal(input):
    """Where the imaginary part is 0."""
    if input._meta.dtype.is_complex:
        return ew.eq(input.imag, 0)
    return input.new_ones(input._meta.shape, dtype=dtypes.bool_)


@function
def isposinf(input):
    """Where it is positive infinity."""
    return _infinite("isposinf", input, math.inf)


@function
def isneginf(input):
    """Where it is negative infinity."""
    return _infinite("isneginf", input, -math.inf)


def _infinite(name, input, value):
    if input._meta.dtype.is_complex:
        raise RuntimeError(f"{name} does not support complex inputs.")
    if input._meta.dtype.category < dtypes.FLOAT:
        return input.new_zeros(input._meta.shape, dtype=dtypes.bool_)
    return ew.eq(input, value)
