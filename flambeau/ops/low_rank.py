"""Singular vectors of matrices of low rank, from products with few random vectors.

N. Halko, P.-G. Martinsson, J. Tropp, Finding structure with randomness, SIAM Review 53 (2011).
"""

from .. import dtypes
from .api import FUNCTIONS, function
from .factor import qr
from .singular import adjoint_of, svd

__all__ = ["pca_lowrank", "svd_lowrank"]


def _floating(x):
    """The dtype of random vectors that multiply `x`."""
    kind = x._meta.dtype
    return kind if kind.category >= dtypes.FLOAT else dtypes.float32


def _basis(A, q, niter):
    """Q [..., m, q] with orthonormal columns such that Q Q^H A is nearly A (algorithm 4.4)."""
    start = FUNCTIONS["randn"](A._meta.shape[-1], q, dtype=_floating(A))
    basis = qr(A @ start).Q
    for _ in range(niter):
        basis = qr(adjoint_of(A) @ basis).Q
        basis = qr(A @ basis).Q
    return basis


@function(methods=False, out=False)
def svd_lowrank(A, q=6, niter=2, M=None):
    """U, S and V with A - M = U diag(S) V^H nearly, for [..., m, n] of a rank of at most q.

    Args: q: how many vectors, somewhat more than the rank. niter: how often to multiply with
        A A^H, which is for singular values that fall slowly. M: broadcasts to the shape of A.
    Returns: [..., m, q], [..., q] and [..., n, q]. It draws [min(m, n), q] normal random numbers.
    """
    q = 6 if q is None else q
    niter = 2 if niter is None else niter
    if M is not None:
        A = A - M.broadcast_to(A.shape)
    wide = A._meta.shape[-2] < A._meta.shape[-1]
    if wide:
        A = adjoint_of(A)
    basis = _basis(A, q, niter)
    u, s, vh = svd(adjoint_of(basis) @ A, full_matrices=False)
    u, v = basis @ u, adjoint_of(vh)
    return (v, s, u) if wide else (u, s, v)


@function(methods=False, out=False)
def pca_lowrank(A, q=None, center=True, niter=2):
    """The principal components of m samples of n features, [..., m, n], as U, S and V.

    The columns of V, [..., n, q], are the directions and S^2 / (m - 1) the variances along them;
    see `svd_lowrank`.

    Args: q: how many, min(6, m, n) by default. center: whether to subtract the means first.
    Raises: ValueError for a q or niter that does not fit.
    """
    m, n = A._meta.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not center:
        return svd_lowrank(A, q, niter)
    return svd_lowrank(A - A.mean(-2, keepdim=True), q, niter)
