"""Functions along a dim whose results depend on all that comes before: running sums and such."""

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor, intern
from . import copies, view_ops
from . import elementwise as ew
from .api import cast_to, function
from .core import Host
from .reduce import named_pair, normalize_dim

__all__ = ["cummax", "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "diff", "trapezoid"]


def _plain(meta):
    return intern(meta.shape, meta.dtype)


def _infer(operands, attrs):
    return _plain(operands[0])


def _wide(x):
    """The type that running sums are kept in."""
    return {"f": np.float64, "c": np.complex128}.get(x.dtype.kind, x.dtype)


def _scan(fold):
    def scan(x, dim):
        return fold(x, axis=dim, dtype=_wide(x)).astype(x.dtype) if x.size else x

    return scan


def _reverse(op, g, dim):
    """A scan from the end of the dim."""
    return copies.flip_op(op(copies.flip_op(g, dims=(dim,)), dim=dim), dims=(dim,))


cumsum_op = Host("cumsum", _infer, _scan(np.cumsum))
cumprod_op = Host("cumprod", _infer, _scan(np.cumprod))


@cumsum_op.vjp
def _(g, out, x, *, dim):
    return _reverse(cumsum_op, g, dim)


@cumprod_op.vjp
def _(g, out, x, *, dim):
    # Before the first zero of x the sum of g * out from here on, divided by x; at the first zero
    # that sum with the zero taken as 1; behind it nothing.
    zero = ew.eq(x, 0)
    count = cumsum_op(cast_to(zero, dtypes.int64), dim=dim)
    first = ew.logical_and(zero, ew.eq(count, 1))
    without = ew.where(zero, 1, x)
    before = _reverse(cumsum_op, g * ew.conj(out), dim) / ew.conj(without)
    patched = cumprod_op(ew.where(first, 1, x), dim=dim)
    reached = ew.where(ew.ge(count, 1), g * ew.conj(patched), 0)
    at_zero = _reverse(cumsum_op, reached, dim)
    return ew.where(ew.eq(count, 0), before, ew.where(first, at_zero, 0))


def _along(input, dim):
    """The dim counted from the front."""
    return normalize_dim(dim, len(input._meta.shape))


def _publish_fold(op, what):
    def scan(input, dim, *, dtype=None):
        kind = dtype or input._meta.dtype
        if dtype is None and kind.category <= dtypes.INT:
            kind = dtypes.int64
        input, dim = cast_to(input, kind), _along(input, dim)
        return op(input, dim=dim) if input._meta.shape else input.clone()

    scan.__name__ = op.name
    scan.__doc__ = f"The running {what} along `dim`; of ints and bools in int64."
    return function(scan, inplace_too=True)


cumsum, cumprod = _publish_fold(cumsum_op, "sum"), _publish_fold(cumprod_op, "product")


# Running extremes


def _extreme(fold):
    def scan(x, dim):
        if not x.size:
            return x, np.zeros(x.shape, np.int64)
        values = fold.accumulate(x, axis=dim)
        reached = (x == values) | (x != x)  # NaN stays once it has come
        places = np.arange(x.shape[dim]).reshape([-1 if d == dim else 1 for d in range(x.ndim)])
        return values, np.maximum.accumulate(np.where(reached, places, 0), axis=dim)

    return scan


def _infer_pair(operands, attrs):
    plain = _plain(operands[0])
    return plain, intern(plain.shape, dtypes.int64)


def _publish_extreme(name, fold, what):
    op = Host(name, _infer_pair, _extreme(fold), multi=True)
    pair = named_pair(name)

    @op.vjp
    def _(g, out, x, *, dim):
        return g[0].new_zeros(x._meta.shape).scatter_add(dim, out[1], g[0])

    def scan(input, dim):
        dim = _along(input, dim)
        kind = input._meta.dtype
        if kind.is_complex:
            raise NotImplementedError(f'"{name}" not implemented for {kind.name} tensors')
        if not input._meta.shape:
            return pair(input.clone(), input.new_zeros((), dtype=dtypes.int64))
        return pair(*op(input, dim=dim))

    scan.__name__ = name
    scan.__doc__ = f"The {what} so far along `dim`, and where it is (the last place of equal ones)."
    return function(scan)


cummax = _publish_extreme("cummax", np.maximum, "largest element")
cummin = _publish_extreme("cummin", np.minimum, "smallest element")


def _logcumsumexp(x, dim):
    if not x.size:
        return x
    if x.dtype.kind != "c":
        return np.logaddexp.accumulate(x.astype(np.float64), axis=dim).astype(x.dtype)
    parts = np.moveaxis(x.astype(np.complex128), dim, 0)
    sums = [parts[0]]
    for part in parts[1:]:
        sums.append(_complex_logaddexp(part, sums[-1]))
    return np.stack(sums, dim).astype(x.dtype)


def _complex_logaddexp(x, y):
    """log(exp(x) + exp(y)), its phase counted on from that of the larger one, as PyTorch does."""
    less = x.real < y.real
    low, high = np.where(less, x, y), np.where(less, y, x)
    with np.errstate(all="ignore"):
        usual = np.log1p(np.exp(low - high)) + high
        ends = np.where(high.real < 0, low, np.log(np.exp(low) + np.exp(high)))
    return np.where(np.isinf(high.real) & (high.real == low.real), ends, usual)


logcumsumexp_op = Host("logcumsumexp", _infer, _logcumsumexp)


@logcumsumexp_op.vjp
def _(g, out, x, *, dim):
    # exp(x) * (sum of g * exp(-out) from here on), in logarithms so that nothing overflows; for
    # real numbers the positive and the negative parts of g by themselves.
    if x._meta.dtype.is_complex:
        none = ew.eq(g, 0)
        part = ew.where(none, -float("inf"), ew.log(ew.where(none, 1, g))) - ew.conj(out)
        return ew.exp(_reverse(logcumsumexp_op, part, dim) + ew.conj(x))
    total = None
    for sign in (1, -1):
        some = ew.gt(g * sign, 0)
        part = ew.where(some, ew.log(ew.where(some, g * sign, 1)) - out, -float("inf"))
        share = ew.exp(_reverse(logcumsumexp_op, part, dim) + x) * sign
        total = share if total is None else total + share
    return total


@function
def logcumsumexp(input, dim):
    """log of the running sum of exp(input) along `dim`, without overflow."""
    dim = _along(input, dim)
    if input._meta.dtype.category < dtypes.FLOAT:
        raise NotImplementedError(
            f'"logcumsumexp" not implemented for {input._meta.dtype.name} tensors'
        )
    return logcumsumexp_op(input, dim=dim) if input._meta.shape else input.clone()


# Differences and integrals


def _part(input, dim, start, size):
    return view_ops.slice_op(input, dim=dim, start=start, size=size, step=1)


@function
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """The n-th differences of neighbours along `dim`, with more elements put before or behind.

    >>> import flambeau as torch
    >>> torch.diff(torch.tensor([1, 4, 9, 16]))
    tensor([3, 5, 7])
    """
    if not input._meta.shape:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = _along(input, dim)
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    parts = [x for x in (prepend, input, append) if x is not None]
    if any(len(x._meta.shape) != len(input._meta.shape) for x in parts):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    x = copies.cat(parts, dim) if len(parts) > 1 else input
    n = min(n, x._meta.shape[dim])
    for _ in range(n):
        size = x._meta.shape[dim] - 1
        later, earlier = _part(x, dim, min(1, size + 1), size), _part(x, dim, 0, size)
        if x._meta.dtype is dtypes.bool_:
            x = ew.logical_xor(later, earlier)
        else:
            x = later - earlier
    return x.clone() if x is input else x


def _neighbours(x, dim):
    """(all but the last, all but the first) along a dim."""
    dim = normalize_dim(dim, len(x._meta.shape))
    size = max(x._meta.shape[dim] - 1, 0)
    return _part(x, dim, 0, size), _part(x, dim, min(1, x._meta.shape[dim]), size)


def _widths(y, x, dim, name):
    """The widths of the intervals between the points x, in a shape that broadcasts with y."""
    shape, ndim = x._meta.shape, len(y._meta.shape)
    if len(shape) == 1:
        if shape[0] != y._meta.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        x = x.reshape([-1 if d == normalize_dim(dim, ndim) else 1 for d in range(ndim)])
    elif len(shape) < ndim:
        x = x.reshape([1] * (ndim - len(shape)) + list(shape))
    left, right = _neighbours(x, dim)
    return right - left


def _areas(y, x, dx, dim, name):
    """The area of each interval, None if there are no points."""
    if dtypes.bool_ in (y._meta.dtype, getattr(x, "dtype", None)):
        raise RuntimeError(
            f"{name}: received a bool input for `x` or `y`, but bool is not supported"
        )
    if not y._meta.shape[dim]:
        return None
    width = dx if x is None else _widths(y, x, dim, name)
    left, right = _neighbours(y, dim)
    if isinstance(width, Tensor):
        return (left + right) * width / 2.0
    return ew.times_number(left + right, width / 2.0)


def _trapezoid(cumulative):
    name = "cumulative_trapezoid" if cumulative else "trapezoid"

    def integral(y, x=None, *, dx=1, dim=-1):
        where = normalize_dim(dim, len(y._meta.shape))
        areas = _areas(y, x, dx, dim, name)
        if areas is None:
            shape = [n for d, n in enumerate(y._meta.shape) if cumulative or d != where]
            return y.new_zeros(shape)
        return cumsum(areas, dim) if cumulative else areas.sum(dim)

    integral.__name__ = name
    running = "The running integral" if cumulative else "The integral"
    integral.__doc__ = f"{running} of y over x, or at distances dx, by the trapezoidal rule."
    return function(integral, methods=False, aliases=() if cumulative else ("trapz",))


trapezoid, cumulative_trapezoid = _trapezoid(False), _trapezoid(True)
