"""Products of matrices by group, as mixtures of experts need them."""

import itertools

import numpy as np

from ... import dtypes
from ...ops.core import Host
from ...recorder.handle import intern

__all__ = ["grouped_mm"]


def _infer(operands, attrs):
    a, b, ends = operands
    rows, columns = a.shape[-2], b.shape[-1]
    both = len(a.shape) == len(b.shape) == 2
    shape = (ends.shape[0], rows, columns) if both else (rows, columns)
    return intern(shape, a.dtype)


def _products(a, b, ends):
    kind = a.dtype
    a, b = a.astype(np.float32, copy=False), b.astype(np.float32, copy=False)
    if a.ndim == b.ndim == 2:  # groups of the inner dim
        made = np.zeros((len(ends), a.shape[0], b.shape[1]), np.float32)
        for i, part in enumerate(_parts(ends, a.shape[1])):
            made[i] = a[:, part] @ b[part]
        return made.astype(kind, copy=False)
    made = np.zeros((a.shape[-2], b.shape[-1]), np.float32)
    if a.ndim == 2:  # groups of rows
        for i, part in enumerate(_parts(ends, a.shape[0])):
            made[part] = a[part] @ b[i]
    else:  # groups of columns
        for i, part in enumerate(_parts(ends, b.shape[1])):
            made[:, part] = a[i] @ b[:, part]
    return made.astype(kind, copy=False)


def _parts(ends, size):
    """The groups that end at these places, as slices of a dim."""
    places = np.minimum(np.concatenate(([0], ends)), size).tolist()
    return [slice(start, end) for start, end in itertools.pairwise(places)]


# With the ends of groups at hand only when it runs: so nothing depends on them before.
_grouped = Host("grouped_mm", _infer, _products)


@_grouped.vjp
def _(g, out, a, b, ends):
    return _grouped(g, b.mT, ends), _grouped(a.mT, g, ends), None


def _check(a, b, ends, bias, out_dtype):
    for name, x in (("mat_a", a), ("mat_b", b)):
        if x.dtype not in (dtypes.float32, dtypes.bfloat16, dtypes.float16):
            raise RuntimeError(
                f"Expected {name} to be Float32, BFloat16 or Float16 matrix, got {x.dtype}"
            )
        if x.dim() not in (2, 3):
            raise RuntimeError(f"{name} has to be 2 or 3d, not {list(x.shape)}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"grouped_mm(): mat_a is {a.dtype}, but mat_b is {b.dtype}")
    if (ends is None) != (a.dim() == b.dim() == 3):
        raise RuntimeError(
            "Have to provide offsets if there is a 2d matrix, or no offset if both matrices are 3d"
        )
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            "contraction dimension of mat_a and mat_b must match, but they are "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    if bias is not None:
        raise RuntimeError("Bias not supported yet")
    if out_dtype not in (None, a.dtype):
        raise RuntimeError("Grouped gemm output dtype must match `mat_a` dtype")
    if ends is None:
        if a.shape[0] != b.shape[0]:
            raise RuntimeError("batched dimension has to match")
    elif ends.dim() != 1:
        raise RuntimeError("offs has to be 1D")
    elif ends.dtype is not dtypes.int32:
        raise RuntimeError("Offsets have to be int32")
    elif any(x.dim() == 3 and x.shape[0] != ends.shape[0] for x in (a, b)):
        raise RuntimeError("matrix batch sizes have to match")


def grouped_mm(mat_a, mat_b, *, offs=None, bias=None, out_dtype=None):
    """Products of groups of rows, of columns, or of the dim that is summed over.

    Args:
        mat_a, mat_b: [M, K] and [G, K, N], for groups of rows; [G, M, K] and [K, N], for groups of
            columns; [M, K] and [K, N], for groups of K; or [G, M, K] and [G, K, N].
        offs: int32 [G], where each group ends; not if both have 3 dims.
        out_dtype: that of the operands: float32, bfloat16 or float16.
    Returns: [M, N], or [G, M, N] in the last two cases. What is behind the last group is zeros.
    Raises: RuntimeError for shapes and dtypes that do not fit, and for a bias, as PyTorch does.

    >>> import flambeau as torch
    >>> experts = torch.stack([torch.eye(2), 2 * torch.eye(2)])
    >>> ends = torch.tensor([1, 3], dtype=torch.int32)
    >>> torch.nn.functional.grouped_mm(torch.ones(3, 2), experts, offs=ends)
    tensor([[1., 1.],
            [2., 2.],
            [2., 2.]])
    """
    _check(mat_a, mat_b, offs, bias, out_dtype)
    if offs is None:
        return mat_a @ mat_b
    return _grouped(mat_a, mat_b, offs)
