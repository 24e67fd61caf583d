"""The factorization A = L L^H of positive definite matrices, and systems solved with it."""

import collections

import numpy as np

from .. import dtypes
from ..backends import lapack
from ..recorder.handle import intern
from .api import FUNCTIONS, function
from .core import Host, composite
from .diagonals import tril
from .factoring import check_kind, now, raise_first
from .matrices import require_square
from .singular import adjoint_of
from .triangular import check_old_system, triangular_op

__all__ = [
    "cholesky",
    "cholesky_ex",
    "cholesky_inverse",
    "cholesky_op",
    "cholesky_solve",
    "linalg_cholesky",
]

CholeskyEx = collections.namedtuple("linalg_cholesky_ex", ["L", "info"])

_INDEFINITE = (
    "The factorization could not be completed because the input is not positive-definite (the "
    "leading minor of order {0} is not positive-definite)."
)


def _infer(operands, attrs):
    (a,) = operands
    return intern(a.shape, a.dtype), intern(a.shape[:-2], dtypes.int32)


def _factor(a, upper, refuse):
    # By columns the lower triangle of A is the upper one of A^T, whose factor is L^T: L by rows.
    lead, n = a.shape[:-2], a.shape[-1]
    stack = lapack.flat(a)
    info = np.zeros(len(stack), np.int32)
    if stack.size:
        info = lapack.each("potrf", a.dtype, len(stack), "L" if upper else "U", n, stack, n)
        unknown = np.isnan(stack.diagonal(0, 1, 2))
        info = np.where((info == 0) & unknown.any(1), unknown.argmax(1) + 1, info)
    if refuse:
        raise_first(info, lead, refuse, _INDEFINITE)
    stack = np.triu(stack) if upper else np.tril(stack)
    return stack.reshape(a.shape), info.reshape(lead)


# (L, or its conjugate transpose if `upper`, the order of the first minor that is not positive
# definite or 0); only that triangle of A is read. refuse: the name of the function whose error such
# a minor is, or "".
cholesky_op = Host("linalg_cholesky_ex", _infer, _factor, multi=True)


@cholesky_op.vjp
def _(gs, outs, a, *, upper, refuse):
    # L^-H M L^-1 / 2, of M = L^H gL with the adjoint of its lower triangle for the upper one.
    g, factor = gs[0], outs[0]
    if upper:
        g, factor = adjoint_of(g), adjoint_of(factor)
    inner = adjoint_of(factor) @ g
    middle = tril(inner) + adjoint_of(tril(inner, -1))
    half = triangular_op(adjoint_of(factor), middle, upper=True, left=True, unit=False)
    return 0.5 * triangular_op(factor, half, upper=False, left=False, unit=False)


def _checked(name, A):
    require_square(name, A)
    check_kind(name, A, RuntimeError)
    return A


def cholesky_ex(A, *, upper=False, check_errors=False):
    """(L, info): as `linalg.cholesky`, and info tells which matrices have a factor.

    info is an int32 for each matrix: 0, or the order of the first leading minor that is not
    positive definite. Raises: LinAlgError for such a minor if `check_errors`.

    >>> import flambeau as torch
    >>> torch.linalg.cholesky_ex(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).info
    tensor(2, dtype=torch.int32)
    """
    _checked("linalg.cholesky", A)
    refuse = "linalg.cholesky_ex" if check_errors else ""
    made = CholeskyEx(*cholesky_op(A, upper=bool(upper), refuse=refuse))
    return now(made) if check_errors else made


def linalg_cholesky(A, *, upper=False):
    """The lower triangular L with A = L L^H, of positive definite [..., n, n]; or L^H if `upper`.

    Only the lower, or upper, triangle of A is read; the gradient is that of a hermitian matrix.
    Raises: LinAlgError if A is not positive definite, naming the leading minor that shows it.

    >>> import flambeau as torch
    >>> torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    _checked("linalg.cholesky", A)
    return now(cholesky_op(A, upper=bool(upper), refuse="linalg.cholesky")[0])


@function
def cholesky(input, upper=False):
    """The lower triangular L with input = L L^H, or L^H if `upper`; see `linalg.cholesky`."""
    _checked("cholesky", input)
    return now(cholesky_op(input, upper=bool(upper), refuse="cholesky")[0])


def _solve(b, factor, upper):
    """X with L L^H X = B, or U^H U X = B."""
    turned = adjoint_of(factor)
    first, second = (turned, factor) if upper else (factor, turned)
    y = triangular_op(first, b, upper=False, left=True, unit=False)
    return triangular_op(second, y, upper=True, left=True, unit=False)


@function
def cholesky_solve(input, L, upper=False):
    """X with L L^H X = input, or U^H U X = input if `upper`: [..., n, k] and [..., n, n].

    The dims before broadcast.

    >>> import flambeau as torch
    >>> L = torch.linalg.cholesky(torch.tensor([[4.0, 2.0], [2.0, 5.0]]))
    >>> torch.cholesky_solve(torch.tensor([[6.0], [7.0]]), L)
    tensor([[1.],
            [1.]])
    """
    check_old_system("cholesky_solve", input, L)
    check_kind("cholesky_solve", L)
    return _solve(input, L, bool(upper))


def _infer_same(operands, attrs):
    (x,) = operands
    return intern(x.shape, x.dtype)


def _nonzero_diagonal(factor):
    zero = factor.diagonal(0, -2, -1) == 0
    info = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if zero.size else np.zeros(0, np.int32)
    raise_first(
        info.reshape(-1),
        factor.shape[:-2],
        "cholesky_inverse",
        "The diagonal element {0} is zero, the inversion could not be completed because the input "
        "matrix is singular.",
    )
    return factor


# The factor itself; raises for a zero on its diagonal.
_regular_op = Host("nonzero_diagonal", _infer_same, _nonzero_diagonal, vjp=lambda g, out, factor: g)


@composite(name="cholesky_inverse")
def _inverse(factor, *, upper):
    eye = FUNCTIONS["eye"](factor._meta.shape[-1], dtype=factor._meta.dtype)
    return _solve(eye.expand(factor._meta.shape), _regular_op(factor), upper)


@function
def cholesky_inverse(input, upper=False):
    """The inverse of L L^H, or of U^H U if `upper`, of a triangular factor [..., n, n].

    Raises: LinAlgError for a zero on the diagonal.
    """
    require_square("cholesky_inverse", input)
    check_kind("cholesky_inverse", input)
    return now(_inverse(input, upper=bool(upper)))
