"""Sparse tensors rearranged, cut and joined: only their indices change."""

import numpy as np

import flambeau

from ..recorder.sync import to_array
from .base import could_not_run, form, index_tensor, is_dense
from .coo import CooTensor, flat_places
from .csr import CompressedTensor

__all__ = []


def _require_coordinates(name, x):
    if not isinstance(x, CooTensor):
        raise could_not_run(name, x.backend)


@form
def t(input):
    """The transposed matrix; a vector as it is."""
    if input.ndim > 2 or input.dense_dim():
        raise RuntimeError(
            "t() expects a tensor with <= 2 sparse and 0 dense dimensions, but got "
            f"{input.sparse_dim()} sparse and {input.dense_dim()} dense dimensions"
        )
    if input.ndim < 2:
        return input
    return _permuted(input, (1, 0), "TBackward0")


@form("transpose", "swapaxes", "swapdims")
def transpose(input, dim0, dim1):
    """The tensor with two of its sparse dims swapped."""
    a, b = input._dim(dim0), input._dim(dim1)
    if a == b:
        return input
    if max(a, b) >= input.sparse_dim():
        raise RuntimeError(
            "sparse transpose: transposed dimensions must be sparse Got sparse_dim: "
            f"{input.sparse_dim()}, d0: {a}, d1: {b}"
        )
    order = list(range(input.ndim))
    order[a], order[b] = b, a
    return _permuted(input, order, "TransposeBackward0")


@form
def permute(input, *dims):
    """The tensor with its dims in another order, the sparse ones still first."""
    _require_coordinates("permute", input)
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    order = [input._dim(d) for d in dims]
    if sorted(order) != list(range(input.ndim)):
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions: {list(dims)} for {input.ndim} dims"
        )
    if order == sorted(order):
        return input
    if any((d < input.sparse_dim()) is not (k < input.sparse_dim()) for k, d in enumerate(order)):
        raise RuntimeError(
            "permute(sparse_coo): transpositions between sparse and dense dimensions are not "
            "allowed.Only transpositions within sparse and dense dimensions are supported."
        )
    return _permuted(input, order, "PermuteBackward0")


def _permuted(x, order, name):
    split = x.sparse_dim()
    values = x._val
    inner = [d - split + 1 for d in order[split:]]
    if inner != sorted(inner):
        values = values.permute(0, *inner)
    shape = [x.shape[d] for d in order]
    return CooTensor.of(x._ind[list(order[:split])], values, shape, False, name)


@form
def unsqueeze(input, dim):
    """The tensor with a new dim of size 1."""
    if isinstance(input, CompressedTensor):
        raise RuntimeError("Sparse CSR tensors do not have strides")
    dim, split = input._dim(dim, input.ndim + 1), input.sparse_dim()
    shape = [*input.shape[:dim], 1, *input.shape[dim:]]
    if dim > split:
        return CooTensor.of(input._ind, input._val.unsqueeze(dim - split + 1), shape)
    row = flambeau.zeros(1, input._nnz(), dtype=flambeau.int64)
    indices = flambeau.cat([input._ind[:dim], row, input._ind[dim:]])
    return CooTensor.of(indices, input._val, shape)


@form
def select(input, dim, index):
    """The slice at one index of a dim; dense if that was the last sparse dim."""
    dim = input._dim(dim)
    size = input.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at "
            f"dimension {dim}"
        )
    index = int(index) % size
    if isinstance(input, CompressedTensor):
        return select(input._coo().coalesce(), dim, index).coalesce()
    split, shape = input.sparse_dim(), [n for d, n in enumerate(input.shape) if d != dim]
    if dim >= split:
        values = input._val.select(dim - split + 1, index)
        return CooTensor.of(input._ind, values, shape, input._coalesced)
    flat_places(input)  # checks the indices
    at = index_tensor(np.nonzero(to_array(input._ind)[dim] == index)[0])
    values = input._val[at]
    if split == 1:
        return values.sum(0, dtype=input.dtype)
    kept = [d for d in range(split) if d != dim]
    return CooTensor.of(input._ind[kept][:, at], values, shape, False)


@form
def unbind(input, dim=0):
    """The slices along a dim."""
    return tuple(select(input, dim, k) for k in range(input.shape[input._dim(dim)]))


@form
def index_select(input, dim, index):
    """The slices at several indices of a dim."""
    _require_coordinates("index_select", input)
    dim, split = input._dim(dim), input.sparse_dim()
    if index.ndim != 1 or index.dtype not in (flambeau.int64, flambeau.int32):
        raise IndexError(
            "index_select() argument index must be 1-D strided (non-sparse) long-tensor."
        )
    size, wanted = input.shape[dim], to_array(index)
    for k in wanted:
        if not -size <= k < size:
            raise IndexError(
                f"index_select(): index contains {k} that is out of range for tensor of size "
                f"{list(input.shape)} at dimension {dim}"
            )
    shape = list(input.shape)
    shape[dim] = len(wanted)
    if dim >= split:
        values = input._val.index_select(dim - split + 1, index)
        return CooTensor.of(input._ind, values, shape, input._coalesced)
    return _picked(input, dim, wanted % max(size, 1), shape)


def _picked(x, dim, wanted, shape):
    """The entries whose index in a sparse dim is `wanted[k]`, which becomes `k`."""
    lines = to_array(x._ind)[dim]
    hits = [np.nonzero(lines == k)[0] for k in wanted]
    at = index_tensor(np.concatenate([*hits, np.zeros(0, np.int64)]))
    fresh = index_tensor(np.repeat(np.arange(len(hits)), [len(h) for h in hits]))
    rows = [fresh if d == dim else row[at] for d, row in enumerate(x._ind)]
    return CooTensor.of(flambeau.stack(rows), x._val[at], shape)


@form
def narrow_copy(input, dim, start, length):
    """The slices from `start` on, `length` of them."""
    _require_coordinates("narrow_copy", input)
    dim = input._dim(dim)
    if length < 0 or not 0 <= start <= input.shape[dim] - length:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({input.shape[dim]})."
        )
    shape = list(input.shape)
    shape[dim] = length
    if dim >= input.sparse_dim():
        values = input._val.narrow(dim - input.sparse_dim() + 1, start, length)
        return CooTensor.of(input._ind, values, shape, input._coalesced)
    lines = to_array(input._ind)[dim]
    at = index_tensor(np.nonzero((lines >= start) & (lines < start + length))[0])
    rows = [row[at] - start if d == dim else row[at] for d, row in enumerate(input._ind)]
    return CooTensor.of(flambeau.stack(rows), input._val[at], shape, input._coalesced)


@form("cat", "concat", "concatenate")
def cat(tensors, dim=0):
    """Sparse tensors joined along a dim."""
    tensors = list(tensors)
    for k, x in enumerate(tensors):
        if is_dense(x):
            raise RuntimeError(
                f"Concatenating sparse tensors, but a dense tensor was found at position {k}."
            )
        if isinstance(x, CompressedTensor):
            raise RuntimeError("Sparse CSR tensors do not have is_contiguous")
    first = tensors[0]
    dim, split = first._dim(dim), first.sparse_dim()
    for k, x in enumerate(tensors):
        _check_joinable(first, x, dim, k)
    shape = list(first.shape)
    shape[dim] = sum(x.shape[dim] for x in tensors)
    indices, values, start = [], [], 0
    for x in tensors:
        rows, entries = x._ind, x._val
        if dim < split:
            rows = flambeau.stack([r + start if d == dim else r for d, r in enumerate(rows)])
        else:
            entries = _within(entries, dim - split + 1, start, shape[dim])
        indices.append(rows)
        values.append(entries)
        start += x.shape[dim]
    return CooTensor.of(flambeau.cat(indices, 1), flambeau.cat(values), shape)


def _check_joinable(first, x, dim, place):
    dims, found = (first.sparse_dim(), first.dense_dim()), (x.sparse_dim(), x.dense_dim())
    if dims != found:
        raise RuntimeError(
            f"All tensors must have the same sparse_dim and dense_dim: {dims[0]}, {dims[1]}, but "
            f"tensor at position {place} has {found[0]}, {found[1]}."
        )
    if any(a != b for d, (a, b) in enumerate(zip(first.shape, x.shape, strict=True)) if d != dim):
        raise RuntimeError(
            f"All tensors must have the same shape: {list(first.shape)} (except in the "
            f"concatenating dimension), but found shape: {list(x.shape)} at position {place}."
        )


def _within(values, dim, start, size):
    """Values with zeros before and after them along a dim."""
    parts = [values]
    for where, count in ((0, start), (2, size - start - values.shape[dim])):
        shape = list(values.shape)
        shape[dim] = count
        parts.insert(where, flambeau.zeros(shape, dtype=values.dtype))
    return flambeau.cat(parts, dim)


@form
def stack(tensors, dim=0):
    """Sparse tensors joined along a new dim."""
    return cat([x if is_dense(x) else unsqueeze(x, dim) for x in tensors], dim)


@form("__getitem__")
def getitem(input, index):
    """Slices by ints, `None` and `...`; ranges and tensors of indices are refused."""
    index = index if isinstance(index, tuple) else (index,)
    count = sum(k is not None and k is not ... for k in index)
    if count > input.ndim:
        raise IndexError(f"too many indices for tensor of dimension {input.ndim}")
    made, dim = input, 0
    for k in index:
        if k is ...:
            dim += input.ndim - count
        elif k is None:
            made = made.unsqueeze(dim)
            dim += 1
        elif isinstance(k, slice):
            if k != slice(None) or len(index) == 1:
                raise could_not_run("as_strided", input.backend)
            dim += 1
        elif isinstance(k, (int, np.integer)) and not isinstance(k, bool):
            size = made.shape[dim]
            if not -size <= k < size:
                raise IndexError(f"index {k} is out of bounds for dimension {dim} with size {size}")
            made = made.select(dim, int(k))
        else:
            raise could_not_run("index.Tensor", input.backend)
    return made


@form("reshape", "flatten", "view_as")
def _reshape(input, *args, **kwargs):
    raise RuntimeError("reshape is not implemented for sparse tensors")


@form("expand", "broadcast_to", "repeat", "expand_as", "tile")
def _expand(input, *args, **kwargs):
    raise RuntimeError("expand is unsupported for Sparse tensors")
