"""Pooling in any number of trailing dims: sums and largest elements of windows.

`sum_pool` and `spread` are the derivatives of each other. A largest element is a position first,
found without a derivative, and then what is read there: its derivative writes there. Positions
count the elements of the trailing dims in row-major order.

Windows of one size at even distances are strided views. Those of `bounded_positions` have bounds
of their own, and are read at computed places.
"""

import functools
import math

from .. import dtypes
from . import elementwise as ew
from .api import FUNCTIONS, cast_to
from .core import composite
from .creation import arange
from .index import gather_op, scatter_op
from .precision import narrow, widen
from .reduce import amax_op, argmax_op, sum_op
from .unfold import fit, reach, windows_op
from .view_ops import permute_op, select_op

__all__ = [
    "adaptive_bounds",
    "adaptive_mean",
    "add_at",
    "avg_pool",
    "bounded_positions",
    "longest",
    "max_pool",
    "max_positions",
    "read_at",
    "spread",
    "sum_pool",
]


UNROLLED = 9  # elements of a window, up to which they are compared one by one


def _along(values, d, n):
    """A 1-d tensor in a shape that broadcasts along the d-th of n trailing dims."""
    return values.reshape((values._meta.shape[0], *[1] * (n - d - 1)))


def _quotient(x, size):
    """x // size of integers from 0 on, in float64, which kernels divide in."""
    if size == 1:
        return x
    return cast_to((cast_to(x, dtypes.float64) + 0.5) / float(size), dtypes.int64)


# Sums and means


@composite
def sum_pool(x, *, kernel, stride, before, count):
    """The sums of windows: [*lead, *sizes] gives [*lead, *count]."""
    n = len(kernel)
    one = (1,) * n
    x = fit(x, before, reach(count, stride, kernel, one))
    x = windows_op(x, kernel=kernel, count=count, stride=stride, dilation=one)
    lead = len(x._meta.shape) - 2 * n
    dims = tuple(range(lead, lead + n))
    return sum_op(x, dims=dims, keepdim=False, dtype=x._meta.dtype)


@sum_pool.vjp
def _(g, out, x, *, kernel, stride, before, count):
    size = x._meta.shape[len(x._meta.shape) - len(kernel) :]
    return spread(g, kernel=kernel, stride=stride, before=before, size=size)


@composite
def spread(y, *, kernel, stride, before, size):
    """Each element added to the whole window it stands for: [*lead, *count] gives [*lead, *size].

    With stride s, element q * s + r is in the windows q - m for which m * s + r < kernel: the sum
    over m of windows of y, which is the same for all r where the stride divides the kernel.
    """
    n = len(kernel)
    taps = tuple(-(-k // s) for k, s in zip(kernel, stride, strict=True))
    first = [b // s for b, s in zip(before, stride, strict=True)]
    last = [-(-(b + z) // s) for b, z, s in zip(before, size, stride, strict=True)]
    count = tuple(j - i for i, j in zip(first, last, strict=True))
    one, front = (1,) * n, tuple(m - 1 - i for m, i in zip(taps, first, strict=True))
    y = fit(y, front, reach(count, one, taps, one))
    y = windows_op(y, kernel=taps, count=count, stride=one, dilation=one)
    lead = y._meta.shape[: len(y._meta.shape) - 2 * n]
    y = y.reshape((*lead, *taps, *[size for c in count for size in (c, 1)]))
    for d, (k, s, m) in enumerate(zip(kernel, stride, taps, strict=True)):
        if k % s:  # the last windows come first: m counts down
            inside = ew.lt((m - 1 - arange(m)).reshape((m, 1)) * s + arange(s), k)
            y = ew.where(inside.reshape((m, *[1] * (n + d), s, *[1] * (2 * (n - d - 1)))), y, 0)
    dims = tuple(range(len(lead), len(lead) + n))
    y = sum_op(y, dims=dims, keepdim=False, dtype=y._meta.dtype)
    y = y.expand((*lead, *[size for pair in zip(count, stride, strict=True) for size in pair]))
    y = y.reshape((*lead, *[c * s for c, s in zip(count, stride, strict=True)]))
    back = tuple(i * s - b for i, s, b in zip(first, stride, before, strict=True))
    return fit(y, back, size)


@spread.vjp
def _(g, out, y, *, kernel, stride, before, size):
    count = y._meta.shape[len(y._meta.shape) - len(kernel) :]
    return sum_pool(g, kernel=kernel, stride=stride, before=before, count=count)


def _counts(size, kernel, stride, before, count, padding):
    """How many elements each window has, with those of the padding or without."""
    n, total = len(kernel), None
    for d in range(n):
        start = arange(count[d]) * stride[d] - before[d]
        end = ew.minimum(start + kernel[d], size[d] + before[d])
        if not padding:
            start = ew.maximum(start, 0)
            end = ew.minimum(end, size[d])
        some = _along(end - start, d, n)
        total = some if total is None else total * some
    return total


@composite(derivative=lambda state: f"AvgPool{len(state.attrs['kernel'])}DBackward0")
def avg_pool(x, *, kernel, stride, before, count, padding, divisor):
    """The means of windows, or their sums divided by `divisor` unless that is None.

    padding: whether elements of the padding count.
    """
    wide = widen(x)
    total = sum_pool(wide, kernel=kernel, stride=stride, before=before, count=count)
    if divisor is None:
        size = x._meta.shape[len(x._meta.shape) - len(kernel) :]
        covered = reach(count, stride, kernel, (1,) * len(kernel))
        within = all(c <= z + 2 * b for c, z, b in zip(covered, size, before, strict=True))
        if within and (padding or not any(before)):
            divisor = math.prod(kernel)
        else:
            divisor = _counts(size, kernel, stride, before, count, padding)
    if wide._meta.dtype.category < dtypes.FLOAT:
        return FUNCTIONS["div"](total, divisor, rounding_mode="trunc")
    if isinstance(divisor, int):
        return narrow(total / float(divisor), x)
    return narrow(total / cast_to(divisor, wide._meta.dtype), x)


def adaptive_bounds(length, count):
    """(starts, ends) of `count` windows that cover a dim: floor(i n / m), ceil((i + 1) n / m)."""
    i = arange(count)
    return _quotient(i * length, count), _quotient((i + 1) * length + (count - 1), count)


def longest(length, count):
    """The largest number of elements in a window of `adaptive_bounds`."""
    return max(-(-(i + 1) * length // count) - i * length // count for i in range(count))


@composite(derivative=lambda state: f"AdaptiveAvgPool{len(state.attrs['count'])}DBackward0")
def adaptive_mean(x, *, count):
    """The means of windows that cover the trailing dims, so that their sizes become `count`."""
    like, x = x, widen(x)
    n = len(count)
    lead = len(x._meta.shape) - n
    size = x._meta.shape[lead:]
    even = [s % c == 0 for s, c in zip(size, count, strict=True)]
    kernel = tuple(s // c if e else 1 for s, c, e in zip(size, count, even, strict=True))
    between = tuple(s // k for s, k in zip(size, kernel, strict=True))
    x = sum_pool(x, kernel=kernel, stride=kernel, before=(0,) * n, count=between)
    x = x / float(math.prod(kernel))
    for d in range(n):
        if not even[d]:
            x = _means_along(x, lead + d, count[d])
    return narrow(x, like)


def _means_along(x, dim, count):
    """The means of the windows of one dim whose sizes differ."""
    length = x._meta.shape[dim]
    starts, ends = adaptive_bounds(length, count)
    width = longest(length, count)
    places = starts.reshape((count, 1)) + arange(width)
    rest = [1] * (len(x._meta.shape) - 1)
    inside = ew.lt(places, ends.reshape((count, 1))).reshape((count, width, *rest))
    moved = x.transpose(0, dim)
    found = gather_op(moved, ew.minimum(places, length - 1))
    found = ew.where(inside, found, 0)
    total = sum_op(found, dims=(1,), keepdim=False, dtype=x._meta.dtype)
    lengths = cast_to(ends - starts, x._meta.dtype).reshape((count, *rest))
    return (total / lengths).transpose(0, dim)


# Largest elements


def _lowest(dtype):
    """What no element is less than."""
    return -math.inf if dtype.category >= dtypes.FLOAT else dtypes.iinfo(dtype).min


def _windows(x, kernel, stride, dilation, before, count):
    value = _lowest(x._meta.dtype)
    x = fit(x, before, reach(count, stride, kernel, dilation), value)
    x = windows_op(x, kernel=kernel, count=count, stride=stride, dilation=dilation)
    lead = len(x._meta.shape) - 2 * len(kernel)
    return x, tuple(range(lead, lead + len(kernel)))


def _elements(windows, kernel):
    """Each element of windows, in order, as a tensor of one of each; None for many, or for one."""
    if not 1 < math.prod(kernel) <= UNROLLED:
        return None
    found, lead = [windows], len(windows._meta.shape) - 2 * len(kernel)
    for size in kernel:
        found = [select_op(x, dim=lead, index=k) for x in found for k in range(size)]
    return found


def _max_pool(x, *, kernel, stride, dilation, before, count):
    """The largest elements of windows: [*lead, *sizes] gives [*lead, *count]."""
    windows, dims = _windows(x, kernel, stride, dilation, before, count)
    if (elements := _elements(windows, kernel)) is not None:
        return functools.reduce(ew.maximum, elements)
    return amax_op(windows, dims=dims, keepdim=False)


def _max_pool_vjp(g, out, x, **how):
    size = x._meta.shape[len(x._meta.shape) - len(how["kernel"]) :]
    plain = not any(how["before"]) and set(how["dilation"]) == {1}
    if plain and how["stride"] == how["kernel"]:
        return _to_windows(g, _best(x, **how), how["kernel"], size)
    return add_at(g, max_positions(x, **how), size)


def _best(x, *, kernel, stride, dilation, before, count):
    """Which of their elements is the largest of windows, the first of those that are equal."""
    windows, dims = _windows(x, kernel, stride, dilation, before, count)
    elements = _elements(windows, kernel)
    if elements is None:
        return argmax_op(windows, dims=dims, keepdim=False)
    largest, *rest = elements
    index = 0
    for k, x in enumerate(rest, 1):
        better = ew.gt(x, largest)
        if x._meta.dtype.is_floating_point:  # NaN counts as largest
            better = ew.logical_or(better, ew.logical_and(ew.isnan(x), ew.eq(largest, largest)))
        largest, index = ew.where(better, x, largest), ew.where(better, k, index)
    return index


def _to_windows(g, index, kernel, size):
    """Each element of g put at that index of its window, of windows side by side."""
    n, shape = len(kernel), g._meta.shape
    lead, count = shape[: len(shape) - n], shape[len(shape) - n :]
    within = arange(math.prod(kernel)).reshape((*kernel, *[1] * n))
    apart = (*lead, *[1] * n, *count)
    spread = ew.where(ew.eq(index.reshape(apart), within), g.reshape(apart), 0)
    order = [d for k in range(len(lead), len(lead) + n) for d in (k + n, k)]
    spread = permute_op(spread, dims=(*range(len(lead)), *order))
    sizes = [c * k for c, k in zip(count, kernel, strict=True)]
    return fit(spread.reshape((*lead, *sizes)), (0,) * n, size)


def _derivative(n):
    """What PyTorch calls the derivative of the largest elements in n dims."""
    return "SqueezeBackward1" if n == 1 else f"MaxPool{n}DWithIndicesBackward0"


# The same but for the names of their derivatives; by the number of dims.
max_pool = {n: composite(_max_pool, name=f"max_pool{n}d") for n in (1, 2, 3)}
for _n, _op in max_pool.items():
    _op.vjp(_max_pool_vjp)
    _op.derivative = _derivative(_n)


@composite(differentiable=False)
def max_positions(x, *, kernel, stride, dilation, before, count):
    """The positions of the largest elements of windows, the first of those that are equal."""
    n = len(kernel)
    found = _best(x, kernel=kernel, stride=stride, dilation=dilation, before=before, count=count)
    size = x._meta.shape[len(x._meta.shape) - n :]
    position = None
    for d, inside in enumerate(_coordinates(found, kernel)):
        start = arange(count[d]) * stride[d] - before[d]
        if before[d]:  # where all elements are lowest, the first of them is one of the padding
            skipped = _quotient(dilation[d] - 1 - start, dilation[d])
            inside = ew.maximum(inside, _along(skipped, d, n))
        place = inside * dilation[d] + _along(start, d, n)
        position = place if d == 0 else position * size[d] + place
    return position


def _coordinates(index, sizes):
    """The coordinates along each dim of row-major indices."""
    result = []
    for size in reversed(sizes):
        quotient = _quotient(index, size)
        result.append(index - quotient * size)
        index = quotient
    return result[::-1]


def _by_row(bounds, d, n, behind=0):
    """[rows, count] in a shape that broadcasts with [rows, *n dims, *dims behind], along dim d."""
    rows, count = bounds._meta.shape
    return bounds.reshape((rows, *[1] * d, count, *[1] * (n - d - 1 + behind)))


@composite(differentiable=False)
def bounded_positions(x, *bounds, kernel):
    """The positions of the largest elements of windows from starts to ends, no two need be alike.

    x: [rows, *sizes]; bounds: starts and ends of the windows along each dim, [rows or 1, count];
    kernel: the largest number of elements along each dim. Returns [rows, *count].
    """
    n, (rows, *size) = len(kernel), x._meta.shape
    starts, ends = bounds[:n], bounds[n:]
    places = None
    for d in range(n):
        first, end = (_by_row(b, d, n, n) for b in (starts[d], ends[d]))
        place = ew.minimum(first + _along(arange(kernel[d]), d, n), end - 1)
        places = place if d == 0 else places * size[d] + place
    row = arange(rows).reshape((rows, *[1] * (2 * n)))
    values = gather_op(x.reshape((rows, math.prod(size))), row, places)
    dims = tuple(range(1 + n, 1 + 2 * n))
    found = argmax_op(values, dims=dims, keepdim=False)
    position = None
    for d, inside in enumerate(_coordinates(found, kernel)):
        first, end = (_by_row(b, d, n) for b in (starts[d], ends[d]))
        place = ew.minimum(inside + first, end - 1)
        position = place if d == 0 else position * size[d] + place
    return position


def _rows(positions, n):
    """(the positions as a matrix, the numbers of its rows, the dims before the last n)."""
    shape = positions._meta.shape
    lead = shape[: len(shape) - n]
    rows, columns = math.prod(lead), math.prod(shape[len(lead) :])
    return positions.reshape((rows, columns)), arange(rows).reshape((rows, 1)), lead


@composite
def read_at(x, positions, *, n):
    """What stands at positions in the last n dims: [*lead, *sizes] gives [*lead, *count]."""
    flat, row, lead = _rows(positions, n)
    size = math.prod(x._meta.shape[len(lead) :])
    return gather_op(x.reshape((row._meta.shape[0], size)), row, flat).reshape(
        positions._meta.shape
    )


read_at.derivative = lambda state: _derivative(state.attrs["n"])


def add_at(g, positions, size, mode="sum"):
    """Zeros of trailing sizes `size` with elements added, or set, at positions in them."""
    flat, row, lead = _rows(positions, len(size))
    zeros = g.new_zeros((row._meta.shape[0], math.prod(size)))
    filled = scatter_op(zeros, g.reshape(flat._meta.shape), row, flat, mode=mode)
    return filled.reshape((*lead, *size))
