"""`flambeau.sparse`: tensors that store some of their elements, and functions of them.

A sparse tensor is made by `flambeau.sparse_coo_tensor`, `flambeau.sparse_csr_tensor` or the method
`to_sparse` of a dense one.
"""

import flambeau

from . import arithmetic, base, creation, movement
from .invariants import check_sparse_tensor_invariants
from .legacy import (
    BFloat16Tensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    HalfTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
)
from .products import addmm, reduced, sampled_addmm
from .products import mm as _mm
from .reductions import log_softmax, softmax
from .reductions import sparse_sum as sum

__all__ = [
    "BFloat16Tensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
    "addmm",
    "check_sparse_tensor_invariants",
    "log_softmax",
    "mm",
    "sampled_addmm",
    "softmax",
    "spdiags",
    "sum",
]


def mm(mat1, mat2, reduce="sum"):
    """The product of two matrices, of which one or both are sparse; sparse if both are.

    The gradient of a sparse operand has its indices. `reduce`, one of sum, mean, amax and amin,
    says how the products for an element are folded, for a CSR and a dense matrix.

    >>> import flambeau as torch
    >>> a = torch.tensor([[0.0, 2.0], [3.0, 0.0]]).to_sparse()
    >>> torch.sparse.mm(a, torch.ones(2, 2))
    tensor([[2., 2.],
            [3., 3.]])
    """
    if reduce != "sum":
        return reduced(mat1, mat2, reduce)
    return (
        flambeau.mm(mat1, mat2) if base.is_dense(mat1) and base.is_dense(mat2) else _mm(mat1, mat2)
    )


def spdiags(diagonals, offsets, shape, layout=None):
    """The sparse matrix with these diagonals, which are aligned by column.

    Args: diagonals: of shape (count, length), or one of shape (length,); offsets: which diagonal
        each is: 0 the main one, above it positive ones; layout: COO by default.

    >>> import flambeau as torch
    >>> torch.sparse.spdiags(torch.ones(1, 2), torch.tensor([0]), (2, 2)).to_dense()
    tensor([[1., 0.],
            [0., 1.]])
    """
    diagonals = diagonals.unsqueeze(0) if diagonals.ndim == 1 else diagonals
    offsets = offsets.reshape(-1)
    if diagonals.ndim != 2:
        raise RuntimeError(f"Diagonals must be vector or matrix, got {diagonals.ndim}D")
    if len(shape) != 2:
        raise RuntimeError(f"Output shape must be 2d, got {list(shape)}")
    if diagonals.shape[0] != offsets.shape[0]:
        raise RuntimeError(
            f"Number of diagonals ({diagonals.shape[0]}) does not match the number of offsets "
            f"({offsets.shape[0]})"
        )
    rows, values, columns = [], [], []
    for diagonal, offset in zip(diagonals, offsets.tolist(), strict=True):
        begin = max(offset, 0)
        end = max(min(shape[1], shape[0] + offset, diagonal.shape[0]), begin)
        columns.append(flambeau.arange(begin, end))
        rows.append(columns[-1] - offset)
        values.append(diagonal[begin:end])
    indices = flambeau.stack([flambeau.cat(rows), flambeau.cat(columns)])
    made = flambeau.sparse_coo_tensor(indices, flambeau.cat(values), tuple(shape))
    return made if layout is None else made.to_sparse(layout=layout)


base.attach(arithmetic, creation, movement)
