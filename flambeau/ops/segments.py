"""Reductions of segments of a dim, and results whose size is given rather than found."""

import collections

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor
from . import movement as mv
from .api import FUNCTIONS, cast_to, function
from .from_data import make_tensor
from .index import gather_op, scatter_op
from .reduce import normalize_dim
from .search import _tensor, _values

__all__ = ["histogramdd", "nonzero_static", "segment_reduce"]

# The mode of a scatter and what an empty segment holds, for each reduction.
_REDUCTIONS = {
    "max": ("max", float("-inf")),
    "mean": ("sum", 0.0),
    "min": ("min", float("inf")),
    "prod": ("prod", 1.0),
    "sum": ("sum", 0.0),
}


def _lengths(lengths, offsets, lead):
    """The lengths of segments and where each starts, as arrays (*lead, segments)."""
    given = lengths if lengths is not None else offsets
    if given is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined")
    if given._meta.dtype not in (dtypes.int32, dtypes.int64):
        raise RuntimeError(
            f"segment_reduce(): lengths and offsets must be int32 or int64, but got {given.dtype}"
        )
    if tuple(given.shape[:-1]) != tuple(lead) or not given.dim():
        raise RuntimeError(
            f"segment_reduce(): Expected lengths or offsets of shape {[*lead, 'segments']}, but "
            f"got {list(given.shape)}"
        )
    array = _values(given).astype(np.int64)
    if lengths is None:
        return np.diff(array, axis=-1), array[..., :-1]
    return array, np.cumsum(array, -1) - array


def _places(lengths, starts):
    """(row, place, segment) of each element of a segment, of lengths (rows, segments)."""
    rows, segments = lengths.shape
    flat = lengths.reshape(-1)
    owner = np.repeat(np.arange(rows * segments), flat)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(flat) - flat, flat)
    return owner // max(segments, 1), starts.reshape(-1)[owner] + within, owner % max(segments, 1)


@function(methods=False)
def segment_reduce(
    data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None
):
    """Segments of `axis`, one after another, reduced to an element each.

    Args:
        reduce: "sum", "mean", "max", "min" or "prod".
        lengths: how long the segments are, ints of shape (*data.shape[:axis], segments).
        offsets: instead, where they start, and at last where the last one ends.
        unsafe: do not check that the lengths add up to the size of the axis.
        initial: what each reduction starts from; empty segments are this, or the reduction of
            nothing: 0, NaN, -inf, inf or 1.

    Raises RuntimeError for lengths that do not fit and for an unknown reduction.

    >>> import flambeau as torch
    >>> torch.segment_reduce(torch.tensor([1.0, 2.0, 3.0]), "sum", lengths=torch.tensor([2, 1]))
    tensor([3., 3.])
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"segment_reduce(): unsupported reduction: {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if not data._meta.dtype.is_floating_point:
        raise NotImplementedError(f'"segment_reduce" not implemented for {data.dtype}')
    axis = normalize_dim(axis, data.dim())
    shape = data._meta.shape
    lead, rest = shape[:axis], shape[axis + 1 :]
    sizes, starts = _lengths(lengths, offsets, lead)
    if not unsafe and lengths is not None:
        if (sizes < 0).any():
            raise RuntimeError("segment_reduce(): lengths contains negative value!")
        if (sizes.sum(-1) != shape[axis]).any():
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size("
                f"lengths.dim()-1) = {shape[axis]} when !unsafe."
            )
    segments = sizes.shape[-1]
    rows = int(np.prod(lead, dtype=np.int64))
    row, place, segment = map(make_tensor, _places(sizes.reshape(rows, -1), starts))
    mode, start = _REDUCTIONS[reduce]
    base = data.new_full((rows, segments, *rest), start if initial is None else float(initial))
    read = gather_op(data.reshape(rows, shape[axis], *rest), row, place)
    result = scatter_op(base, read, row, segment, mode=mode)
    if reduce == "mean":
        empty = float("nan") if initial is None else float(initial)
        counts = make_tensor(sizes.reshape(rows, segments, *[1] * len(rest)))
        means = result / cast_to(counts.clamp(min=1), data._meta.dtype)
        result = FUNCTIONS["where"](counts > 0, means, empty)
    return mv.reshape(result, (*lead, segments, *rest))


@function
def nonzero_static(input, *, size, fill_value=-1):
    """The indices of the first `size` elements that are not zero, [size, ndim].

    Rows that are left over hold `fill_value`. Raises RuntimeError for a negative size.

    >>> import flambeau as torch
    >>> torch.nonzero_static(torch.tensor([0, 5]), size=2)
    tensor([[ 1],
            [-1]])
    """
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = FUNCTIONS["nonzero"](input)[:size]
    missing = size - found.shape[0]
    if not missing:
        return found
    return FUNCTIONS["cat"]([found, found.new_full((missing, input.dim()), fill_value)])


_Histogramdd = collections.namedtuple("histogramdd", ["hist", "bin_edges"])


@function(methods=False, out=False)
def histogramdd(input, bins, range=None, weight=None, density=False):
    """(counts, edges) of points in N dims: a tensor with a dim for each, and a tuple of vectors.

    Args:
        input: of shape (..., N).
        bins: a number of bins, one for each dim, or the edges of each dim as tensors.
        range: (low, high) of each dim, one after another; those of the points unless told.
        weight: what each point counts, of shape (...).
        density: divide by the total and by the volumes, so that the integral is 1.

    Raises RuntimeError for fewer than 2 dims and for sizes that do not fit.

    >>> import flambeau as torch
    >>> torch.histogramdd(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), 2).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"torch.histogramdd: input tensor should have at least 2 dimensions, got {input.dim()}"
        )
    count, dtype = input.shape[-1], input._meta.dtype
    bins = [bins] * count if isinstance(bins, int) else list(bins)
    if len(bins) != count:
        raise RuntimeError(
            f"torch.histogramdd: expected {count} sequences of bin edges or numbers of bins for a "
            f"{count}-dimensional histogram but got {len(bins)}"
        )
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(
            f"torch.histogramdd: for a {count}-dimensional histogram range should have {2 * count} "
            f"elements, but got {len(range)}"
        )
    if weight is not None and tuple(weight.shape) != tuple(input.shape[:-1]):
        raise RuntimeError(
            f"torch.histogramdd: weight should have shape {list(input.shape[:-1])}, but got "
            f"{list(weight.shape)}"
        )
    points = _values(input).reshape(-1, count)
    edges = [_dim_edges(points[:, d], bins[d], range, d) for d in np.arange(count)]
    weights = None if weight is None else _values(weight).reshape(-1)
    hist = _boxes(points, edges, weights)
    if density:
        with np.errstate(invalid="ignore"):
            hist /= hist.sum()
        for d, e in enumerate(edges):
            hist /= np.diff(e).reshape([-1 if k == d else 1 for k in np.arange(count)])
    edges = tuple(_tensor(e, dtype) for e in edges)
    return _Histogramdd(_tensor(hist.astype(points.dtype), dtype), edges)


def _boxes(points, edges, weights):
    """How much of the weights is in each box; of the last in a dim both edges count.

    As in PyTorch, nobody checks that the edges rise.
    """
    hist = np.zeros([len(e) - 1 for e in edges])
    places, inside = [], np.ones(len(points), bool)
    for x, e in zip(points.T, edges, strict=True):
        place = np.searchsorted(e, x, side="right") - 1
        places.append(np.where(x == e[-1], len(e) - 2, place))
        inside &= (x >= e[0]) & (x <= e[-1])
    places = tuple(place[inside] for place in places)
    np.add.at(hist, places, 1.0 if weights is None else weights[inside])
    return hist


def _dim_edges(values, bins, range, d):
    if isinstance(bins, Tensor):
        return _values(bins)
    if range is not None:
        low, high = range[2 * d : 2 * d + 2]
    else:
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1, dtype=values.dtype)
