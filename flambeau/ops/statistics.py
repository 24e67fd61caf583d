"""Covariance, numerical gradients, Vandermonde matrices, and other small mathematics."""

import collections

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor, intern
from . import copies
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, cast_to, function
from .core import Host
from .matmul import matmul
from .reduce import normalize_dim
from .reduce import sum as reduce_sum

__all__ = ["corrcoef", "cov", "frexp", "gradient", "vander"]


# Moments of several variables


@function
def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariance matrix of variables (rows) over observations (columns).

    Args: correction: what the number of observations is lessened by; fweights: how often each
        observation counts (ints); aweights: how much it weighs.
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    if input._meta.dtype is dtypes.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    rows = input.reshape(1, -1) if input.ndim < 2 else input
    if rows._meta.dtype.category < dtypes.FLOAT:
        rows = cast_to(rows, dtypes.get_default_dtype())
    weights = _weights(rows, fweights, aweights)
    if weights is None:
        total = count = rows.shape[1]
        average = rows.mean(1, keepdim=True) if total else rows.sum(1, keepdim=True)
    else:
        total = reduce_sum(weights)
        average = (rows * weights).sum(1, keepdim=True) / total
        count = total
    if weights is None or aweights is None:
        norm = count - correction
    else:
        norm = total - correction * reduce_sum(weights * aweights) / total
    center = rows - average
    scaled = center if weights is None else center * weights
    norm = FUNCTIONS["clamp"](norm, 0) if isinstance(norm, Tensor) else max(norm, 0)
    product = matmul(scaled, ew.conj(center).t())
    made = product / norm if isinstance(norm, Tensor) or norm else product / 0.0
    return made.reshape(()) if rows.shape[0] == 1 else made


def _weights(rows, fweights, aweights):
    for name, w, whole in (("fweights", fweights, True), ("aweights", aweights, False)):
        if w is None:
            continue
        kind = w._meta.dtype.category
        if w.ndim > 1 or (kind != dtypes.INT if whole else kind != dtypes.FLOAT):
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions and "
                f"{'integral' if whole else 'floating point'} dtype, but got {w.dtype} with "
                f"{w.ndim} dims"
            )
        if w.numel() and w.min().item() < 0:
            raise RuntimeError(f"cov(): {name} cannot be negative")
        if w.numel() != rows.shape[1]:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the "
                f"input but got {w.numel()} != {rows.shape[1]}"
            )
    if fweights is None or aweights is None:
        return fweights if aweights is None else aweights
    return fweights * aweights


@function
def corrcoef(input):
    """The matrix of correlation coefficients of variables (rows)."""
    if input.ndim > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{input.ndim} dimensions"
        )
    c = cov(input)
    if not c.ndim:
        return c / c
    deviation = ew.sqrt(mv.diagonal(c).real if c.is_complex() else mv.diagonal(c))
    c = c / deviation.unsqueeze(1) / deviation
    return c if c.is_complex() else c.clamp(-1, 1)


# Numerical gradients


@function(methods=False, out=False)
def gradient(input, *, spacing=1, dim=None, edge_order=1):
    """The derivative along each of `dim`, from differences of neighbours, as a tuple.

    Args: spacing: the distance of neighbours, one per dim or for all; or coordinates as tensors.
        edge_order: 1 or 2, the order of the differences at the ends.
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    dims = [normalize_dim(d, input.ndim) for d in dims]
    if len(set(dims)) != len(dims):
        raise RuntimeError("dim appears multiple times in the list of dims")
    spacings = _spacings(spacing, len(dims))
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )
    if input._meta.dtype.category < dtypes.FLOAT:
        input = cast_to(input, dtypes.get_default_dtype())
    return tuple(_gradient(input, h, d, edge_order) for d, h in zip(dims, spacings, strict=True))


def _spacings(spacing, count):
    if spacing is None:
        return [1] * count
    if isinstance(spacing, (int, float, complex)) or not isinstance(spacing, (list, tuple)):
        return [spacing] * count
    if len(spacing) != count:
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or a list of length "
            f"{count}, but got a list of length {len(spacing)}"
        )
    return list(spacing)


def _gradient(x, spacing, dim, edge_order):
    def part(start, stop):
        return mv.slice_dim(x, dim, start, stop)

    if isinstance(spacing, Tensor) and spacing.ndim:
        shape = [-1 if d == dim else 1 for d in range(x.ndim)]
        gap = (spacing[1:] - spacing[:-1]).reshape(shape)
    else:
        gap = spacing
    uneven = isinstance(gap, Tensor) and gap.ndim == x.ndim
    first = (lambda a, b: mv.slice_dim(gap, dim, a, b)) if uneven else (lambda a, b: gap)
    low, high = first(0, -1), first(1, None)
    left, middle, right = part(0, -2), part(1, -1), part(2, None)
    if uneven:
        inner = (
            left * (-high / (low * (low + high)))
            + middle * ((high - low) / (low * high))
            + right * (low / (high * (low + high)))
        )
    else:
        inner = (right - left) / (2 * gap)
    begin = _edge(x, dim, first, edge_order, 0)
    end = _edge(x, dim, first, edge_order, 1)
    return copies.cat([begin, inner, end], dim)


def _edge(x, dim, gap, edge_order, at_end):
    """The derivative at the first or, with the signs turned, the last place."""
    n = x.shape[dim]

    def at(k):
        place = n - 1 - k if at_end else k
        return mv.narrow(x, dim, place, 1)

    sign = -1 if at_end else 1
    h1 = gap(-1, None) if at_end else gap(0, 1)
    if edge_order == 1:
        return (at(1) - at(0)) / h1 * sign
    h2 = gap(-2, -1) if at_end else gap(1, 2)
    a = -(2 * h1 + h2) / (h1 * (h1 + h2))
    b = (h1 + h2) / (h1 * h2)
    c = -h1 / (h2 * (h1 + h2))
    return (at(0) * a + at(1) * b + at(2) * c) * sign


# Small mathematics


@function(methods=False)
def vander(x, N=None, increasing=False):
    """The matrix of the powers of a vector's elements, N columns, the highest power first."""
    if x.ndim != 1:
        raise RuntimeError(f"x must be a one-dimensional tensor, but got {x.ndim} dims")
    n = x.shape[0] if N is None else N
    if n < 0:
        raise RuntimeError(f"N must be non-negative, but got {n}")
    kind = dtypes.int64 if x._meta.dtype.category <= dtypes.INT else x._meta.dtype
    x = cast_to(x, kind)
    columns = [FUNCTIONS["ones"](x.shape, dtype=kind)]
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    columns = columns[:n] if increasing else columns[:n][::-1]
    return FUNCTIONS["stack"](columns, 1) if columns else x.new_empty((x.shape[0], 0), dtype=kind)


def _frexp_infer(operands, attrs):
    (x,) = operands
    return intern(x.shape, x.dtype), intern(x.shape, dtypes.int32)


def _frexp_vjp(g, out, x):
    return g[0] / ew.pow(2.0, cast_to(out[1], g[0]._meta.dtype))


_Parts = collections.namedtuple("frexp", ["mantissa", "exponent"])
frexp_op = Host("frexp", _frexp_infer, np.frexp, _frexp_vjp, multi=True)


@function
def frexp(input):
    """(mantissa, exponent) with input = mantissa * 2**exponent and 0.5 <= |mantissa| < 1."""
    if input._meta.dtype.category != dtypes.FLOAT:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return _Parts(*frexp_op(input))


@function(methods=False)
def chain_matmul(*matrices):
    """The product of several matrices, left to right."""
    if len(matrices) == 1 and not isinstance(matrices[0], Tensor):
        matrices = matrices[0]
    product = matrices[0]
    for x in matrices[1:]:
        product = FUNCTIONS["mm"](product, x)
    return product


@function(methods=False, out=False)
def unravel_index(indices, shape):
    """The coordinates of indices into the elements of a tensor of `shape`, a tensor per dim."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if indices._meta.dtype.category != dtypes.INT:
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if any(n < 0 for n in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    found = []
    for n in reversed(shape):
        found.append(indices % n)
        indices = ew.floor_divide(indices, n)
    return tuple(reversed(found))
