"""The factorization A = P L U of matrices, with P a permutation and L, U triangular."""

import collections

import numpy as np

from .. import dtypes
from ..backends import lapack
from ..recorder.handle import intern
from . import elementwise as ew
from .api import FUNCTIONS, cast_to, function, into_out
from .copies import cat
from .core import Host, broadcast_shapes
from .diagonals import tril, triu
from .factoring import check_kind, check_system, now, raise_first
from .matrices import require_matrix, require_square
from .scatter import gather
from .singular import adjoint_of
from .triangular import triangular_op

__all__ = [
    "linalg_lu",
    "linalg_lu_solve",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_op",
    "lu_solve",
    "lu_unpack",
    "permutation_op",
]

LU = collections.namedtuple("linalg_lu", ["P", "L", "U"])
LUFactor = collections.namedtuple("linalg_lu_factor", ["LU", "pivots"])
LUFactorEx = collections.namedtuple("linalg_lu_factor_ex", ["LU", "pivots", "info"])
LUUnpack = collections.namedtuple("lu_unpack", ["P", "L", "U"])


def _infer(operands, attrs):
    (a,) = operands
    *lead, m, n = a.shape
    pivots = intern((*lead, min(m, n)), dtypes.int32)
    return intern(a.shape, a.dtype), pivots, intern(tuple(lead), dtypes.int32)


def _factors(a, refuse):
    *lead, m, n = a.shape
    stack = lapack.by_columns(a)
    count = len(stack)
    pivots = np.zeros((count, min(m, n)), np.int32)
    info = np.zeros(count, np.int32)
    if stack.size:
        info = lapack.each("getrf", a.dtype, count, m, n, stack, m, pivots)
    if refuse:
        raise_first(
            info,
            lead,
            refuse,
            "U[{0},{0}] is zero and using it on lu_solve would result in a division by zero. If "
            "you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
            "linalg.lu_factor_ex(A, pivot)",
            RuntimeError,
        )
    return lapack.by_rows(stack, lead), pivots.reshape(*lead, min(m, n)), info.reshape(lead)


# (L below the diagonal and U in one matrix, the row that each row was exchanged with, from 1 on,
# the place of a zero on the diagonal of U or 0). refuse: the name of the function whose error
# such a zero is, or "".
lu_op = Host("linalg_lu_factor_ex", _infer, _factors, multi=True)


@lu_op.vjp
def _(gs, outs, a, *, refuse):
    g, packed, pivots = gs[0], outs[0], outs[1]
    rows, columns = a._meta.shape[-2:]
    k = min(rows, columns)
    ga = _packed_vjp(g, packed, rows, columns, k)
    return _permute_rows(ga, permutation_op(pivots, rows=rows, inverse=True))


def _packed_vjp(g, packed, rows, columns, k):
    """The cotangent of P^T A.

    With the first k rows and columns L1 and U1 it is L1^-H M U1^-H, M the lower triangle of L1^H gL
    and the upper one of gU U1^H. What U has besides, U2 = L1^-1 A2, gives A2 L1^-H gU2 and takes
    gU2 U2^H from the first; what L has besides, L2 = A2 U1^-1, likewise.
    """
    square, g_square = packed[..., :k, :k], g[..., :k, :k]
    lower = tril(square, -1) + _eye(k, square)
    upper = triu(square)
    for_lower, for_upper = (
        adjoint_of(lower) @ tril(g_square, -1),
        triu(g_square) @ adjoint_of(upper),
    )
    if columns > k:
        for_lower = for_lower - g[..., :, k:] @ adjoint_of(packed[..., :, k:])
    if rows > k:
        for_upper = for_upper - adjoint_of(packed[..., k:, :]) @ g[..., k:, :]
    middle = tril(for_lower, -1) + triu(for_upper)
    made = _from_left(square, _from_right(square, middle))
    if columns > k:
        return cat([made, _from_left(square, g[..., :, k:])], -1)
    if rows > k:
        return cat([made, _from_right(square, g[..., k:, :])], -2)
    return made


def _from_left(packed, b):
    """L^-H B."""
    return triangular_op(adjoint_of(packed), b, upper=True, left=True, unit=True)


def _from_right(packed, b):
    """B U^-H."""
    return triangular_op(adjoint_of(packed), b, upper=False, left=False, unit=False)


def _eye(n, like):
    return FUNCTIONS["eye"](n, dtype=like._meta.dtype)


# Permutations


def _infer_permutation(operands, attrs):
    (pivots,) = operands
    return intern((*pivots.shape[:-1], attrs["rows"]), dtypes.int64)


def _permutation(pivots, rows, inverse):
    if pivots.size and (pivots.min() < 1 or pivots.max() > rows):
        raise RuntimeError(
            f"pivots must be between 1 and LU.size(-2), {rows}, inclusive. Did you properly pass "
            "the result of lu_factor?"
        )
    swaps = lapack.flat(pivots, 1).astype(np.int64) - 1
    order = np.tile(np.arange(rows), (len(swaps), 1))
    every = np.arange(len(swaps))
    for k in range(swaps.shape[-1]):
        other = swaps[:, k]
        order[every, other], order[:, k] = order[:, k].copy(), order[every, other]
    order = np.argsort(order, -1) if inverse else order
    return order.reshape(*pivots.shape[:-1], rows)


# The row of A that is row i of L U, for each i, and the `inverse` of that permutation.
permutation_op = Host("pivots_to_permutation", _infer_permutation, _permutation)
permutation_op.differentiable = False


def _permute_rows(x, order):
    """The rows of matrices in an order given for each of a stack; the dims before broadcast."""
    lead = broadcast_shapes("lu", [x._meta.shape[:-2], order._meta.shape[:-1]])
    shape = (*lead, *x._meta.shape[-2:])
    return gather(x.expand(shape), -2, order.unsqueeze(-1).expand(shape))


# Functions


def _check_pivot(pivot):
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


def _check_input(name, A):
    if A.ndim < 2:
        raise RuntimeError(
            f"{name}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead"
        )
    check_kind(name, A)


def lu_factor_ex(A, *, pivot=True, check_errors=False):
    """(LU, pivots, info): as `lu_factor`, and info tells where U has a zero on its diagonal.

    info is an int32 for each matrix: 0, or the place of the first zero, counted from 1.
    Raises: RuntimeError for such a zero if `check_errors`.
    """
    _check_pivot(pivot)
    _check_input("torch.lu_factor", A)
    if check_errors:
        return LUFactorEx(*now(lu_op(A, refuse="torch.linalg.lu_factor_ex")))
    return LUFactorEx(*lu_op(A, refuse=""))


def lu_factor(A, *, pivot=True):
    """(LU, pivots): the factors L and U of matrices [..., m, n] in one, and the exchanges of rows.

    LU holds L below its diagonal, whose own are ones, and U above and on it. Row i was exchanged
    with row pivots[i], counted from 1 on: int32 [..., min(m, n)].
    Raises: RuntimeError for a zero on the diagonal of U.

    >>> import flambeau as torch
    >>> torch.linalg.lu_factor(torch.tensor([[1.0, 1.0], [2.0, 4.0]])).pivots
    tensor([2, 2], dtype=torch.int32)
    """
    _check_pivot(pivot)
    _check_input("torch.lu_factor", A)
    return LUFactor(*now(lu_op(A, refuse="torch.linalg.lu_factor"))[:2])


def _unpack(packed, pivots, data=True):
    """P, L and U, of which `data` says whether L and U are wanted."""
    rows, columns = packed._meta.shape[-2:]
    k = min(rows, columns)
    P = lower = upper = packed.new_empty((0,))
    if pivots is not None:
        order = permutation_op(pivots, rows=rows, inverse=True)
        places = FUNCTIONS["arange"](rows)
        P = cast_to(ew.eq(order.unsqueeze(-1), places), packed._meta.dtype)
    if data:
        lower = tril(packed[..., :k], -1) + FUNCTIONS["eye"](rows, k, dtype=packed._meta.dtype)
        upper = triu(packed[..., :k, :])
    return P, lower, upper


def linalg_lu(A, *, pivot=True):
    """(P, L, U) with A = P L U: [..., m, m], [..., m, k] and [..., k, n] for k = min(m, n).

    P permutes rows, L is lower triangular with ones on its diagonal, U upper triangular.

    >>> import flambeau as torch
    >>> A = torch.tensor([[1.0, 1.0], [2.0, 4.0]])
    >>> P, L, U = torch.linalg.lu(A)
    >>> torch.equal(P @ L @ U, A)
    True
    """
    _check_pivot(pivot)
    _check_input("linalg.lu", A)
    packed, pivots, _ = lu_op(A, refuse="")
    return LU(*_unpack(packed, pivots))


@function
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """(P, L, U) of what `linalg.lu_factor` gave; empty tensors for what is not asked for.

    Raises: RuntimeError for pivots that are not int32, or not rows of the matrix.
    """
    if LU_pivots._meta.dtype is not dtypes.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            "dtype.\nNote: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    require_matrix("lu_unpack", LU_data, "LU_data")
    return LUUnpack(*_unpack(LU_data, LU_pivots if unpack_pivots else None, unpack_data))


def linalg_lu_solve(LU, pivots, B, *, left=True, adjoint=False):
    """X with A X = B, or X A = B unless `left`, of what `lu_factor` gave of A.

    Shapes: LU [..., n, n], pivots [..., n], B [..., n, k] or [..., k, n]; the dims before
    broadcast. adjoint: whether to solve for the conjugate transpose of A instead.
    Raises: RuntimeError for shapes, dtypes or pivots that do not fit.

    >>> import flambeau as torch
    >>> A, B = torch.tensor([[1.0, 1.0], [2.0, 4.0]]), torch.tensor([[3.0], [10.0]])
    >>> torch.linalg.lu_solve(*torch.linalg.lu_factor(A), B)
    tensor([[1.],
            [2.]])
    """
    name = "linalg.lu_solve"
    if LU._meta.dtype is not B._meta.dtype:
        raise RuntimeError(
            f"{name}: Expected LU and B to have the same dtype, but found LU of type {LU.dtype} "
            f"and B of type {B.dtype} instead"
        )
    if pivots._meta.dtype is not dtypes.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    require_square("torch.linalg.lu_solve", LU)
    require_matrix(name, B, "B")
    check_kind(name, LU)
    check_system(name, LU, B, left)
    if LU._meta.shape[-1:] != pivots._meta.shape[-1:]:
        raise RuntimeError(
            f"{name}: Number of pivots per batch should be same as the dimension of the matrix"
        )
    if LU._meta.shape[:-1] != pivots._meta.shape:
        raise RuntimeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots.shape)} instead"
        )
    if left:
        return _solve(LU, pivots, B, adjoint)
    return adjoint_of(_solve(LU, pivots, adjoint_of(B), not adjoint))


def _solve(packed, pivots, b, adjoint):
    """U^-1 L^-1 P^T B, or P L^-H U^-H B."""
    order = permutation_op(pivots, rows=packed._meta.shape[-1], inverse=bool(adjoint))
    if adjoint:
        turned = adjoint_of(packed)
        y = triangular_op(turned, b, upper=False, left=True, unit=False)
        return _permute_rows(triangular_op(turned, y, upper=True, left=True, unit=True), order)
    y = triangular_op(packed, _permute_rows(b, order), upper=False, left=True, unit=True)
    return triangular_op(packed, y, upper=True, left=True, unit=False)


@function
def lu_solve(input, LU_data, LU_pivots):
    """X with A X = input, of what `linalg.lu_factor` gave of A; see `linalg.lu_solve`."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


@function(out=False)
def lu(input, pivot=True, get_infos=False, out=None):
    """(LU, pivots), and info if `get_infos`; see `linalg.lu_factor_ex`."""
    _check_pivot(pivot)
    _check_input("torch.lu_factor", input)
    made = lu_op(input, refuse="")[: 3 if get_infos else 2]
    return made if out is None else into_out(made, out)
