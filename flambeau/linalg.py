"""`flambeau.linalg`: linear algebra."""

from . import dtypes as _dtypes
from .errors import LinAlgError
from .ops import cholesky as _cholesky
from .ops import determinant as _determinant
from .ops import eigen as _eigen
from .ops import householder as _householder
from .ops import ldl as _ldl
from .ops import least_squares as _least_squares
from .ops import lu as _lu
from .ops import pseudo_inverse as _pseudo_inverse
from .ops import solve as _solve
from .ops.api import FUNCTIONS, takes_out
from .ops.factor import qr
from .ops.matrices import takes_same_out
from .ops.norm import cross_along
from .ops.norm import vector_norm as _vector_norm
from .ops.singular import matrix_norm as _matrix_norm
from .ops.singular import norm as _norm
from .ops.singular import svd as _svd
from .ops.singular import svdvals as _svdvals
from .ops.triangular import solve_triangular as _solve_triangular

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]

cholesky = takes_out(_cholesky.linalg_cholesky)
cholesky_ex = takes_out(_cholesky.cholesky_ex)
cond = takes_out(_pseudo_inverse.cond)
det = takes_same_out(_determinant.det)
eig = takes_out(_eigen.eig)
eigh = takes_out(_eigen.eigh)
eigvals = takes_out(_eigen.eigvals)
eigvalsh = takes_out(_eigen.eigvalsh)
householder_product = takes_out(_householder.householder_product)
inv = takes_same_out(_solve.inv)
inv_ex = takes_same_out(_solve.inv_ex)
ldl_factor = takes_out(_ldl.ldl_factor)
ldl_factor_ex = takes_out(_ldl.ldl_factor_ex)
ldl_solve = takes_out(_ldl.ldl_solve)
lstsq = takes_out(_least_squares.lstsq)
lu = takes_out(_lu.linalg_lu)
lu_factor = takes_out(_lu.lu_factor)
lu_factor_ex = takes_out(_lu.lu_factor_ex)
lu_solve = takes_out(_lu.linalg_lu_solve)
matmul = FUNCTIONS["matmul"]
matrix_exp = FUNCTIONS["matrix_exp"]
matrix_norm = takes_out(_matrix_norm)
matrix_power = FUNCTIONS["matrix_power"]
matrix_rank = takes_out(_pseudo_inverse.matrix_rank)
norm = takes_out(_norm)
pinv = takes_out(_pseudo_inverse.pinv)
slogdet = takes_same_out(_determinant.slogdet)
solve = takes_same_out(_solve.solve)
solve_ex = takes_same_out(_solve.solve_ex)
solve_triangular = takes_out(_solve_triangular)
svd = takes_out(_svd)
svdvals = takes_out(_svdvals)
tensorinv = takes_out(_solve.tensorinv)
tensorsolve = takes_out(_solve.tensorsolve)
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
    if x.dtype is _dtypes.bool_:
        raise RuntimeError(
            "linalg.vander supports floating point, complex, and integer tensors, but got Bool"
        )
    x = x if x.ndim else x.unsqueeze(0)
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
