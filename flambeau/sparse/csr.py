"""Compressed rows: a sparse matrix as where each row begins, the columns, and the elements."""

import numpy as np

import flambeau

from .. import dtypes
from ..formats import sparse_csc, sparse_csr
from ..ops.from_data import from_array
from ..recorder.handle import Size
from ..recorder.sync import to_array
from .base import SparseTensor, could_not_run, form, index_tensor, plain_copy
from .coo import CooTensor, flat_places

__all__ = ["CompressedTensor", "compress"]


class CompressedTensor(SparseTensor):
    """A matrix of which one dim is compressed: the rows (CSR) or, transposed, the columns (CSC).

    The entries of row (or column) `k` are those from `_starts[k]` to `_starts[k + 1]`, in the
    columns (or rows) `_others`.
    """

    @staticmethod
    def of(starts, others, values, shape, by_rows=True, name=None):
        """A tensor with these parts, which are not looked at."""
        self = object.__new__(CompressedTensor)
        self._starts, self._others, self._val = starts, others, values
        self._shape, self._by_rows, self._name = Size(shape), by_rows, name
        return self

    def _with(self, values, name=None):
        parts = self._starts, self._others, values, self._shape
        return CompressedTensor.of(*parts, self._by_rows, name)

    _gradient = _with

    layout = property(lambda self: sparse_csr if self._by_rows else sparse_csc)
    backend = property(lambda self: f"{self.kind}CPU")
    kind = property(lambda self: "SparseCsr" if self._by_rows else "SparseCsc")
    is_sparse_csr = property(lambda self: self._by_rows)
    nbytes = property(lambda self: self.numel() * self.element_size())

    def crow_indices(self):
        """Where each row begins, and the last ends. Raises RuntimeError unless it is CSR."""
        return self._part(self._starts, self._by_rows, "crow_indices", "row")

    def col_indices(self):
        """The column of each entry. Raises RuntimeError unless it is CSR."""
        return self._part(self._others, self._by_rows, "col_indices", "row")

    def ccol_indices(self):
        """Where each column begins, and the last ends. Raises RuntimeError unless it is CSC."""
        return self._part(self._starts, not self._by_rows, "ccol_indices", "column")

    def row_indices(self):
        """The row of each entry. Raises RuntimeError unless it is CSC."""
        return self._part(self._others, not self._by_rows, "row_indices", "column")

    def _part(self, part, is_there, name, kind):
        if not is_there:
            raise RuntimeError(
                f"{name} expected sparse {kind} compressed tensor layout but got {self.kind}"
            )
        return part

    def values(self):
        """The entries."""
        return plain_copy(self._val)

    def _indices(self):
        raise could_not_run("_indices", self.backend)

    def _values(self):
        raise could_not_run("_values", self.backend)

    def sparse_dim(self):
        """2: rows and columns."""
        return 2

    def dense_dim(self):
        """The number of dims of which every entry has all elements."""
        return self._val.ndim - 1

    def stride(self, dim=None):
        """Refused. Raises RuntimeError."""
        raise RuntimeError("Sparse CSR tensors do not have strides")

    def is_contiguous(self, memory_format=None):
        """Refused. Raises RuntimeError."""
        raise RuntimeError("Sparse CSR tensors do not have is_contiguous")

    def type(self, dtype=None, non_blocking=False):
        """The tensor cast to a type; what its own is called is undefined. Raises RuntimeError."""
        if dtype is None:
            raise RuntimeError(f"Unimplemented backend {self.backend}")
        return self._with(self._val.type(dtype))

    def _coo(self):
        """The same matrix by coordinates, its entries in the order they have here."""
        starts, others = to_array(self._starts), to_array(self._others)
        _check_starts(starts, others, self._shape[0 if self._by_rows else 1])
        lines = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        pair = (lines, others) if self._by_rows else (others, lines)
        return CooTensor.of(index_tensor(np.stack(pair)), self._val, self._shape, self._by_rows)

    def to_dense(self, dtype=None, *, masked_grad=True):
        """The matrix with all of its elements."""
        return self._coo().to_dense(dtype)

    def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
        """The matrix by coordinates, or in another sparse layout."""
        if layout is not None and layout is self.layout:
            return self
        return self._coo().coalesce()

    def to_sparse_coo(self):
        """The matrix by coordinates."""
        return self.to_sparse()

    def to_sparse_csr(self, dense_dim=None):
        """The matrix in compressed rows; itself if it is so already."""
        return self if self._by_rows else compress(self._coo().coalesce())

    def transpose(self, dim0, dim1):
        """The transposed matrix: rows become columns, and the layout CSC."""
        if self._dim(dim0) == self._dim(dim1):
            return self
        shape = (self._shape[1], self._shape[0], *self._shape[2:])
        parts = self._starts, self._others, self._val, shape
        return CompressedTensor.of(*parts, not self._by_rows, "TransposeBackward0")

    def t(self):
        """The transposed matrix."""
        return self.transpose(0, 1)

    def clone(self, memory_format=None):
        """A copy with memory of its own."""
        parts = self._starts.clone(), self._others.clone(), self._val.clone()
        return CompressedTensor.of(*parts, self._shape, self._by_rows)

    def __reduce_ex__(self, protocol):
        parts = self._starts, self._others, self._val.detach(), tuple(self._shape)
        return _rebuild, (*parts, self._by_rows, self.requires_grad)


def _rebuild(starts, others, values, shape, by_rows, requires_grad):
    made = CompressedTensor.of(starts, others, values, shape, by_rows)
    return made.requires_grad_(requires_grad)


def _check_starts(starts, others, lines):
    """Raise RuntimeError for starts that do not cut the entries into that many lines."""
    good = len(starts) == lines + 1 and starts[0] == 0 and starts[-1] == len(others)
    if not good or (np.diff(starts) < 0).any():
        raise RuntimeError(
            f"the compressed indices do not cut {len(others)} entries into {lines} lines: "
            f"{starts.tolist()}"
        )


def compress(x, name=None, like=None):
    """A COO matrix in compressed rows; the indices get the dtype that they have in `like`."""
    if x.sparse_dim() != 2:
        raise RuntimeError(
            f"only matrices have compressed rows here: got a tensor of {x.sparse_dim()} sparse and "
            f"{x.dense_dim()} dense dims"
        )
    x = x.coalesce()
    rows, columns = np.divmod(flat_places(x), max(x._shape[1], 1))
    starts = np.zeros(x._shape[0] + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=x._shape[0]), out=starts[1:])
    made = _as_like(starts, like), _as_like(columns, like)
    return CompressedTensor.of(*made, plain_copy(x._val) if name else x._val, x._shape, True, name)


def _as_like(indices, like):
    if like is None or like._starts.dtype is not flambeau.int32:
        return index_tensor(indices)
    return from_array(indices.astype(np.int32), dtypes.int32)


@form("crow_indices", "col_indices")
def _rows_of_others(input):
    raise RuntimeError(
        f"crow_indices expected sparse row compressed tensor layout but got {input.kind}"
    )
