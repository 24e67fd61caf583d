"""Sparse tensors from their parts, from dense tensors, and from the pattern of others."""

import numpy as np

import flambeau

from ..formats import sparse_coo, sparse_csc, sparse_csr, strided
from ..recorder.handle import Size, Tensor, require_device
from ..recorder.sync import to_array
from .arithmetic import gather
from .base import (
    FORMS,
    SparseTensor,
    check_writable,
    could_not_run,
    form,
    index_tensor,
    is_dense,
)
from .coo import CooTensor, at_places, flat_places
from .csr import CompressedTensor, compress
from .invariants import check_compressed, check_sparse_tensor_invariants, checked_shape

__all__ = [
    "empty_of",
    "mask_with",
    "sparse_compressed_tensor",
    "sparse_coo_tensor",
    "sparse_csc_tensor",
    "sparse_csr_tensor",
    "to_coordinates",
    "to_rows",
]


def _values(values, dtype):
    """Values as a tensor of a dtype; one that gradients are recorded for stays what it is."""
    if not isinstance(values, Tensor):
        return flambeau.tensor(values, dtype=dtype)
    return values if dtype is None else values.to(dtype)


def _finish(made, values, requires_grad, name):
    """A tensor of given values as a leaf, unless gradients pass through them."""
    if values.requires_grad and not requires_grad:
        made._val, made._name = values.view(values.shape), name
        return made
    made._val = values.detach()
    return made.requires_grad_(requires_grad)


def sparse_coo_tensor(
    indices=None,
    values=None,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
    is_coalesced=None,
):
    """A sparse tensor by coordinates: `values[k]` is at the index `indices[:, k]`.

    Args:
        indices: integers of shape (sparse_dim, nnz); an index may occur again: its values add up.
        values: a tensor of shape (nnz, *dense_shape), or nested numbers.
        size: the shape; as large as the indices ask for by default. Alone, it gives zeros.
        dtype: that of the elements.
        requires_grad: make it a leaf that gradients are recorded for.
        check_invariants: check that the indices fit the shape; off by default.
        is_coalesced: whether the indices are known to be sorted and to occur once.

    Raises RuntimeError for parts that do not fit each other.

    >>> import flambeau as torch
    >>> x = torch.sparse_coo_tensor([[0, 1], [2, 0]], [3.0, 4.0], (2, 3))
    >>> x
    tensor(indices=tensor([[0, 1],
                           [2, 0]]),
           values=tensor([3., 4.]),
           size=(2, 3), nnz=2, layout=torch.sparse_coo)
    >>> x.to_dense()
    tensor([[0., 0., 3.],
            [4., 0., 0.]])
    """
    require_device(device)
    if values is None:
        shape = indices if size is None else size
        if not isinstance(shape, (tuple, list)):
            raise TypeError(
                "sparse_coo_tensor(): argument 'size' (position 1) must be tuple of ints, not "
                f"{type(shape).__name__}"
            )
        return _zeros_coo(shape, dtype or flambeau.get_default_dtype()).requires_grad_(
            requires_grad
        )
    if size is not None and not isinstance(size, (tuple, list)):
        raise TypeError(
            "sparse_coo_tensor() received an invalid combination of arguments: size must be tuple "
            f"of ints, not {type(size).__name__}"
        )
    if isinstance(indices, str):
        raise TypeError("new(): invalid data type 'str'")
    indices = _values(indices, None).detach().to(flambeau.int64)
    values = _values(values, dtype)
    shape = checked_shape(indices, values, size)
    made = CooTensor.of(indices, values, shape, bool(is_coalesced))
    checks = check_sparse_tensor_invariants.is_enabled()
    if checks if check_invariants is None else check_invariants:
        places = flat_places(made)
        if is_coalesced and (np.diff(places) <= 0).any():
            raise RuntimeError(
                "cannot set is_coalesced to true if indices correspond to uncoalesced COO tensor"
            )
    return _finish(made, values, requires_grad, "SparseCooTensorWithDimsAndTensorsBackward0")


def _zeros_coo(shape, dtype):
    indices = flambeau.zeros(len(shape), 0, dtype=flambeau.int64)
    return CooTensor.of(indices, flambeau.zeros(0, dtype=dtype), shape, True)


def sparse_csr_tensor(
    crow_indices,
    col_indices,
    values,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
):
    """A sparse matrix in compressed rows: those of row `k` are `crow[k]` to `crow[k + 1] - 1`.

    Args:
        crow_indices: where the entries of each row begin, and the last ones end.
        col_indices: the column of each entry.
        values: the entries.
        size: the shape; as large as the indices ask for by default.
        dtype: that of the elements.
        requires_grad: make it a leaf that gradients are recorded for.
        check_invariants: check that the indices make a matrix; off by default.

    Raises RuntimeError for parts that do not fit each other, if that is checked.

    >>> import flambeau as torch
    >>> torch.sparse_csr_tensor([0, 1, 3], [2, 0, 2], [1.0, 2.0, 3.0], (2, 3)).to_dense()
    tensor([[0., 0., 1.],
            [2., 0., 3.]])
    """
    require_device(device)
    parts = crow_indices, col_indices, values, size
    return _compressed(parts, True, dtype, requires_grad, check_invariants)


def sparse_csc_tensor(
    ccol_indices,
    row_indices,
    values,
    size=None,
    *,
    dtype=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    check_invariants=None,
):
    """As `sparse_csr_tensor`, with compressed columns."""
    require_device(device)
    parts = ccol_indices, row_indices, values, size
    return _compressed(parts, False, dtype, requires_grad, check_invariants)


def sparse_compressed_tensor(
    compressed_indices, plain_indices, values, size=None, *, layout=sparse_csr, **options
):
    """As `sparse_csr_tensor` or `sparse_csc_tensor`, by layout."""
    if layout not in (sparse_csr, sparse_csc):
        raise RuntimeError(f"sparse_compressed_tensor: unsupported layout {layout}")
    make = sparse_csr_tensor if layout is sparse_csr else sparse_csc_tensor
    return make(compressed_indices, plain_indices, values, size, **options)


def _compressed(parts, by_rows, dtype, requires_grad, check):
    starts, others, values, size = parts
    starts, others = (_values(x, None).detach() for x in (starts, others))
    values = _values(values, dtype)
    if size is None:
        count = starts.shape[-1] - 1
        width = int(others.max()) + 1 if others.numel() else 0
        size = (count, width) if by_rows else (width, count)
        size = (*size, *values.shape[1:])
    made = CompressedTensor.of(starts, others, values, size, by_rows)
    if check_sparse_tensor_invariants.is_enabled() if check is None else check:
        check_compressed(made)
    return _finish(made, values, requires_grad, "SparseCompressedTensorBackward0")


# Dense tensors made sparse


def to_coordinates(x, sparse_dim=None):
    """A dense tensor as a COO one: what is not zero over its first `sparse_dim` dims."""
    split = x.ndim if sparse_dim is None else sparse_dim
    if not 0 <= split <= x.ndim:
        raise RuntimeError(
            f"dense_to_sparse: sparse_dim argument must be in [0,{x.ndim}] range, but "
            f"{sparse_dim} is given"
        )
    if split == 0 and x.ndim:
        raise RuntimeError("dense_to_sparse: sparse_dim argument must be in >0 when self.dim()>0")
    name = "ToSparseBackward1" if sparse_dim is None else "ToSparseBackward0"
    if not x.ndim:
        count = int(bool(x.detach() != 0))
        values = x.reshape(1)[:count]
        return CooTensor.of(flambeau.zeros(0, count, dtype=flambeau.int64), values, (), True, name)
    array = to_array(x.detach())
    used = array != 0
    if split < x.ndim:
        used = used.reshape(*x.shape[:split], -1).any(-1)
    places = np.stack(np.nonzero(used))
    made = CooTensor.of(index_tensor(places), gather(x, places), x.shape, True)
    made._name = name if x.requires_grad else None
    return made


def to_rows(x, dense_dim=None):
    """A dense matrix as a CSR one."""
    if x.ndim != 2 or dense_dim:
        raise RuntimeError(
            "to_sparse_csr: expected a matrix without dense dims, but got a tensor of "
            f"{x.ndim} dims and dense_dim={dense_dim}"
        )
    return compress(to_coordinates(x), "ToSparseCsrBackward0" if x.requires_grad else None)


def mask_with(x, mask):
    """The elements of `x` that a sparse tensor `mask` stores, in its layout."""
    if not isinstance(mask, SparseTensor):
        raise could_not_run("sparse_mask", "CPU")
    if x.shape != mask.shape:
        raise RuntimeError(
            "sparse_mask(): operands have incompatible sizes; self has size "
            f"{list(x.shape)} but mask has size {list(mask.shape)}"
        )
    name = "SparseMaskBackward0" if x.requires_grad else None
    pattern = mask._coo() if isinstance(mask, CompressedTensor) else mask
    if is_dense(x):
        return mask._with(gather(x, pattern), name)
    x = (x._coo() if isinstance(x, CompressedTensor) else x).coalesce()
    return mask._with(at_places(x, flat_places(pattern)), name)


form("sparse_mask")(mask_with)


# Tensors like sparse ones


def empty_of(shape, dtype, layout):
    """A tensor of zeros that stores none of them."""
    if layout is sparse_coo:
        return _zeros_coo(tuple(shape), dtype)
    if layout not in (sparse_csr, sparse_csc) or len(shape) != 2:
        raise RuntimeError(f"zeros(...) is not implemented for {layout} and {len(shape)} dims")
    by_rows = layout is sparse_csr
    starts = flambeau.zeros(shape[0 if by_rows else 1] + 1, dtype=flambeau.int64)
    others = flambeau.zeros(0, dtype=flambeau.int64)
    return CompressedTensor.of(starts, others, flambeau.zeros(0, dtype=dtype), shape, by_rows)


@form("zeros_like", "empty_like")
def _zeros_like(
    input, *, dtype=None, layout=None, device=None, requires_grad=False, memory_format=None
):
    require_device(device)
    layout, dtype = layout or input.layout, dtype or input.dtype
    if layout is strided:
        return flambeau.zeros(input.shape, dtype=dtype, requires_grad=requires_grad)
    return empty_of(input.shape, dtype, layout).requires_grad_(requires_grad)


@form("new_zeros", "new_empty")
def _new_zeros(input, *size, dtype=None, layout=None, device=None, requires_grad=False):
    size = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
    made = empty_of(size, dtype or input.dtype, layout or input.layout)
    return made.requires_grad_(requires_grad)


@form("new_tensor")
def _new_tensor(input, data, *, dtype=None, device=None, requires_grad=False):
    return flambeau.tensor(data, dtype=dtype or input.dtype, requires_grad=requires_grad)


@form("zero_")
def _zero_in_place(input):
    check_writable(input, "zero_")
    return input._become(empty_of(input.shape, input.dtype, input.layout))


@form("copy_")
def _copy_in_place(input, src, non_blocking=False):
    if is_dense(input) or is_dense(src) or input.layout is not src.layout:
        raise RuntimeError(
            "copy_() between dense and sparse Tensors is not implemented! Found self layout "
            f"{input.layout} and src layout {src.layout}"
        )
    if input.shape != src.shape:
        raise RuntimeError(
            f"copy_(): sizes {list(input.shape)} and {list(src.shape)} must be the same"
        )
    check_writable(input, "copy_")
    return input._become(src.to(input.dtype).clone())


def _resized(input, size, sparse_dim, dense_dim, entries):
    if len(size) != sparse_dim + dense_dim:
        raise RuntimeError(
            f"'len(size) == sparse_dim + dense_dim' is not satisfied: len(size) = {len(size)}, "
            f"sparse_dim = {sparse_dim}, dense_dim = {dense_dim}"
        )
    if entries and (sparse_dim, dense_dim) != (input.sparse_dim(), input.dense_dim()):
        raise RuntimeError("changing the number of sparse or dense dims needs an empty tensor")
    input._shape, input._places = Size(size), None
    if not entries:
        input._ind = flambeau.zeros(sparse_dim, 0, dtype=flambeau.int64)
        input._val = flambeau.zeros(0, *size[sparse_dim:], dtype=input.dtype)
        input._coalesced = True
    return input


@form
def sparse_resize_(input, size, sparse_dim, dense_dim):
    """Change the shape of a COO tensor in place; its entries stay where they are."""
    return _resized(input, size, sparse_dim, dense_dim, input._nnz())


@form
def sparse_resize_and_clear_(input, size, sparse_dim, dense_dim):
    """Change the shape of a COO tensor in place and forget its entries."""
    return _resized(input, size, sparse_dim, dense_dim, 0)


@form("mul_", "multiply_")
def _mul_in_place(input, other):
    made = FORMS["mul"](input, other)
    if is_dense(input):
        return input.copy_(made.to_dense())
    check_writable(input, "mul_")
    if made.dtype is not input.dtype:
        raise RuntimeError(
            f"dtype of values ({made.dtype}) must match dtype of sparse tensor ({input.dtype})"
        )
    return input._become(made)
