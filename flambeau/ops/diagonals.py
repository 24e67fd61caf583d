"""Triangles and diagonals of matrices."""

import numpy as np

from .. import dtypes
from ..recorder.handle import contiguous_strides
from . import elementwise as ew
from . import movement as mv
from . import view_ops
from .api import cast_to, function
from .core import composite
from .from_data import make_tensor
from .index import positions
from .reduce import normalize_dim
from .whole import whole

__all__ = ["diag", "diag_embed", "tril", "tril_indices", "triu", "triu_indices"]


@function(methods=False)
def tril_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """The indices of the lower triangle of a matrix, [2, count]."""
    return cast_to(make_tensor(np.stack(np.tril_indices(row, offset, col))), dtype)


@function(methods=False)
def triu_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """The indices of the upper triangle of a matrix, [2, count]."""
    return cast_to(make_tensor(np.stack(np.triu_indices(row, offset, col))), dtype)


def _triangle(name, keep):
    @composite(name=name)
    def kept(x, *, diagonal):
        rows, columns = positions(x, x.ndim - 2), positions(x, x.ndim - 1)
        return ew.where(keep(columns - rows, diagonal), x, _zero(x))

    def triangle(input, diagonal=0):
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return kept(input.contiguous(), diagonal=diagonal)

    triangle.__name__ = name
    triangle.__doc__ = f"The {'lower' if name == 'tril' else 'upper'} triangle, zeros elsewhere."
    return function(triangle, inplace_too=True)


def _zero(x):
    """A zero that leaves the dtype of `x` as it is."""
    kind = x._meta.dtype
    return False if kind is dtypes.bool_ else 0 if kind.category == dtypes.INT else 0.0


tril, triu = _triangle("tril", ew.le), _triangle("triu", ew.ge)


@function
def diag(input, diagonal=0):
    """The diagonal of a matrix; of a vector, the matrix with that diagonal."""
    if input.ndim == 2:
        return mv.diagonal(input, diagonal).clone()
    if input.ndim != 1:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return diag_embed(input, diagonal)


@function
@whole
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last dim of `input` as their diagonals."""
    n = input.shape[-1] + (offset if offset >= 0 else -offset)
    ndim = input.ndim + 1
    dim1, dim2 = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    zeros = input.new_zeros((*input.shape[:-1], n, n))
    strides = contiguous_strides(zeros.shape)
    start = offset if offset >= 0 else -offset * n
    geometry = (tuple(input.shape), (*strides[:-2], n + 1), start)
    made = view_ops.write_region(zeros, input, geometry=geometry)
    return mv.movedim(made, (-2, -1), (dim1, dim2))
