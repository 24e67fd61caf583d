"""Methods of dense tensors that are about sparse ones: they make them, or are refused."""

from .ops.api import method

__all__ = []


@method
def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
    """The tensor as a sparse one, by coordinates or in another sparse layout.

    sparse_dim: the number of dims that get indices; all by default. Raises RuntimeError if there
    are no so many.
    """
    from .formats import sparse_coo, sparse_csr, strided
    from .sparse.creation import to_coordinates

    if layout is sparse_csr:
        return to_sparse_csr(self, dense_dim)
    if layout is strided:
        return self
    if layout not in (None, sparse_coo):
        raise RuntimeError(f"to_sparse: conversion from torch.strided to {layout} is not supported")
    return to_coordinates(self, sparse_dim)


@method
def to_sparse_coo(self):
    """The tensor by coordinates."""
    return to_sparse(self)


@method
def to_sparse_csr(self, dense_dim=None):
    """The matrix in compressed rows. Raises RuntimeError for a tensor that is no matrix."""
    from .sparse.creation import to_rows

    return to_rows(self, dense_dim)


@method
def sparse_mask(self, mask):
    """The elements at the indices of a sparse tensor of the same shape, in its layout."""
    from .sparse.creation import mask_with

    return mask_with(self, mask)


@method
def sparse_dim(self):
    """0: the number of dims that indices are for."""
    return 0


@method
def dense_dim(self):
    """The number of dims."""
    return self.ndim


@method
def _nnz(self):
    raise NotImplementedError("Could not run 'aten::_nnz' with arguments from the 'CPU' backend")


def _refuse(name, expected):
    def refused(self):
        raise RuntimeError(f"{name} expected {expected} tensor layout but got Strided")

    refused.__name__ = name
    refused.__doc__ = "Refused: the tensor is not sparse. Raises RuntimeError."
    method(refused)


for _name in ("coalesce", "indices", "is_coalesced"):
    _refuse(_name, "sparse coordinate")
for _name in ("col_indices", "crow_indices"):
    _refuse(_name, "sparse row compressed")
for _name in ("ccol_indices", "row_indices"):
    _refuse(_name, "sparse column compressed")
_refuse("values", "sparse")
