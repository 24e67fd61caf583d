"""Functions on sorted data, and on data as sets: search, unique elements, counts, histograms."""

import collections
import math

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor, intern
from ..recorder.sync import to_array
from .api import cast_to, function
from .core import Host, result_dtype
from .from_data import from_array, make_tensor
from .reduce import normalize_dim

__all__ = ["bincount", "bucketize", "histc", "isin", "searchsorted", "unique", "unique_consecutive"]


def _values(x):
    """The elements of a tensor as an array that NumPy computes with."""
    return dtypes.decode(to_array(x), x._meta.dtype)


def _tensor(array, dtype):
    return from_array(dtypes.encode(np.ascontiguousarray(array), dtype), dtype)


# Search


def _infer_search(operands, attrs):
    return intern(operands[1].shape, attrs["dtype"])


def _search(boundaries, values, order, dtype, right):
    if order is not None:
        boundaries = np.take_along_axis(boundaries, order.astype(np.int64), -1)
    side = "right" if right else "left"
    if boundaries.ndim == 1:
        found = np.searchsorted(boundaries, values, side)
    else:
        count = math.prod(boundaries.shape[:-1])
        rows = boundaries.reshape(count, boundaries.shape[-1])
        wanted = values.reshape(count, values.shape[-1])
        found = [np.searchsorted(r, v, side) for r, v in zip(rows, wanted, strict=True)]
        found = np.asarray(found).reshape(values.shape)
    return np.where(values != values, boundaries.shape[-1], found).astype(dtype.numpy)


search_op = Host("searchsorted", _infer_search, _search, differentiable=False)


def _check_search(sequence, values, side, right, sorter):
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left "
            "while right was True"
        )
    shape = sequence._meta.shape
    if not shape:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
            "dimension is 1 or more, but we got boundaries tensor dim(0)"
        )
    if len(shape) > 1 and shape[:-1] != values._meta.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            f"dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(shape)} and input value tensor {list(values._meta.shape)}"
        )
    if sorter is not None and sorter._meta.shape != shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
            f"tensor {list(shape)} and got sorter tensor {list(sorter._meta.shape)}"
        )
    if sorter is not None and sorter._meta.dtype is not dtypes.int64:
        raise RuntimeError(
            "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype "
            f"{sorter._meta.dtype.name}"
        )


@function(methods=False)
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each value of `input` has to go into the sorted last dim, so that it stays sorted.

    Before equal elements, or behind them if `right`. `sorter` holds the indices that sort the
    sequence, if it is not sorted itself.

    >>> import flambeau as torch
    >>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([3, 4]))
    tensor([1, 2])
    """
    if not isinstance(input, Tensor):
        if len(sorted_sequence._meta.shape) != 1:
            raise RuntimeError(
                "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
                f"dimension is 1, but we got boundaries tensor dim({sorted_sequence.ndim})"
            )
        input = make_tensor(input, dtype=sorted_sequence._meta.dtype)
    elif input._meta.dtype is not sorted_sequence._meta.dtype:
        raise RuntimeError(
            "torch.searchsorted(): boundary tensor and input value tensor should have same dtype, "
            f"but got boundary tensor dtype {sorted_sequence._meta.dtype.name} and input value "
            f"tensor dtype {input._meta.dtype.name}"
        )
    _check_search(sorted_sequence, input, side, right, sorter)
    dtype = dtypes.int32 if out_int32 else dtypes.int64
    behind = bool(right) or side == "right"
    return search_op(sorted_sequence, input, sorter, dtype=dtype, right=behind)


@function(methods=False)
def bucketize(input, boundaries, *, out_int32=False, right=False):
    """The number of the bucket that each element falls in, between sorted `boundaries`."""
    if len(boundaries._meta.shape) != 1:
        raise RuntimeError(
            f"bucketize(): boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# Sets


def _unique_rows(array, dim):
    """np.unique along a dim, also where there is nothing."""
    if array.shape[dim]:
        return np.unique(
            array, return_index=True, return_inverse=True, return_counts=True, axis=dim
        )
    none = np.zeros(0, np.int64)
    return array, none, none, none


def _chosen(values, inverse, counts, return_inverse, return_counts):
    if not return_inverse and not return_counts:
        return values
    rest = ((inverse, return_inverse), (counts, return_counts))
    return (values, *[_tensor(x.astype(np.int64), dtypes.int64) for x, wanted in rest if wanted])


@function
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices along `dim`) that differ, in order.

    With `return_inverse` also where each element is among them, with `return_counts` how often
    each occurs.

    >>> import flambeau as torch
    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    array, dtype = _values(input), input._meta.dtype
    if dim is None:
        values, inverse, counts = np.unique(
            array, return_inverse=True, return_counts=True, equal_nan=False
        )
        inverse = inverse.reshape(array.shape)
    else:
        dim = normalize_dim(dim, array.ndim)
        if not array.ndim:
            array = array.reshape(1)
        _check_rows("unique", array, dim)
        values, _, inverse, counts = _unique_rows(array, dim)
        inverse = inverse.reshape(-1)
    return _chosen(_tensor(values, dtype), inverse, counts, return_inverse, return_counts)


def _check_rows(name, array, dim):
    if not array.shape[dim] and 0 in [n for d, n in enumerate(array.shape) if d != dim]:
        raise RuntimeError(
            f"{name}: There are 0 sized dimensions, and they aren't selected, so unique cannot be "
            "applied"
        )


@function
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements (or slices along `dim`) without those equal to the one before."""
    array, dtype = _values(input), input._meta.dtype
    if dim is None:
        rows, axis = array.reshape(-1, 1), 0
    else:
        axis = normalize_dim(dim, array.ndim)
        array = array.reshape(1) if not array.ndim else array
        _check_rows("unique_consecutive", array, axis)
        rows = np.moveaxis(array, axis, 0)
        rows = rows.reshape(rows.shape[0], math.prod(rows.shape[1:]))
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    inverse = np.cumsum(new) - 1
    counts = np.diff(starts, append=len(rows))
    values = array.reshape(-1)[starts] if dim is None else np.take(array, starts, axis)
    inverse = inverse.reshape(array.shape) if dim is None else inverse
    return _chosen(_tensor(values, dtype), inverse, counts, return_inverse, return_counts)


def _infer_isin(operands, attrs):
    return intern(operands[0].shape, dtypes.bool_)


isin_op = Host(
    "isin",
    _infer_isin,
    lambda x, test, invert: np.isin(x, test, invert=invert),
    differentiable=False,
)


@function(methods=False)
def isin(elements, test_elements, *, assume_unique=False, invert=False):
    """Whether each element occurs among `test_elements` (or does not, if `invert`)."""
    pair = [elements, test_elements]
    if not any(isinstance(x, Tensor) for x in pair):
        raise TypeError("isin(): at least one of the arguments must be a Tensor")
    kind = result_dtype([x._meta if isinstance(x, Tensor) else type(x) for x in pair])
    pair = [cast_to(x, kind) if isinstance(x, Tensor) else make_tensor(x, dtype=kind) for x in pair]
    return isin_op(*pair, invert=bool(invert))


# Counts


@function
def bincount(input, weights=None, minlength=0):
    """How often each of the numbers 0, 1, ... occurs, or the sums of their `weights`."""
    if len(input._meta.shape) != 1 or input._meta.dtype.category > dtypes.INT:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    values = _values(input).astype(np.int64)
    if values.size and values.min() < 0:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is None:
        return _tensor(np.bincount(values, minlength=minlength).astype(np.int64), dtypes.int64)
    if weights._meta.shape != input._meta.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    single = weights._meta.dtype is dtypes.float32
    dtype = dtypes.float32 if single else dtypes.float64
    sums = np.bincount(values, _values(weights), minlength)
    return _tensor(sums.astype(dtype.numpy), dtype)


def _edges(x, low, high):
    """The ends of the range of a histogram: those given, or those of the data if they are equal."""
    if low == high == 0 and not x.size:
        return 0.0, 1.0
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low}, {high}] is not finite")
    return low, high


def _counts(x, bins, low, high):
    low, high = _edges(x, low, high)
    x = x.astype(np.float64).reshape(-1)
    x = x[(x >= low) & (x <= high)]
    places = ((x - low) / (high - low) * bins).astype(np.int64)
    return np.bincount(np.minimum(places, bins - 1), minlength=bins)


histc_op = Host(
    "histc",
    lambda operands, attrs: intern((attrs["bins"],), operands[0].dtype),
    _counts,
    differentiable=False,
)


@function
def histc(input, bins=100, min=0, max=0):
    """How many elements fall in each of `bins` equal parts of [min, max], by default all."""
    if bins <= 0:
        raise RuntimeError("bins must be > 0")
    if input._meta.dtype.is_complex or input._meta.dtype is dtypes.bool_:
        raise RuntimeError(f'"histogram_cpu" not implemented for {input._meta.dtype.name} tensors')
    if max < min:
        raise RuntimeError("torch.histc: max must be larger than min")
    return histc_op(input, bins=int(bins), low=float(min), high=float(max))


_Histogram = collections.namedtuple("histogram", ["hist", "bin_edges"])


@function
def histogram(input, bins, *, range=None, weight=None, density=False):
    """(counts, edges) of a histogram; `bins` is their number or a tensor of the edges."""
    dtype, values = input._meta.dtype, _values(input).reshape(-1)
    if isinstance(bins, Tensor):
        edges = _values(bins)
    else:
        low, high = range if range is not None else (0.0, 0.0)
        low, high = _edges(values, low, high)
        edges = np.linspace(low, high, bins + 1, dtype=values.dtype)
    weights = None if weight is None else _values(weight).reshape(-1)
    counts, _ = np.histogram(values, edges, weights=weights, density=density)
    return _Histogram(_tensor(counts.astype(values.dtype), dtype), _tensor(edges, dtype))
