"""Systems of equations with triangular matrices."""

import collections

import numpy as np

from ..backends import lapack
from ..recorder.handle import intern
from .api import function
from .core import Host, broadcast_shapes
from .diagonals import tril, triu
from .factoring import check_kind, check_system
from .matrices import require_matrix, require_square
from .singular import adjoint_of

__all__ = ["solve_triangular", "triangular_op", "triangular_solve"]

TriangularSolve = collections.namedtuple("triangular_solve", ["solution", "cloned_coefficient"])


def _infer(operands, attrs):
    a, b = operands
    lead = broadcast_shapes("linalg.solve_triangular", [a.shape[:-2], b.shape[:-2]])
    return intern((*lead, *b.shape[-2:]), b.dtype)


def _solutions(a, b, upper, left, unit):
    # What BLAS sees by columns is X^T A^T = B^T: the other side, and the other triangle.
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    rows, columns = b.shape[-2:]
    x = lapack.flat(np.broadcast_to(b, (*lead, rows, columns)))
    if x.size:
        n = a.shape[-1]
        a = (
            lapack.Shared(np.ascontiguousarray(a))
            if a.size == n * n
            else lapack.flat(np.broadcast_to(a, (*lead, n, n)))
        )
        lapack.each(
            "trsm",
            x.dtype,
            len(x),
            "R" if left else "L",
            "L" if upper else "U",
            "N",
            "U" if unit else "N",
            columns,
            rows,
            lapack.Shared(np.ones(1, x.dtype)),
            a,
            n,
            x,
            columns,
            info=False,
        )
    return x.reshape(*lead, rows, columns)


# X with A X = B, or X A = B unless `left`; only one triangle of A is read, and of a `unit` one no
# diagonal. The dims before are broadcast.
triangular_op = Host("linalg_solve_triangular", _infer, _solutions)


@triangular_op.vjp
def _(g, out, a, b, *, upper, left, unit):
    gb = triangular_op(adjoint_of(a), g, upper=not upper, left=left, unit=unit)
    ga = -(gb @ adjoint_of(out)) if left else -(adjoint_of(out) @ gb)
    inside = -int(unit)
    return triu(ga, -inside) if upper else tril(ga, inside), gb


def solve_triangular(A, B, *, upper, left=True, unitriangular=False):
    """X with A X = B, or X A = B, for a triangular A: [..., n, n] and [..., n, k].

    Only the triangle that `upper` names is read. The dims before are broadcast. Of a matrix with a
    zero on the diagonal the result has inf or NaN.

    Args: left: whether A stands left of X. unitriangular: whether the diagonal is taken as ones,
        and not read.
    Raises: RuntimeError for shapes or dtypes that do not fit.

    >>> import flambeau as torch
    >>> A = torch.tensor([[2.0, 0.0], [1.0, 4.0]])
    >>> torch.linalg.solve_triangular(A, torch.tensor([[2.0], [9.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    name = "linalg.solve_triangular"
    require_square(name, A)
    require_matrix(name, B, "B")
    check_system(name, A, B, left)
    check_kind(name, A)
    if A._meta.dtype is not B._meta.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {A.dtype} and B "
            f"of type {B.dtype}"
        )
    return triangular_op(A, B, upper=bool(upper), left=bool(left), unit=bool(unitriangular))


def check_old_system(name, b, A):
    """Raise RuntimeError unless a function of old can solve A X = b."""
    for called, x in (("b", b), ("A", A)):
        if x.ndim < 2:
            raise RuntimeError(
                f"torch.{name}: Expected {called} to have at least 2 dimensions, but it has "
                f"{x.ndim} dimensions instead"
            )
    if A._meta.dtype is not b._meta.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {b.dtype} and A of type "
            f"{A.dtype} instead."
        )
    (rows, columns), (n, k) = A._meta.shape[-2:], b._meta.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"A must be batches of square matrices, but they are {rows} by {columns} matrices"
        )
    if rows != n:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {rows} by {columns} but each "
            f"b matrix is {n} by {k}"
        )


@function
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False):
    """(X with A X = input, a copy of A) for a triangular A; see `linalg.solve_triangular`.

    Args: transpose: whether to solve A^T X = input.
    """
    check_old_system("triangular_solve", input, A)
    check_kind("triangular_solve", A)
    lead = broadcast_shapes("triangular_solve", [A._meta.shape[:-2], input._meta.shape[:-2]])
    a, upper = (A.transpose(-2, -1), not upper) if transpose else (A, upper)
    solution = triangular_op(a, input, upper=bool(upper), left=True, unit=bool(unitriangular))
    return TriangularSolve(solution, A.expand((*lead, *A._meta.shape[-2:])).clone())
