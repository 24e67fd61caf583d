"""Products of matrices of which one, or both, are sparse."""

import numpy as np

import flambeau

from ..ops.core import composite
from ..recorder.handle import Tensor
from ..recorder.sync import to_array
from .base import SparseTensor, could_not_run, form, index_tensor, is_dense
from .coo import CooTensor, flat_places, sum_into
from .csr import CompressedTensor, compress

__all__ = ["addmm", "mm", "reduced", "sampled_addmm"]


def _coordinates(x):
    return x._coo() if isinstance(x, CompressedTensor) else x


def _check(a, b, name):
    if a.ndim != 2 or b.ndim != 2:
        raise RuntimeError(f"{name}(): matrices expected, got {a.ndim}D, {b.ndim}D tensors")
    for x in (a, b):
        if isinstance(x, SparseTensor) and x.dense_dim():
            raise RuntimeError(
                f"{name}(): scalar values expected, but got a sparse tensor with {x.dense_dim()} "
                "dense dims"
            )
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and "
            f"{b.shape[0]}x{b.shape[1]})"
        )
    if a.dtype is not b.dtype:
        raise RuntimeError(f"{name}(): expected scalar type {a.dtype} but found {b.dtype}")


@form
def mm(input, mat2):
    """The product of two matrices; sparse if both are."""
    _check(input, mat2, "mm")
    if is_dense(input):
        return _sparse_dense(_coordinates(mat2).t(), input.t()).t()
    if is_dense(mat2):
        return _sparse_dense(_coordinates(input), mat2)
    if isinstance(input, CompressedTensor) is not isinstance(mat2, CompressedTensor):
        raise RuntimeError(
            f"mm(): no product of {input.layout} and {mat2.layout}: convert one of them"
        )
    made = _sparse_sparse(_coordinates(input).coalesce(), _coordinates(mat2).coalesce())
    return compress(made, like=input) if isinstance(input, CompressedTensor) else made


def _sparse_dense(a, b):
    """The sum, into its row, of each element times the row of `b` that its column names."""
    rows, columns = np.divmod(flat_places(a), max(a.shape[1], 1))
    return _sum_of_rows(a._val, b, index_tensor(rows), index_tensor(columns), count=a.shape[0])


@composite(name="sparse_mm")
def _sum_of_rows(values, b, rows, columns, *, count):
    terms = values.unsqueeze(1) * b.index_select(0, columns)
    return flambeau.zeros(count, b.shape[1], dtype=terms.dtype).index_add(0, rows, terms)


def _sparse_sparse(a, b):
    """Every element of `a` with every one in the row of `b` that its column names."""
    rows, inner = np.divmod(flat_places(a), max(a.shape[1], 1))
    lines, columns = np.divmod(flat_places(b), max(b.shape[1], 1))
    starts = np.searchsorted(lines, np.arange(b.shape[0] + 1))
    counts = (starts[1:] - starts[:-1])[inner]
    left = np.repeat(np.arange(len(inner)), counts)
    begin = np.cumsum(counts) - counts
    right = np.arange(len(left)) - np.repeat(begin - starts[inner], counts)
    values = a._val[index_tensor(left)] * b._val[index_tensor(right)]
    indices = index_tensor(np.stack([rows[left], columns[right]]))
    made = CooTensor.of(indices, values, (a.shape[0], b.shape[1])).coalesce()
    made._coalesced = True
    return made


@form
def mv(input, vec):
    """The product of a sparse matrix and a dense vector."""
    if isinstance(vec, SparseTensor):
        raise could_not_run("mv", vec.backend)
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"mv(): expected a matrix and a vector, got {input.ndim}D, {vec.ndim}D")
    if input.shape[1] != vec.shape[0]:
        raise RuntimeError(
            "mv: expected self.size(-1) == vec.size(-1), got "
            f"{list(input.shape)} and {list(vec.shape)}"
        )
    return mm(input, vec.unsqueeze(1)).squeeze(1)


@form
def matmul(input, other):
    """The product of matrices, or of a matrix and a vector."""
    for x in (input, other):
        if not isinstance(x, Tensor):
            raise TypeError(f"matmul(): argument must be Tensor, not {type(x).__name__}")
    if input.ndim == 2 and other.ndim == 1:
        return mv(input, other)
    if input.ndim == 1 and other.ndim == 2 and is_dense(input):
        return mm(input.unsqueeze(0), other).squeeze(0)
    if input.ndim != 2 or other.ndim != 2:
        raise RuntimeError(
            f"expand is unsupported for Sparse tensors: matmul() of {list(input.shape)} and "
            f"{list(other.shape)}"
        )
    return mm(input, other)


@form
def linear(input, weight, bias=None):
    """input @ weight.T + bias, of a dense input and a sparse weight."""
    made = matmul(input, weight.t())
    return made if bias is None else made + bias


@form
def bmm(input, mat2):
    """The products of a batch of sparse matrices, [b, n, m], and of dense ones, [b, m, p]."""
    if not isinstance(mat2, Tensor) or not is_dense(mat2):
        raise RuntimeError("bmm_sparse: Tensor 'mat2' must be dense")
    if not isinstance(input, CooTensor) or input.sparse_dim() != 3:
        raise RuntimeError(f"bmm_sparse: Tensor 'self' must have 3 sparse dims, got {input.layout}")
    (count, n, m), (batch, inner, p) = input.shape, mat2.shape
    if (count, m) != (batch, inner):
        raise RuntimeError(
            f"bmm_sparse: {list(input.shape)} and {list(mat2.shape)} do not fit: expected "
            f"[{count}, {m}, {p}]"
        )
    lines, columns = np.divmod(flat_places(input), max(m, 1))
    terms = input._val.unsqueeze(1) * mat2[index_tensor(lines // max(n, 1)), index_tensor(columns)]
    return sum_into(terms, lines, count * n).reshape(count, n, p)


@form
def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2) of a dense, a sparse and a dense matrix."""
    if isinstance(mat1, CompressedTensor) and isinstance(mat2, CompressedTensor):
        return beta * input + alpha * mm(mat1, mat2)
    if is_dense(mat1) or not is_dense(mat2):
        raise RuntimeError(
            "addmm_sparse_dense: expected either 'mat1' to have sparse layout and 'mat2' to have "
            f"strided layout, got 'mat1' with layout {mat1.layout} and 'mat2' with layout "
            f"{mat2.layout}"
        )
    if not is_dense(input):
        raise RuntimeError("expand is unsupported for Sparse tensors")
    product = mm(mat1, mat2)
    product = product if alpha == 1 else product * alpha
    if beta == 0:
        return product
    return (input if beta == 1 else input * beta).expand(product.shape) + product


@form("addmm_")
def _addmm_in_place(input, mat1, mat2, *, beta=1, alpha=1):
    return input.copy_(addmm(input, mat1, mat2, beta=beta, alpha=alpha))


def _require_coordinates(name, x):
    if not isinstance(x, CooTensor):
        raise could_not_run(name, getattr(x, "backend", "CPU"))


@form
def smm(input, mat):
    """The product of a sparse and a dense matrix as a sparse one, which stores whole rows."""
    _require_coordinates("smm", input)
    dense = mm(input, mat)
    rows = np.unique(to_array(input._ind)[0])
    columns = np.arange(dense.shape[1])
    pair = np.stack([a.reshape(-1) for a in np.meshgrid(rows, columns, indexing="ij")])
    return CooTensor.of(index_tensor(pair), dense[tuple(index_tensor(pair))], dense.shape)


@form
def hspmm(mat1, mat2):
    """The product of a sparse and a dense matrix as one with a sparse and a dense dim."""
    _require_coordinates("hspmm", mat1)
    dense = mm(mat1, mat2)
    rows = index_tensor(np.unique(to_array(mat1._ind)[0]))
    return CooTensor.of(rows.unsqueeze(0), dense[rows], dense.shape)


def sampled_addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2) at the entries of a CSR matrix only."""
    if not isinstance(input, CompressedTensor) or not input._by_rows:
        raise RuntimeError(
            f"sampled_addmm: Expected input to have sparse csr layout, but got {input.layout}"
        )
    rows, columns = input._coo()._ind
    sampled = (mat1[rows] * mat2.t()[columns]).sum(1)
    return input._with(input._val * beta + sampled * alpha)


def reduced(a, b, how):
    """As the product of a CSR and a dense matrix, but with another fold than the sum."""
    if not isinstance(a, CompressedTensor):
        raise could_not_run("_sparse_mm_reduce_impl", a.backend)
    product = mm(a, b)
    rows = np.divmod(flat_places(a._coo()), max(a.shape[1], 1))[0]
    counts = np.bincount(rows, minlength=a.shape[0])
    if how == "mean":
        return product / flambeau.tensor(np.maximum(counts, 1)).to(product.dtype).unsqueeze(1)
    if how not in ("amax", "amin"):
        raise ValueError(f"reduce argument must be sum, mean, amax or amin, got {how}")
    terms = a._val.unsqueeze(1) * b[a._others.to(flambeau.int64)]
    at = index_tensor(rows).unsqueeze(1).expand(terms.shape)
    zeros = flambeau.zeros_like(product)
    return zeros.scatter_reduce(0, at, terms, how, include_self=False)
