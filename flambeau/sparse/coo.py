"""Coordinates: a sparse tensor as a list of indices and of the elements, or slices, at them."""

import numpy as np

import flambeau

from ..formats import sparse_coo
from ..ops.core import composite
from ..recorder.handle import Size
from ..recorder.sync import to_array
from .base import SparseTensor, form, index_tensor, plain_copy

__all__ = ["CooTensor", "at_places", "flat_places", "sum_into"]


class CooTensor(SparseTensor):
    """A tensor that is given by coordinates.

    `_ind` has shape (sparse_dim, nnz), `_val` has shape (nnz, *dense_shape). An index that occurs
    several times means the sum of its values, unless the tensor is coalesced.
    """

    layout = sparse_coo
    backend, kind = "SparseCPU", "Sparse"
    is_sparse = True
    _places = None

    @staticmethod
    def of(indices, values, shape, coalesced=False, name=None):
        """A tensor with these parts, which are not looked at."""
        self = object.__new__(CooTensor)
        self._ind, self._val, self._shape, self._name = indices, values, Size(shape), name
        self._coalesced = coalesced or values.shape[0] < 2
        return self

    def _with(self, values, name=None):
        made = CooTensor.of(self._ind, values, self._shape, self._coalesced, name)
        made._places = self._places
        return made

    def _gradient(self, g):
        if self._coalesced:
            return self._with(g)
        # Every entry of a repeated index has the gradient of the one element that they make up.
        _, first = np.unique(flat_places(self), return_index=True)
        at = index_tensor(first)
        return CooTensor.of(self._ind[:, at], g[at], self._shape, True)

    @property
    def nbytes(self):
        """Refused, as it is not clear what counts. Raises RuntimeError."""
        raise RuntimeError(
            "nbytes is not defined for sparse tensors.  If you want the size of the constituent "
            "tensors, add the nbytes of the indices and values.  If you want the size of the  "
            "equivalent dense tensor, multiply numel() by element_size()"
        )

    def indices(self):
        """The indices, of shape (sparse_dim, nnz). Raises RuntimeError unless coalesced."""
        self._require_coalesced("indices")
        return self._ind

    def values(self):
        """The elements at the indices. Raises RuntimeError unless coalesced."""
        self._require_coalesced("values")
        return plain_copy(self._val)

    def _require_coalesced(self, what):
        if not self._coalesced:
            raise RuntimeError(
                f"Cannot get {what} on an uncoalesced tensor, please call .coalesce() first"
            )

    def _indices(self):
        return self._ind

    def _values(self):
        return self._val.detach()

    def is_coalesced(self):
        """Whether its indices are known to be sorted and to occur once."""
        return self._coalesced

    def _coalesced_(self, coalesced):
        self._coalesced = bool(coalesced)
        return self

    def sparse_dim(self):
        """The number of dims that the indices are for."""
        return self._ind.shape[0]

    def dense_dim(self):
        """The number of dims of which every index has all elements."""
        return self._val.ndim - 1

    def stride(self, dim=None):
        """Zeros: there is no memory to step through."""
        return (0,) * len(self._shape) if dim is None else 0

    def storage_offset(self):
        """Zero: there is no memory to step through."""
        return 0

    def is_contiguous(self, memory_format=None):
        """False."""
        return False

    def type(self, dtype=None, non_blocking=False):
        """The name of its type, or the tensor cast to a type."""
        if dtype is None:
            return self._val.type().replace("torch.", "torch.sparse.")
        return self._with(self._val.type(dtype))

    def coalesce(self):
        """The same tensor with sorted indices that occur once; itself if it is so already."""
        if self._coalesced:
            return self
        places, first, inverse = np.unique(
            flat_places(self), return_index=True, return_inverse=True
        )
        at = index_tensor(first)
        values = self._val
        if len(places) == self._nnz():
            values = values[at]
        else:
            values = sum_into(values, inverse, len(places))
        made = CooTensor.of(self._ind[:, at], values, self._shape, True, "CoalesceBackward0")
        made._places = places
        return made

    def to_dense(self, dtype=None, *, masked_grad=True):
        """The tensor with all of its elements."""
        if dtype is not None:
            raise RuntimeError("dtype argument is not supported by sparse_to_dense")
        split = self.sparse_dim()
        places, count = flat_places(self), Size(self._shape[:split]).numel()
        if self.dtype is flambeau.bool:
            return sum_into(self._val, places, count).reshape(self._shape)
        return _laid_out(self._val, index_tensor(places), shape=tuple(self._shape), count=count)

    def to_sparse(self, sparse_dim=None, *, layout=None, blocksize=None, dense_dim=None):
        """The tensor in another sparse layout; itself if it has it already."""
        if layout is not None and str(layout) == "torch.sparse_csr":
            return self.to_sparse_csr()
        return self

    to_sparse_coo = to_sparse

    def to_sparse_csr(self, dense_dim=None):
        """The matrix in compressed rows."""
        from .csr import compress

        return compress(self, "ToSparseCsrBackward0")

    def clone(self, memory_format=None):
        """A copy with memory of its own."""
        if memory_format is not None and memory_format is not flambeau.preserve_format:
            raise RuntimeError(
                f"unsupported memory format option {str(memory_format).removeprefix('torch.')}"
            )
        made = self._with(self._val.clone())
        made._ind = self._ind.clone()
        return made

    def __reduce_ex__(self, protocol):
        parts = self._ind, self._val.detach(), tuple(self._shape), self._coalesced
        return _rebuild, (*parts, self.requires_grad)


def _rebuild(indices, values, shape, coalesced, requires_grad):
    return CooTensor.of(indices, values, shape, coalesced).requires_grad_(requires_grad)


@composite(name="to_dense")
def _laid_out(values, places, *, shape, count):
    """Zeros with the values added at their places."""
    zeros = flambeau.zeros(count, *values.shape[1:], dtype=values.dtype)
    return zeros.index_add(0, places, values).reshape(shape)


def sum_into(values, places, count):
    """`count` sums: of the values that have the same place, given as an array."""
    at = index_tensor(places)
    kind = values.dtype
    if kind is flambeau.bool:
        return sum_into(values.to(flambeau.int64), places, count).to(kind)
    return flambeau.zeros(count, *values.shape[1:], dtype=kind).index_add(0, at, values)


def flat_places(x):
    """An array of where the indices of a COO tensor are in row-major order over its sparse dims.

    Raises RuntimeError for an index out of range.
    """
    if x._places is None:
        x._places = _flatten(to_array(x._ind), x._shape)
    return x._places


def _flatten(indices, shape):
    flat = np.zeros(indices.shape[1], np.int64)
    for dim, row in enumerate(indices):
        if row.size:
            low, high = row.min(), row.max()
            if low < 0:
                raise RuntimeError(f"found negative index {low} for dim {dim}")
            if high >= shape[dim]:
                raise RuntimeError(
                    f"size is inconsistent with indices: for dim {dim}, size is {shape[dim]} but "
                    f"found index {high}"
                )
        flat = flat * shape[dim] + row
    return flat


def at_places(x, places):
    """The elements of a coalesced COO tensor at flat places, zero where there are none."""
    known = flat_places(x)
    if not known.size:
        return flambeau.zeros(len(places), *x._val.shape[1:], dtype=x.dtype)
    found = np.minimum(np.searchsorted(known, places), len(known) - 1)
    hit = known[found] == places
    values = x._val[index_tensor(found)]
    if hit.all():
        return values
    mask = flambeau.tensor(hit).reshape(-1, *[1] * (values.ndim - 1))
    return flambeau.where(mask, values, flambeau.zeros((), dtype=x.dtype))


@form
def coalesce(input):
    """Refused for other layouts. Raises RuntimeError."""
    raise RuntimeError(f"coalesce expected sparse coordinate tensor layout but got {input.kind}")


@form("indices")
def _indices_of_others(input):
    raise RuntimeError(f"indices expected sparse coordinate tensor layout but got {input.kind}")
