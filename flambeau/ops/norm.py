"""Norms of vectors and matrices, and distances."""

import math

from .. import dtypes
from . import copies
from . import elementwise as ew
from . import movement as mv
from .api import cast_to, function
from .core import broadcast_shapes, composite
from .reduce import amax_op, amin_op, normalize_dim, normalize_dims, sum_op

__all__ = ["cosine_similarity", "cross_along", "vector_norm"]


def _widened(x):
    """16-bit floats as float32, as the rounding errors of a long sum add up."""
    floating = x._meta.dtype.is_floating_point and x._meta.dtype.itemsize == 2
    return cast_to(x, dtypes.float32) if floating else x


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


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
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


@function(methods=False)
def frobenius_norm(input, dim=None, keepdim=False):
    """The root of the sum of |input|**2 over `dim`."""
    return vector_norm(input, 2, dim, keepdim)


@function
def dist(input, other, p=2):
    """The p-norm of all elements of input - other."""
    return vector_norm(input - other, p)


@composite(name="renorm")
def _renorm(x, *, p, dim, maxnorm):
    dims = tuple(d for d in range(x.ndim) if d != dim)
    size = _vector_norm(x, p=p, dims=dims, keepdim=True)
    return x * ew.where(ew.gt(size, maxnorm), maxnorm / (size + 1e-7), 1.0)


@function(inplace_too=True)
def renorm(input, p, dim, maxnorm):
    """`input` with those slices of `dim` scaled down whose p-norm is above `maxnorm`."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive norm not supported")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim}")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = normalize_dim(dim, input.ndim)
    return _renorm(input, p=float(p), dim=dim, maxnorm=float(maxnorm))


@composite(name="cdist")
def _cdist(a, b, *, p):
    gap = mv.unsqueeze(a, -2) - mv.unsqueeze(b, -3)
    return _vector_norm(gap, p=p, dims=(gap.ndim - 1,), keepdim=False)


@function(methods=False, out=False)
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distances, [..., n, m], of the rows of x1 [..., n, d] and x2 [..., m, d]."""
    for k, x in enumerate((x1, x2), 1):
        if x._meta.dtype.category != dtypes.FLOAT:
            raise RuntimeError(f"cdist only supports floating-point dtypes, X{k} got: {x.dtype}")
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, X{k} got: {x.ndim}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if compute_mode not in _COMPUTE_MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    broadcast_shapes("cdist", [x1.shape[:-2], x2.shape[:-2]])
    return _cdist(x1, x2, p=float(p))


_COMPUTE_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)


@composite(name="cosine_similarity")
def _cosine_similarity(a, b, eps, *, dim):
    size_a = _vector_norm(a, p=2.0, dims=(dim,), keepdim=True)
    size_b = _vector_norm(b, p=2.0, dims=(dim,), keepdim=True)
    unit_a, unit_b = a / ew.maximum(size_a, eps), b / ew.maximum(size_b, eps)
    return _total(unit_a * unit_b, (dim,), False)


@function(methods=False, out=False)
def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (max(||x1||, eps) * max(||x2||, eps)) along a dim.

    The inputs broadcast. Raises RuntimeError if they do not, or are integers.
    """
    kind = dtypes.promote_types(x1._meta.dtype, x2._meta.dtype)
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {kind}"
        )
    shape = broadcast_shapes("cosine_similarity", [x1.shape, x2.shape])
    x1, x2 = (cast_to(x, kind).expand(shape) for x in (x1, x2))
    if not shape:
        return _cosine_similarity(x1.reshape(1), x2.reshape(1), eps, dim=normalize_dim(dim, 0))
    return _cosine_similarity(x1, x2, eps, dim=normalize_dim(dim, len(shape)))


@composite(name="linalg_cross")
def _cross(a, b, *, dim):
    def turned(x, k):
        return copies.roll(x, k, dim)

    return turned(a, -1) * turned(b, 1) - turned(a, 1) * turned(b, -1)


def cross_along(input, other, dim):
    """The cross product of the vectors, of size 3, along a dim. They have as many dims."""
    if input.ndim != other.ndim:
        raise RuntimeError(
            "linalg.cross: inputs must have the same number of dimensions, but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    shape = broadcast_shapes("linalg.cross", [input.shape, other.shape])
    dim = normalize_dim(dim, len(shape))
    if input.shape[dim - len(shape)] != 3 or other.shape[dim - len(shape)] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got "
            f"{input.shape[dim - len(shape)]} and {other.shape[dim - len(shape)]}"
        )
    return _cross(input.expand(shape), other.expand(shape), dim=dim)


@function
def cross(input, other, dim=None):
    """The cross product of vectors along `dim`, by default the first dim of size 3."""
    if dim is None:
        shape = broadcast_shapes("cross", [input.shape, other.shape])
        dim = next((d for d, n in enumerate(shape) if n == 3), None)
        if dim is None:
            raise RuntimeError("no dimension of size 3 in input")
    return cross_along(input, other, dim)
