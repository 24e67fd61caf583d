"""`flambeau.linalg`: linear algebra."""

from .errors import LinAlgError
from .ops.api import FUNCTIONS, takes_out
from .ops.factor import qr
from .ops.norm import cross_along
from .ops.norm import vector_norm as _vector_norm
from .ops.singular import matrix_norm as _matrix_norm
from .ops.singular import norm as _norm
from .ops.singular import svd as _svd
from .ops.singular import svdvals as _svdvals

__all__ = [
    "LinAlgError",
    "cross",
    "diagonal",
    "matmul",
    "matrix_norm",
    "multi_dot",
    "norm",
    "qr",
    "svd",
    "svdvals",
    "vander",
    "vecdot",
    "vector_norm",
]

matmul = FUNCTIONS["matmul"]
matrix_norm = takes_out(_matrix_norm)
norm = takes_out(_norm)
svd = takes_out(_svd)
svdvals = takes_out(_svdvals)
vector_norm = takes_out(_vector_norm)


def cross(input, other, *, dim=-1, out=None):
    """The cross product of the vectors, of size 3, along a dim."""
    return takes_out(cross_along)(input, other, dim, out=out)


def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonal of matrices, as the last dim of a view."""
    return FUNCTIONS["diagonal"](A, offset, dim1, dim2)


def vecdot(x, y, *, dim=-1, out=None):
    """The sum of conj(x) * y along a dim; x and y broadcast."""
    made = (x.conj() * y).sum(dim)
    return made if out is None else out.copy_(made)


def vander(x, *, N=None):
    """The matrices of the powers 0 to N - 1 of the elements of the last dim."""
    n = x.shape[-1] if N is None else N
    if n <= 1:
        raise RuntimeError(f"N must be greater than 1, but got {n}")
    columns = [FUNCTIONS["ones_like"](x)]
    for _ in range(n - 1):
        columns.append(columns[-1] * x)
    return FUNCTIONS["stack"](columns, -1)


def multi_dot(tensors, *, out=None):
    """The product of two or more matrices, in the order that multiplies least.

    The first and the last may be vectors.
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError("multi_dot(): expected at least 2 tensors but got fewer")
    first, last = tensors[0], tensors[-1]
    for k, x in enumerate(tensors):
        at_end = k in (0, len(tensors) - 1)
        if x.ndim != 2 and not (at_end and x.ndim == 1):
            raise RuntimeError(
                f"multi_dot(): tensor {k} must be 2D{' or 1D' if at_end else ''} but got {x.ndim}D"
            )
    if first.ndim == 1:
        tensors[0] = first.unsqueeze(0)
    if last.ndim == 1:
        tensors[-1] = last.unsqueeze(1)
    made = _product(tensors, _splits([x.shape[0] for x in tensors] + [tensors[-1].shape[1]]))
    made = made.squeeze(0) if first.ndim == 1 else made
    made = made.squeeze(-1) if last.ndim == 1 else made
    return made if out is None else out.copy_(made)


def _splits(sizes):
    """Where to cut each range of matrices so that the product costs least."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    cut = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            ways = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            cut[i, j] = min(ways, key=ways.get)
            cost[i, j] = ways[cut[i, j]]
    return cut


def _product(tensors, cut):
    def between(i, j):
        if i == j:
            return tensors[i]
        k = cut[i, j]
        return FUNCTIONS["mm"](between(i, k), between(k + 1, j))

    return between(0, len(tensors) - 1)
