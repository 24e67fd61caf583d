"""The factorization A = L D L^H of symmetric or hermitian matrices, by LAPACK."""

import collections

import numpy as np

from .. import dtypes
from ..backends import lapack
from ..recorder.handle import intern
from .core import Host, broadcast_shapes
from .factoring import check_kind, now, raise_first
from .matrices import require_matrix, require_square, title

__all__ = ["ldl_factor", "ldl_factor_ex", "ldl_solve"]

LDLFactor = collections.namedtuple("linalg_ldl_factor", ["LD", "pivots"])
LDLFactorEx = collections.namedtuple("linalg_ldl_factor_ex", ["LD", "pivots", "info"])

_BLOCK = 64  # columns that LAPACK may work on at a time


def _infer(operands, attrs):
    (a,) = operands
    return (
        intern(a.shape, a.dtype),
        intern(a.shape[:-1], dtypes.int32),
        intern(a.shape[:-2], dtypes.int32),
    )


def _factors(a, hermitian, refuse):
    lead, n = a.shape[:-2], a.shape[-1]
    stack = lapack.by_columns(a)
    count = len(stack)
    pivots = np.zeros((count, n), np.int32)
    info = np.zeros(count, np.int32)
    if stack.size:
        work = lapack.Shared(np.empty(n * _BLOCK, a.dtype))
        routine = "hetrf" if hermitian and a.dtype.kind == "c" else "sytrf"
        info = lapack.each(routine, a.dtype, count, "L", n, stack, n, pivots, work, n * _BLOCK)
    if refuse:
        raise_first(
            info,
            lead,
            refuse,
            "D[{0},{0}] is zero: the factorization is complete, but solving a system with it would "
            "divide by zero.",
        )
    return np.tril(lapack.by_rows(stack, lead)), pivots.reshape(*lead, n), info.reshape(lead)


# (L below the diagonal and D on and beside it, pivots as LAPACK has them, the place of a zero on
# the diagonal of D or 0). refuse: the name of the function whose error such a zero is, or "".
_factor_op = Host("linalg_ldl_factor_ex", _infer, _factors, multi=True)


def _infer_solution(operands, attrs):
    packed, _, b = operands
    lead = broadcast_shapes("linalg.ldl_solve", [packed.shape[:-2], b.shape[:-2]])
    return intern((*lead, *b.shape[-2:]), b.dtype)


def _solutions(packed, pivots, b, hermitian):
    lead = np.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
    n, k = b.shape[-2:]
    x = lapack.by_columns(np.broadcast_to(b, (*lead, n, k)))
    if x.size:
        stack = lapack.by_columns(np.broadcast_to(packed, (*lead, n, n)))
        rows = lapack.flat(np.broadcast_to(pivots, (*lead, n)).astype(np.int32), 1)
        routine = "hetrs" if hermitian and b.dtype.kind == "c" else "sytrs"
        lapack.each(routine, b.dtype, len(x), "L", n, k, stack, n, rows, x, n)
    return lapack.by_rows(x, lead)


_solve_op = Host("linalg_ldl_solve", _infer_solution, _solutions)


def ldl_factor_ex(A, *, hermitian=False, check_errors=False):
    """(LD, pivots, info): as `linalg.ldl_factor`, and info tells where D has a zero.

    info is an int32 for each matrix: 0, or the place of the first zero on the diagonal of D,
    counted from 1. Raises: LinAlgError for such a zero if `check_errors`.
    """
    return LDLFactorEx(*_factored(A, hermitian, "torch.linalg.ldl_factor_ex", check_errors))


def ldl_factor(A, *, hermitian=False):
    """(LD, pivots) with A = L D L^T, or L D L^H if `hermitian`, for [..., n, n].

    L is lower triangular with ones on its diagonal, up to exchanges of rows, D has blocks of one
    or two rows; LD and pivots, int32 [..., n], are as LAPACK packs them, to be given to
    `linalg.ldl_solve`. Only the lower triangle of A is read. There is no derivative.
    Raises: LinAlgError for a zero on the diagonal of D.

    >>> import flambeau as torch
    >>> A, B = torch.tensor([[1.0, 2.0], [2.0, 1.0]]), torch.tensor([[3.0], [3.0]])
    >>> torch.linalg.ldl_solve(*torch.linalg.ldl_factor(A), B)
    tensor([[1.],
            [1.]])
    """
    return LDLFactor(*_factored(A, hermitian, "torch.linalg.ldl_factor", True)[:2])


def _factored(A, hermitian, name, check):
    require_square("torch.linalg.ldl_factor_ex", A)
    check_kind("torch.linalg.ldl_factor_ex", A)
    made = _factor_op(A, hermitian=bool(hermitian), refuse=name if check else "")
    return now(made) if check else made


def ldl_solve(LD, pivots, B, *, hermitian=False):
    """X with A X = B, of what `linalg.ldl_factor` gave of A: [..., n, n], [..., n], [..., n, k].

    The dims before broadcast. Raises: RuntimeError for shapes or dtypes that do not fit.
    """
    name = "torch.linalg.ldl_solve"
    require_square(name, LD)
    require_matrix(name, B, "B")
    if LD._meta.shape[:-1] != pivots._meta.shape:
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots.shape)} instead"
        )
    kind = pivots._meta.dtype
    if kind.category != dtypes.INT:
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got {title(kind)}")
    if LD._meta.dtype is not B._meta.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {title(B._meta.dtype)} "
            f"and A of type {title(LD._meta.dtype)} instead."
        )
    n, (rows, columns) = LD._meta.shape[-1], B._meta.shape[-2:]
    if n != rows:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {n} by {n} but each b matrix "
            f"is {rows} by {columns}"
        )
    check_kind(name, LD)
    return _solve_op(LD, pivots, B, hermitian=bool(hermitian))
