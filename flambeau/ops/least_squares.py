"""The X for which A X comes closest to B, by LAPACK."""

import collections

import numpy as np

from .. import dtypes
from ..backends import lapack
from ..recorder.handle import Tensor, intern
from . import elementwise as ew
from .api import FUNCTIONS
from .core import Host, broadcast_shapes
from .factoring import now, raise_first
from .singular import adjoint_of

__all__ = ["lstsq"]

LeastSquares = collections.namedtuple(
    "linalg_lstsq", ["solution", "residuals", "rank", "singular_values"]
)

_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def _infer(operands, attrs):
    a, b = operands
    lead = broadcast_shapes("linalg.lstsq", [a.shape[:-2], b.shape[:-2]])
    m, n = a.shape[-2:]
    return (
        intern((*lead, n, b.shape[-1]), b.dtype),
        intern(a.shape[:-2], dtypes.int64),
        intern((*a.shape[:-2], min(m, n)), b.dtype.to_real()),
    )


def _solutions(a, b, rcond, driver):
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    (m, n), columns = a.shape[-2:], b.shape[-1]
    k, longer = min(m, n), max(m, n)
    stack = lapack.by_columns(np.broadcast_to(a, (*lead, m, n)))
    count = len(stack)
    x = np.zeros((count, columns, longer), b.dtype)  # LAPACK returns X where B was
    x[..., :m] = lapack.by_columns(np.broadcast_to(b, (*lead, m, columns)))
    rank = np.zeros(count, np.int32)
    values = np.zeros((count, k), b.real.dtype)
    if x.size and k:
        info = _call(driver, m, n, columns, stack, x, rank, values, rcond)
        raise_first(info, lead, "torch.linalg.lstsq", _FAILED[driver == "gels"])
    elif not k:
        x[:] = 0
    rank, values = (
        _once(v.reshape((*lead, *v.shape[1:])), lead, a.shape[:-2]) for v in (rank, values)
    )
    return lapack.by_rows(x[..., :n], lead), rank, values


def _once(x, lead, shape):
    """What was found of each matrix of [*shape, ...], of which systems [*lead, ...] share some."""
    if not x.size:
        return np.zeros((*shape, *x.shape[len(lead) :]), x.dtype)
    x = x[(0,) * (len(lead) - len(shape))]
    return x[tuple(slice(n) for n in shape)]


_FAILED = (
    "The least squares solution could not be computed because the computation of the singular "
    "values did not converge (error code: {0}).",
    "The least squares solution could not be computed because the input matrix does not have full "
    "rank (error code: {0}).",
)


def _call(driver, m, n, columns, stack, x, rank, values, rcond):
    """Run a driver on each system of a stack; returns what LAPACK told of each."""
    count, kind = len(stack), x.dtype
    real = values.dtype
    given = [m, n, columns, stack, m, x, max(m, n)]
    limit = lapack.Shared(np.array([rcond], real))
    if driver == "gels":
        given.insert(0, "N")
    elif driver == "gelsy":
        given += [np.zeros((count, n), np.int32), limit, rank]
    else:
        given += [values, limit, rank]

    def call(count, work, length, reals, integers):
        more = [lapack.Shared(work), length]
        if kind.kind == "c" and driver != "gels":
            more.append(lapack.Shared(reals))
        if driver == "gelsd":
            more.append(lapack.Shared(integers))
        return lapack.each(driver, kind, count, *given, *more)

    # Asked with the length -1, LAPACK tells how much it needs to work in.
    work, reals, integers = np.zeros(1, kind), np.zeros(1, real), np.zeros(1, np.int32)
    call(1, work, -1, reals, integers)
    sizes = int(work[0].real), int(reals[0]), int(integers[0])
    needed = max(2 * n, 5 * min(m, n), sizes[1], 1)  # only gelsd tells how many reals
    return call(
        count,
        np.empty(max(1, sizes[0]), kind),
        max(1, sizes[0]),
        np.empty(needed, real),
        np.empty(max(1, sizes[2]), np.int32),
    )


# (X, the rank of A as `driver` finds it, the singular values of A if it computes them).
_solve_op = Host("linalg_lstsq", _infer, _solutions, multi=True)


@_solve_op.vjp
def _(gs, outs, a, b, *, rcond, driver):
    # X = A^+ B. With Z = A^+H gX, R = B - A X and N = gX - A^H Z, which is 0 if the columns of A
    # are independent: gB = Z, gA = -Z X^H + R (A^+ Z)^H + (A^+H X) N^H (Golub and Pereyra, 1973).
    g, x = gs[0], outs[0]
    turned = adjoint_of(a)

    def solve(matrix, right):
        return _solve_op(matrix, right, rcond=rcond, driver=driver)[0]

    z = solve(turned, g)
    ga = -(z @ adjoint_of(x)) + (b - a @ x) @ adjoint_of(solve(a, z))
    ga = ga + solve(turned, x) @ adjoint_of(g - turned @ z)
    return ga, z


def _check(A, B, driver):
    name = "torch.linalg.lstsq"
    if A.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if A._meta.dtype is not B._meta.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype "
            f"{A.dtype} and other's dtype {B.dtype}"
        )
    if A._meta.dtype.to_real() not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(
            f"{name}: This function doesn't handle types other than float and double"
        )
    if driver not in _DRIVERS:
        raise RuntimeError(
            f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )


def lstsq(A, B, rcond=None, *, driver=None):
    """(solution, residuals, rank, singular_values): the X with the least ||A X - B||.

    Shapes: A [..., m, n], B [..., m, k] or [..., m], of which the dims before broadcast; the
    solution is [..., n, k] or [..., n]. Of several solutions it is the smallest.

    Args: rcond: the ratio to the largest singular value below which others count as zero, by
        default eps max(m, n). driver: the routine of LAPACK: "gelsy", or "gels", which takes A to
        have full rank and no `rcond`, or "gelsd" or "gelss", by singular values.
    Returns: residuals are the sums of |A X - B|^2 [..., k], if m > n, all matrices have full rank
        and `driver` is not "gelsy"; rank is int64 [...], not of "gels"; the singular values are
        [..., min(m, n)], of "gelsd" and "gelss". Else these are empty.

    >>> import flambeau as torch
    >>> A = torch.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> X = torch.linalg.lstsq(A, torch.tensor([1.0, 2.0, 3.0])).solution
    >>> torch.allclose(X, torch.ones(2), atol=1e-5)
    True
    """
    driver = "gelsy" if driver is None else driver
    _check(A, B, driver)
    vectors = B.ndim == 1 or (A.ndim - 1 == B.ndim and A._meta.shape[:-1] == B._meta.shape)
    b = B.unsqueeze(-1) if vectors else B
    m, n = A._meta.shape[-2:]
    if m != b._meta.shape[-2]:
        raise RuntimeError(
            f"torch.linalg.lstsq: input.size(-2) should match other.size({-1 if vectors else -2})"
        )
    if isinstance(rcond, Tensor):
        rcond = rcond.item()
    if rcond is None:
        rcond = float(np.finfo(A._meta.dtype.to_real().numpy).eps) * max(m, n)
    x, rank, values = _solve_op(A, b, rcond=float(rcond), driver=driver)
    empty = FUNCTIONS["empty"]((0,), dtype=values._meta.dtype)
    made = LeastSquares(
        x.squeeze(-1) if vectors else x,
        _residuals(A, b, x, rank, driver),
        rank if driver != "gels" else FUNCTIONS["empty"]((0,), dtype=dtypes.int64),
        values.detach() if driver in ("gelsd", "gelss") else empty,
    )
    return now(made) if driver == "gels" else made


def _residuals(A, b, x, rank, driver):
    """The sums of |A X - B|^2; nothing where there are none, or some matrix lacks rank."""
    m, n = A._meta.shape[-2:]
    full = m > n and driver != "gelsy"
    if full and driver != "gels":
        full = bool((rank == n).all())
    if not full:
        return ew.abs(x.reshape(-1)[:0])
    return (ew.abs(A @ x - b) ** 2).sum(-2)
