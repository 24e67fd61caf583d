"""Order: sorting, the k largest, medians and quantiles.

NaN counts as larger than any number, as in PyTorch. Sorts are stable, so that of equal elements
the first comes first; what the selections find of those is in `ties`.
"""

import math

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor, intern
from . import elementwise as ew
from . import ties
from .api import cast_to, function
from .core import Host
from .from_data import make_tensor
from .reduce import named_pair, normalize_dim, sum_op
from .scatter import gather
from .strides import layout_like

__all__ = ["argsort", "kthvalue", "median", "mode", "nanmedian", "quantile", "sort", "topk"]


LONG = 256  # elements along a dim from which on it is worth to look for a quicker way


def _order(x, dim, descending):
    """The indices that sort an array along a dim, stable."""
    if x.shape[dim] >= LONG and x.size:
        keys = _short_keys(x)
        if keys is not None:
            return _order_of_pairs(~keys if descending else keys, dim)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    last = x.shape[dim] - 1
    backwards = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    return last - np.flip(backwards, dim)


def _short_keys(x):
    """Whole numbers of 32 bits in the order of the elements; None if those are too many."""
    if x.dtype.kind == "f":
        if x.itemsize > 4:
            return None
        bits = (x.astype(np.float32, copy=False) + np.float32(0)).view(np.uint32)  # no -0.0
        negative = (bits.view(np.int32) >> 31).view(np.uint32)
        keys = bits ^ (negative | np.uint32(0x80000000))
        keys[np.isnan(x)] = 0xFFFFFFFF
        return keys
    least, most = int(x.min()), int(x.max())
    if most - least >= 1 << 32 or most >= 1 << 63:
        return None
    return (x.astype(np.int64, copy=False) - least).astype(np.uint32)


def _order_of_pairs(keys, dim):
    """The indices that sort keys along a dim, stable.

    (key, index) is sorted as one whole number of 64 bits: no two are equal, so that the quickest
    sort of NumPy will do.
    """
    index = [1] * keys.ndim
    index[dim] = -1
    pairs = np.empty((*keys.shape, 2), "<u4")  # the index in the lower half
    pairs[..., 1] = keys
    pairs[..., 0] = np.arange(keys.shape[dim]).reshape(index)
    pairs = np.sort(pairs.view("<u8")[..., 0], axis=dim)
    return pairs.view("<u4").reshape((*keys.shape, 2))[..., 0].astype(np.int64)


def _sorted(x, dim, descending):
    order = _order(x, dim, descending)
    return np.take_along_axis(x, order, dim), order


def _rows(x, dim):
    """An array with `dim` last, as a matrix."""
    rows = np.moveaxis(x, dim, -1)
    return rows.reshape(math.prod(rows.shape[:-1]), rows.shape[-1])


def _top(x, dim, k, largest, in_order):
    n = x.shape[dim]
    if n >= LONG and 4 * k < n and (in_order or ties.is_heaped(k, n)):
        order = _top_of_many(x, dim, k, largest)
        if order is not None:
            return np.take_along_axis(x, order, dim), order
    order = _order(x, dim, largest)
    ordered = np.take_along_axis(x, order, dim)
    places = ties.top_places(_rows(order, dim), _rows(ordered, dim), k, in_order)
    lead = np.moveaxis(x, dim, -1).shape[:-1]
    order = np.moveaxis(places.reshape(*lead, k), -1, dim)
    return np.take_along_axis(x, order, dim), order


def _top_of_many(x, dim, k, largest):
    """The indices of the k first, in order, by a partition; None if some are equal."""
    n = x.shape[dim]
    some = np.argpartition(x, n - k - 1 if largest else k, axis=dim)
    wanted = range(n - 1, n - k - 2, -1) if largest else range(k + 1)
    some = np.take(some, wanted, axis=dim)
    values = np.take_along_axis(x, some, dim)
    order = _order(values, dim, largest)
    ordered = np.take_along_axis(values, order, dim)
    if ties.repeats(_rows(ordered, dim)).any():
        return None
    return np.take(np.take_along_axis(some, order, dim), range(k), axis=dim)


def _infer_sort(operands, attrs):
    (x,) = operands
    return tuple(layout_like(x.shape, kind, operands) for kind in (x.dtype, dtypes.int64))


def _infer_top(operands, attrs):
    (x,) = operands
    shape = [attrs["k"] if d == attrs["dim"] else n for d, n in enumerate(x.shape)]
    return intern(shape, x.dtype), intern(shape, dtypes.int64)


def _infer_one(operands, attrs):
    (x,) = operands
    kept = [1 if d == attrs["dim"] else n for d, n in enumerate(x.shape)]
    if not attrs["keepdim"]:
        del kept[attrs["dim"]]
    return intern(kept, x.dtype), intern(kept, dtypes.int64)


def _by_place(g, out, x, *, dim, **attrs):
    """Each cotangent goes where its value came from."""
    g, index = g[0], out[1]
    if not attrs.get("keepdim", True):
        g, index = g.unsqueeze(dim), index.unsqueeze(dim)
    return g.new_zeros(x._meta.shape).scatter_add(dim, index, g)


def _one(pick):
    """A function of (array, dim, keepdim, ...) that picks one element by its place in a vector."""

    def fold(x, dim, keepdim, **attrs):
        rows = np.moveaxis(x, dim, -1)
        index = pick(rows, **attrs)[..., None]
        values = np.take_along_axis(rows, index, -1)
        if not keepdim:
            return values[..., 0], index[..., 0]
        return np.moveaxis(values, -1, dim), np.moveaxis(index, -1, dim)

    return fold


def _by_rows(pick):
    """A function of rows of any number of dims: of (order, sorted rows) as matrices."""

    def places(rows, **attrs):
        order = np.argsort(rows, axis=-1, kind="stable")
        ordered = np.take_along_axis(rows, order, -1)
        found = pick(_rows(order, -1), _rows(ordered, -1), **attrs)
        return found.reshape(rows.shape[:-1])

    return places


def _median(rows, ignore_nan):
    order = np.argsort(rows, axis=-1, kind="stable")
    n = rows.shape[-1]
    nan = rows != rows
    if ignore_nan:
        middle = np.maximum((n - nan.sum(axis=-1) - 1) // 2, 0)
    else:
        middle = np.full(rows.shape[:-1], (n - 1) // 2)
    found = np.take_along_axis(order, middle[..., None], -1)[..., 0]
    if not ignore_nan:
        found = np.where(nan.any(axis=-1), nan.argmax(axis=-1), found)
    return found


def _host(name, infer, numpy):
    return Host(name, infer, numpy, _by_place, multi=True)


sort_op = _host("sort", _infer_sort, _sorted)
sort_op.for_limited = "integers"
topk_op = _host("topk", _infer_top, _top)
kthvalue_op = _host("kthvalue", _infer_one, _one(_by_rows(ties.kth_place)))
median_op = _host("median", _infer_one, _one(_median))
mode_op = _host("mode", _infer_one, _one(_by_rows(ties.mode_place)))
_pairs = {name: named_pair(name) for name in ("sort", "topk", "kthvalue", "mode")}
_pairs |= {name: named_pair(name) for name in ("median", "nanmedian")}


_OF_BOOL = ("sort", "mode")  # the others want numbers


def _need_order(name, x):
    kind = x._meta.dtype
    if kind.is_complex or (kind is dtypes.bool_ and name not in _OF_BOOL):
        error = RuntimeError if name in ("sort", "topk") else NotImplementedError
        raise error(f'"{name}" not implemented for {kind.name} tensors')


def _scalar_pair(name, x):
    return _pairs[name](x.clone(), x.new_zeros((), dtype=dtypes.int64))


@function
def sort(input, *args, dim=-1, descending=False, stable=None):
    """(values, indices) of the elements in order along `dim`; equal ones stay in theirs.

    >>> import flambeau as torch
    >>> torch.sort(torch.tensor([3, 1, 2]))
    torch.return_types.sort(
    values=tensor([1, 2, 3]),
    indices=tensor([1, 2, 0]))
    """
    dim, descending = _sort_arguments(args, dim, descending)
    _need_order("sort", input)
    dim = normalize_dim(dim, len(input._meta.shape))
    if not input._meta.shape:
        return _scalar_pair("sort", input)
    return _pairs["sort"](*sort_op(input, dim=dim, descending=bool(descending)))


def _sort_arguments(args, dim, descending):
    """Those of sort(dim, descending) and of sort(stable, dim, descending)."""
    if args and isinstance(args[0], (bool, type(None))):
        args = args[1:]
    return (*args, *(dim, descending)[len(args) :])


@function
def argsort(input, *args, dim=-1, descending=False, stable=False):
    """The indices that put the elements in order along `dim`."""
    dim, descending = _sort_arguments(args, dim, descending)
    return sort(input, dim=dim, descending=descending)[1]


@function
def msort(input):
    """The elements in order along the first dim."""
    return sort(input, dim=0)[0]


@function
def topk(input, k, dim=-1, largest=True, sorted=True):
    """(values, indices) of the k largest or smallest elements along `dim`, in order if `sorted`."""
    _need_order("topk", input)
    shape = input._meta.shape
    dim = normalize_dim(dim, len(shape))
    k = int(k)
    if not 0 <= k <= (shape[dim] if shape else 1):
        raise RuntimeError("selected index k out of range")
    if not shape:
        return _scalar_pair("topk", input)
    found = topk_op(input, dim=dim, k=k, largest=bool(largest), in_order=bool(sorted))
    return _pairs["topk"](*found)


def _need_elements(name, input, dim):
    if input._meta.shape and not input._meta.shape[dim]:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


@function(out="exact")
def kthvalue(input, k, dim=-1, keepdim=False):
    """(value, index) of the k-th smallest element along `dim`, counted from 1."""
    _need_order("kthvalue", input)
    shape = input._meta.shape
    dim = normalize_dim(dim, len(shape))
    _need_elements("kthvalue", input, dim)
    if not 1 <= k <= (shape[dim] if shape else 1):
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(dim))
    if not shape:
        return _scalar_pair("kthvalue", input)
    return _pairs["kthvalue"](*kthvalue_op(input, dim=dim, keepdim=bool(keepdim), k=int(k)))


def _infer_middle(operands, attrs):
    return intern((), operands[0].dtype)


def _middle(x, ignore_nan):
    flat = x.reshape(1, -1)
    if not flat.size:
        return np.asarray(np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).min).astype(x.dtype)
    return flat[0, _median(flat, ignore_nan)[0]]


middle_op = Host("median", _infer_middle, _middle)


@middle_op.vjp
def _(g, out, x, *, ignore_nan):
    same = ew.logical_or(ew.eq(x, out), ew.logical_and(ew.isnan(x), ew.isnan(out)))
    dims = tuple(range(len(x._meta.shape)))
    count = sum_op(same, dims=dims, keepdim=False, dtype=None)
    return ew.where(same, g / cast_to(count, g._meta.dtype), 0)


def _publish_median(name, ignore_nan):
    def fold(input, dim=None, keepdim=False):
        _need_order(name, input)
        if dim is None:
            return middle_op(input, ignore_nan=ignore_nan)
        dim = normalize_dim(dim, len(input._meta.shape))
        _need_elements(name, input, dim)
        if not input._meta.shape:
            return _scalar_pair(name, input)
        found = median_op(input, dim=dim, keepdim=bool(keepdim), ignore_nan=ignore_nan)
        return _pairs[name](*found)

    fold.__name__ = name
    fold.__doc__ = (
        f"The median{' of what is not NaN' if ignore_nan else ''}, the lower of two; "
        "with `dim` (value, index) along it."
    )
    return function(fold)


median, nanmedian = _publish_median("median", False), _publish_median("nanmedian", True)


@function
def mode(input, dim=-1, keepdim=False):
    """(value, index) of the most frequent element along `dim`, the smallest of several."""
    _need_order("mode", input)
    dim = normalize_dim(dim, len(input._meta.shape))
    _need_elements("mode", input, dim)
    if not input._meta.shape:
        return _scalar_pair("mode", input)
    return _pairs["mode"](*mode_op(input, dim=dim, keepdim=bool(keepdim)))


# Quantiles

INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile_arguments(name, input, q, interpolation):
    if input._meta.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        return make_tensor(float(q), dtype=input._meta.dtype)
    if len(q._meta.shape) > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q._meta.dtype is not input._meta.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if q._meta.numel and not bool(ew.logical_and(ew.ge(q, 0), ew.le(q, 1)).all()):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    return q


def _ranks(ordered, q, ignore_nan):
    """The (fractional) places of the quantiles among ordered rows: [..., number of q]."""
    last = ordered._meta.shape[-1] - 1
    nan = ew.isnan(ordered)
    if ignore_nan:
        count = ew.logical_not(nan).sum(-1, keepdim=True) - 1
        return (q * cast_to(count, q._meta.dtype)).clamp(min=0)
    ranks = (q * float(last)).expand((*ordered._meta.shape[:-1], q._meta.shape[0]))
    return ew.where(nan.any(-1, keepdim=True), float(last), ranks)


def _interpolated(ordered, ranks, interpolation):
    if interpolation in ("lower", "higher", "nearest"):
        step = {"lower": ew.floor, "higher": ew.ceil, "nearest": ew.round}[interpolation]
        return gather(ordered, -1, cast_to(step(ranks), dtypes.int64))
    low = ew.floor(ranks)
    below = gather(ordered, -1, cast_to(low, dtypes.int64))
    above = gather(ordered, -1, cast_to(ew.ceil(ranks), dtypes.int64))
    weight = ranks - low if interpolation == "linear" else 0.5
    if interpolation == "midpoint":
        return below + weight * (above - below)
    width = above - below
    return ew.where(ew.lt(weight, 0.5), below + weight * width, above - width * (1 - weight))


def _publish_quantile(name, ignore_nan):
    def fold(input, q, dim=None, keepdim=False, *, interpolation="linear"):
        scalar = not isinstance(q, Tensor) or not q._meta.shape
        q = _quantile_arguments(name, input, q, interpolation)
        if not input._meta.numel:
            raise RuntimeError(f"{name}() input tensor must be non-empty")
        ndim = len(input._meta.shape)
        where = None if dim is None else normalize_dim(dim, ndim)
        rows = (
            input.reshape(-1)
            if where is None
            else input.movedim(where, -1)
            if ndim
            else (input.reshape(1))
        )
        ordered = sort(rows, dim=-1)[0]
        found = _interpolated(ordered, _ranks(ordered, q.reshape(-1), ignore_nan), interpolation)
        found = found.movedim(-1, 0)  # [number of q, ...]
        if keepdim and ndim:
            if where is None:
                found = found.reshape([found._meta.shape[0]] + [1] * ndim)
            else:
                found = found.unsqueeze(where + 1)
        return found.squeeze(0) if scalar else found

    fold.__name__ = name
    fold.__doc__ = (
        f"The q-quantiles along `dim` (of all elements without){' but NaN' if ignore_nan else ''};"
        " of several q in a first dim."
    )
    return function(fold)


quantile, nanquantile = _publish_quantile("quantile", False), _publish_quantile("nanquantile", True)
