"""Sums and softmax along the dims of sparse tensors."""

import numpy as np

import flambeau

from .base import could_not_run, form, index_tensor, is_dense
from .coo import CooTensor, flat_places, sum_into
from .csr import CompressedTensor, compress

__all__ = ["log_softmax", "softmax", "sparse_sum"]


def _dims(x, dim):
    """The dims of a reduction, counted from the front; all for None."""
    if dim is None:
        return tuple(range(x.ndim))
    found = [x._dim(d) for d in ((dim,) if isinstance(dim, int) else dim)]
    for d in found:
        if found.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return tuple(found)


def _summed_kind(x, dtype):
    if dtype is not None:
        return dtype
    whole = not (x.dtype.is_floating_point or x.dtype.is_complex)
    return flambeau.int64 if whole else x.dtype


@form("sum")
def _sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over some dims, or all; sparse as long as it has sparse dims."""
    everything = dim is None or (not isinstance(dim, int) and not len(dim))
    if isinstance(input, CompressedTensor):
        return _compressed_sum(input, None if everything else dim, keepdim, dtype)
    values = input._val.to(_summed_kind(input, dtype))
    if everything and not keepdim:
        return values.sum()
    return _over(input._with(values), _dims(input, None if everything else dim), keepdim)


def _compressed_sum(x, dim, keepdim, dtype):
    values = x._val.to(_summed_kind(x, dtype))
    if dim is None and not keepdim:
        return values.sum()
    if not keepdim:
        raise RuntimeError("reduction operations on CSR tensors with keepdim=False is unsupported")
    return compress(_over(x._with(values)._coo(), _dims(x, dim), True), like=x)


def _over(x, dims, keepdim):
    """The sum of a COO tensor over dims."""
    split = x.sparse_dim()
    inner = [d - split + 1 for d in dims if d >= split]
    gone = [d for d in dims if d < split]
    values = x._val.sum(inner, keepdim) if inner else x._val
    shape = [1 if d in dims else n for d, n in enumerate(x.shape) if keepdim or d not in dims]
    if not gone:
        return CooTensor.of(x._ind, values, shape, x._coalesced).coalesce()
    kept = [d for d in range(split) if d not in gone]
    if not kept and not keepdim:
        return values.sum(0)
    flat_places(x)  # checks the indices
    made = CooTensor.of(x._ind[kept], values, [x.shape[d] for d in kept] + list(values.shape[1:]))
    made = made.coalesce()
    if not keepdim:
        made._coalesced = True
        return made
    zeros = flambeau.zeros(1, made._nnz(), dtype=flambeau.int64)
    lines = iter(made._ind.unsqueeze(1))
    indices = flambeau.cat([zeros if d in gone else next(lines) for d in range(split)])
    return CooTensor.of(indices, made._val, shape)


def sparse_sum(input, dim=None, dtype=None):
    """As `torch.sparse.sum`."""
    if not isinstance(input, CooTensor):
        kind = "Strided" if is_dense(input) else input.kind
        raise RuntimeError(f"coalesce expected sparse coordinate tensor layout but got {kind}")
    if dim is not None and not isinstance(dim, int) and not len(dim):
        return input.coalesce() if dtype is None else input.to(dtype).coalesce()
    return _sum(input, dim, dtype=dtype)


@form
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The norm of all elements."""
    if isinstance(input, CompressedTensor):
        raise could_not_run("norm", input.backend)
    if dim is not None:
        raise RuntimeError("norm of a sparse tensor over some dims is not supported")
    values = input.coalesce()._val
    return flambeau.norm(values.reshape(-1), 2 if p in ("fro", None) else p)


@form("any")
def _any(input, *args, **kwargs):
    if args or kwargs:
        raise could_not_run("any.dim", input.backend)
    return input._val.any()


# Softmax


def softmax(input, dim, dtype=None):
    """As `torch.sparse.softmax`."""
    return _softmax("softmax", input, dim, dtype, "SparseSoftmaxBackward0")


def log_softmax(input, dim, dtype=None):
    """As `torch.sparse.log_softmax`."""
    return _softmax("log_softmax", input, dim, dtype, "SparseLogSoftmaxBackward0")


def _softmax(name, x, dim, dtype, node):
    if not isinstance(x, CooTensor):
        raise could_not_run(f"_sparse_{name}", "CPU" if is_dense(x) else x.backend)
    x = x if dtype is None else x.to(dtype)
    dim, split = x._dim(dim), x.sparse_dim()
    if not x.dtype.is_floating_point:
        raise NotImplementedError(f'"{name}" not implemented for {x.dtype}')
    x = x.coalesce()
    if dim >= split:
        values = getattr(x._val, name)(dim - split + 1)
    elif not x._nnz():
        values = x._val
    else:
        values = _along(x, dim, name)
    return x._with(values, node)


def _along(x, dim, name):
    """Softmax of the values whose indices differ in one sparse dim only."""
    rest = np.delete(np.stack(np.unravel_index(flat_places(x), x.shape[: x.sparse_dim()])), dim, 0)
    sizes = [n for d, n in enumerate(x.shape[: x.sparse_dim()]) if d != dim]
    flat = np.zeros(x._nnz(), np.int64)
    for row, size in zip(rest, sizes, strict=True):
        flat = flat * size + row
    lines, group = np.unique(flat, return_inverse=True)
    at, count = index_tensor(group), len(lines)
    values = x._val
    lowest = flambeau.full((count, *values.shape[1:]), float("-inf"), dtype=x.dtype)
    spread = at.reshape(-1, *[1] * (values.ndim - 1)).expand(values.shape)
    highest = lowest.scatter_reduce(0, spread, values.detach(), "amax")
    values = values - highest[at]
    total = sum_into(values.exp(), group, count)[at]
    return values.exp() / total if name == "softmax" else values - total.log()
