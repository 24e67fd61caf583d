"""Resampling along dims by tables: what each output reads, and how much of it.

Every mode is, dim by dim, y[o] = sum_k weight[o, k] * x[index[o, k]]. Tables depend on sizes alone,
so that NumPy makes them; the derivative is the same sum with the table read the other way round.
"""

import functools
import math

import numpy as np

from .. import dtypes
from . import elementwise as ew
from . import movement as mv
from .api import cast_to
from .core import composite
from .from_data import make_tensor
from .index import gather_op
from .precision import narrow, widen

__all__ = ["resample"]

FILTERS = ("area", "cubic", "lanczos", "linear", "nearest", "nearest-exact")


def _step(n_in, n_out, scale, align, kind):
    """How far apart outputs are, in elements of the input, rounded as PyTorch does."""
    if align:
        return kind(n_in - 1) / kind(n_out - 1) if n_out > 1 else kind(0)
    if scale is not None and scale > 0:
        return kind(1.0 / scale)
    return kind(n_in) / kind(n_out)


def _cubic(x, a):
    """The cubic convolution kernel at x >= 0."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x < 1, near, np.where(x < 2, far, 0)).astype(x.dtype)


def _nearest(n_in, n_out, scale, kind, exact):
    step = _step(n_in, n_out, scale, False, kind)
    places = (np.arange(n_out, dtype=kind) + kind(0.5 if exact else 0)) * step
    # PyTorch rounds to float32 in every dtype.
    index = np.minimum(np.floor(places.astype(np.float32)).astype(np.int64), n_in - 1)
    return index[:, None], np.ones((n_out, 1), kind)


def _area(n_in, n_out, kind):
    starts = np.arange(n_out) * n_in // n_out
    ends = -(-(np.arange(1, n_out + 1) * n_in) // n_out)
    sizes = ends - starts
    k = np.arange(sizes.max())
    weight = np.where(k < sizes[:, None], 1 / sizes[:, None], 0).astype(kind)
    return starts[:, None] + np.minimum(k, sizes[:, None] - 1), weight


def _sources(n_in, n_out, scale, align, kind):
    step = _step(n_in, n_out, scale, align, kind)
    o = np.arange(n_out, dtype=kind)
    return step * o if align else step * (o + kind(0.5)) - kind(0.5)


def _linear(n_in, n_out, scale, align, kind):
    places = np.maximum(_sources(n_in, n_out, scale, align, kind), kind(0))
    low = np.minimum(places.astype(np.int64), n_in - 1)
    part = np.clip(places - low.astype(kind), 0, 1).astype(kind)
    high = np.minimum(low + 1, n_in - 1)
    return np.stack([low, high], 1), np.stack([1 - part, part], 1)


def _bicubic(n_in, n_out, scale, align, kind):
    places = _sources(n_in, n_out, scale, align, kind)
    low = np.floor(places)
    part = np.clip(places - low, 0, 1).astype(kind)
    taps = np.arange(-1, 3)
    index = np.clip(low.astype(np.int64)[:, None] + taps, 0, n_in - 1)
    return index, _cubic(np.abs(part[:, None] - taps.astype(kind)), kind(-0.75))


def _lanczos(x):
    """The Lanczos-3 window of the sinc at x >= 0."""
    return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0).astype(x.dtype)


# The half width of each filter, and the filter, when it must let every input count.
_WIDE = {
    "linear": (1, lambda x: np.maximum(1 - x, 0)),
    "cubic": (2, lambda x: _cubic(x, x.dtype.type(-0.5))),
    "lanczos": (3, _lanczos),
}


def _antialiased(mode, n_in, n_out, scale, align, kind):
    """A filter as wide as the step between outputs."""
    step = _step(n_in, n_out, scale, align, kind)
    width, filter = _WIDE[mode]
    support = kind(width) * max(step, kind(1))
    inverse = 1 / max(step, kind(1))
    half = kind(0.5)
    centers = step * (np.arange(n_out, dtype=kind) + half)
    starts = np.maximum((centers - support + half).astype(np.int64), 0)
    ends = np.minimum((centers + support + half).astype(np.int64), n_in)
    sizes = np.clip(ends - starts, 0, math.ceil(support) * 2 + 1)
    k = np.arange(max(sizes.max(), 1))
    weight = filter(np.abs((k + starts[:, None] - centers[:, None] + half) * inverse).astype(kind))
    weight = np.where(k < sizes[:, None], weight, 0)
    total = weight.sum(1, keepdims=True)
    weight = weight / np.where(total == 0, 1, total)
    last = np.clip(starts + sizes - 1, 0, n_in - 1)[:, None]
    return np.minimum(starts[:, None] + k, last), weight.astype(kind)


def _table(mode, n_in, n_out, scale, align, antialias, kind):
    """(index, weight) of a mode, both [n_out, taps]."""
    if mode == "area":
        return _area(n_in, n_out, kind)
    if mode.startswith("nearest"):
        return _nearest(n_in, n_out, scale, kind, mode == "nearest-exact")
    if antialias:
        return _antialiased(mode, n_in, n_out, scale, align, kind)
    if mode == "linear":
        return _linear(n_in, n_out, scale, align, kind)
    return _bicubic(n_in, n_out, scale, align, kind)


def _turned(index, weight, n_in):
    """The table that says which outputs read an input: (index, weight), both [n_in, taps]."""
    outputs = np.broadcast_to(np.arange(len(index))[:, None], index.shape)
    used = weight != 0
    inputs, outputs, weight = index[used], outputs[used], weight[used]
    order = np.argsort(inputs, kind="stable")
    inputs, outputs, weight = inputs[order], outputs[order], weight[order]
    counts = np.bincount(inputs, minlength=n_in)
    place = np.arange(len(inputs)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (n_in, max(counts.max(initial=0), 1))
    back, back_weight = np.zeros(shape, np.int64), np.zeros(shape, weight.dtype)
    back[inputs, place], back_weight[inputs, place] = outputs, weight
    return back, back_weight


@functools.lru_cache(maxsize=256)
def _tables(*arguments):
    """(index, weight, and both turned round), or None where each output is its input."""
    index, weight = _table(*arguments)
    n_in, n_out = arguments[1:3]
    weight = weight.astype(arguments[-1])
    lone = (weight != 0).sum(1) == 1
    if n_in == n_out and lone.all():
        read = np.take_along_axis(index, (weight != 0).argmax(1)[:, None], 1)[:, 0]
        if (read == np.arange(n_in)).all() and np.allclose(weight.max(1), 1):
            return None
    return index, weight, *_turned(index, weight, n_in)


FEW = 4  # taps that are written out one by one


def _along(x, index, weight, dim, plain):
    """sum_k weight[o, k] * x[index[o, k]] along a dim; plain: of one tap whose weight is 1."""
    moved = mv.movedim(x, dim, 0)
    taps = index._meta.shape[1]
    ones = [1] * (len(x._meta.shape) - 1)
    if plain:
        result = gather_op(moved, mv.select(index, 1, 0))
    elif taps <= FEW:
        result = None
        for k in range(taps):
            part = gather_op(moved, mv.select(index, 1, k))
            part = part * mv.select(weight, 1, k).reshape(-1, *ones)
            result = part if result is None else result + part
    else:
        result = (gather_op(moved, index) * weight.reshape(*weight._meta.shape, *ones)).sum(1)
    return mv.movedim(result, 0, dim)


@composite
def _resample(x, *tables, dims, plain):
    """Dims resampled one after another by (index, weight, and both turned round) of each.

    The last dim comes last, so that what lies between has rows in the order of memory.
    """
    for d, dim in enumerate(dims):
        x = _along(x, *tables[4 * d : 4 * d + 2], dim, plain)
    return mv.contiguous(x)


@_resample.vjp
def _(g, out, x, *tables, dims, plain):
    wide = widen(g)
    turned = []
    for d in range(0, len(tables), 4):
        index, weight, back, back_weight = tables[d : d + 4]
        weights = (cast_to(w, wide._meta.dtype) for w in (back_weight, weight))
        turned += [back, next(weights), index, next(weights)]
    by_x = _resample(wide, *turned, dims=dims, plain=False)
    return cast_to(by_x, g._meta.dtype), *[None] * len(tables)


def _fixed_point(table, low_bits):
    """Weights as integers of so many bits after the point."""
    return np.where(table < 0, table * (1 << low_bits) - 0.5, table * (1 << low_bits) + 0.5)


def _resample_bytes(x, tables):
    """Resampling of uint8 as PyTorch has it: 16-bit weights, rounded and clipped dim by dim."""
    for dim, (index, weight, *_) in tables:
        weight = weight.copy()
        for k in range(1, index.shape[1]):  # taps beyond the border count for its element
            again = index[:, k] == index[:, k - 1]
            weight[:, k] += np.where(again, weight[:, k - 1], 0)
            weight[again, k - 1] = 0
        bits, most = 0, weight.max(initial=0)
        while bits < 22 and int(0.5 + most * (1 << (bits + 1))) < 1 << 15:
            bits += 1
        whole = np.trunc(_fixed_point(weight, bits)).astype(np.int32)
        x = _resample_fixed(x, make_tensor(index), make_tensor(whole), dim=dim, bits=bits)
    return x


@composite(differentiable=False)
def _resample_fixed(x, index, weight, *, dim, bits):
    taps = cast_to(gather_op(mv.movedim(x, dim, 0), index), dtypes.int32)
    weight = weight.reshape(*weight._meta.shape, *[1] * (len(x._meta.shape) - 1))
    total = (taps * weight).sum(1, dtype=dtypes.int32) + (1 << (bits - 1))
    total = ew.bitwise_right_shift(total, bits).clamp(0, 255)
    return mv.movedim(cast_to(total, dtypes.uint8), 0, dim)


def resample(x, sizes, scales, mode, align=False, antialias=False):
    """`x` with its last dims resampled to `sizes`.

    scales: of each dim the factor that was asked for, or None for the ratio of the sizes; mode: one
    of FILTERS, applied dim by dim; align: whether corners fall on corners.
    """
    shape, kind = x._meta.shape, x._meta.dtype
    lead = len(shape) - len(sizes)
    bytes_too = kind is dtypes.uint8 and mode in _WIDE
    precision = np.float64 if kind is dtypes.float64 or bytes_too else np.float32
    dims, found = [], []
    for d, (n, scale) in enumerate(zip(sizes, scales, strict=True), lead):
        tables = _tables(mode, shape[d], n, scale, align, antialias, precision)
        if tables is not None:
            dims.append(d)
            found.append(tables)
    if not dims:
        return mv.clone(x)
    if bytes_too:
        return _resample_bytes(x, list(zip(dims, found, strict=True))[::-1])
    plain = mode.startswith("nearest")
    tables = [make_tensor(table) for tables in found for table in tables]
    result = _resample(x if plain else widen(x), *tables, dims=tuple(dims), plain=plain)
    return narrow(result, x)
