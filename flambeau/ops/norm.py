"""Norms of vectors and matrices, and distances."""

import math

from .. import dtypes
from . import elementwise as ew
from . import movement as mv
from .api import cast_to, function
from .core import broadcast_shapes, composite
from .reduce import amax_op, amin_op, normalize_dim, normalize_dims, sum_op

__all__ = ["norm", "vector_norm"]


def _widened(x):
    """16-bit floats as float32, as the rounding errors of a long sum add up."""
    floating = x._meta.dtype.is_floating_point and x._meta.dtype.itemsize == 2
    return cast_to(x, dtypes.float32) if floating else x


def _kept(x, dims, op, keepdim):
    return op(x, dims=dims, keepdim=keepdim)


@composite(name="linalg_vector_norm")
def _vector_norm(x, *, p, dims, keepdim):
    kind = x._meta.dtype.to_real()
    size = ew.abs(_widened(x))
    if p == math.inf:
        result = amax_op(size, dims=dims, keepdim=keepdim)
    elif p == -math.inf:
        result = amin_op(size, dims=dims, keepdim=keepdim)
    elif p == 0:
        result = _total(cast_to(ew.ne(size, 0), size._meta.dtype), dims, keepdim)
    elif p == 1:
        result = _total(size, dims, keepdim)
    elif p == 2:
        result = ew.sqrt(_total(size * size, dims, keepdim))
    else:
        result = ew.pow(_total(ew.pow(size, p), dims, keepdim), 1 / p)
    return cast_to(result, kind)


def _total(x, dims, keepdim):
    return sum_op(x, dims=dims, keepdim=keepdim, dtype=None)


@_vector_norm.vjp
def _(g, out, x, *, p, dims, keepdim):
    if not keepdim and x.ndim:
        shape = [1 if d in dims else n for d, n in enumerate(x.shape)]
        g, out = g.reshape(shape), out.reshape(shape)
    if p == 0:
        return x * 0
    if p == 1:
        return ew.sgn(x) * g
    if p == 2:
        return x * ew.where(ew.eq(out, 0), 0, g / out)
    if p in (math.inf, -math.inf):
        best = ew.logical_or(ew.eq(ew.abs(x), out), ew.isnan(out))
        hits = cast_to(best, out._meta.dtype)
        return ew.sgn(x) * (hits * (g / sum_op(hits, dims=dims, keepdim=True, dtype=None)))
    return _power_vjp(g, out, x, p)


def _power_vjp(g, out, x, p):
    """x |x|^(p - 2) g / out^(p - 1), and 0 where that is not defined."""
    size = ew.abs(x)
    zero = ew.eq(size, 0)
    if p < 2:
        safe = ew.where(zero, 1.0, size)
        slope = ew.sgn(x) * ew.where(zero, 0.0, ew.pow(safe, p - 1))
    else:
        slope = x * ew.pow(size, p - 2)
    return slope * ew.where(ew.eq(out, 0), 0.0, g / ew.pow(out, p - 1))


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """(sum |x|^ord)^(1 / ord) over `dim`; the largest |x| for inf, the count of nonzero ones for 0.

    Args: dtype: what to cast to first, which must not lose anything.
    Raises: RuntimeError for integers, or for a norm that an empty dim does not have.
    """
    kind = x._meta.dtype
    if kind.category < dtypes.FLOAT and dtype is None:
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{kind.name}"
        )
    if dtype is not None:
        _check_dtype(kind, dtype)
        x = cast_to(x, dtype)
    dims = normalize_dims(dim, x.ndim)
    if (ord < 0 or ord == math.inf) and 0 in [x.shape[d] for d in dims]:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the "
            "operation does not have an identity"
        )
    return _vector_norm(x, p=float(ord), dims=dims, keepdim=bool(keepdim))


def _check_dtype(kind, dtype):
    if dtype.category < dtypes.FLOAT or dtype.category < kind.category:
        raise RuntimeError(
            f"linalg.vector_norm: dtype should be floating point or complex and hold {kind.name}, "
            f"but got {dtype.name}"
        )


@function(out=True)
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm over `dim`, or of all elements; "fro" is 2. See `linalg.norm`.

    >>> import flambeau as torch
    >>> torch.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    kind = dtype or input._meta.dtype
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(
            f"norm: input must be either a floating point or complex, but got {kind.name}"
        )
    if p is None:
        p = 2
    if isinstance(p, str):
        if p == "nuc":
            raise_for_dims(dim, input)
            from .linalg import nuclear_norm  # noqa: PLC0415

            return nuclear_norm(input, dim, keepdim)
        if p != "fro":
            raise RuntimeError(f"only valid string values are 'fro' and 'nuc', found: {p}")
        p = 2
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


def raise_for_dims(dim, input):
    """Check"""
