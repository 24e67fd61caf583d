"""Factorizations of matrices, by LAPACK through NumPy."""

import collections

import numpy as np

from .. import dtypes
from ..recorder.handle import intern
from . import copies
from .api import cast_to
from .core import Host
from .diagonals import diag_embed, tril
from .singular import adjoint_of
from .solve import solve_quietly

__all__ = ["qr"]

_MODES = ("reduced", "complete", "r")
QR = collections.namedtuple("qr", ["Q", "R"])


def _shapes(operands, attrs):
    (a,) = operands
    *lead, m, n = a.shape
    k = min(m, n)
    if attrs["mode"] == "r":
        return intern((0,), a.dtype), intern((*lead, k, n), a.dtype)
    k = m if attrs["mode"] == "complete" else k
    return intern((*lead, m, k), a.dtype), intern((*lead, k, n), a.dtype)


def _factors(a, mode):
    if mode == "r":
        return np.empty((0,), a.dtype), np.linalg.qr(a, "r")
    return tuple(np.linalg.qr(a, mode))


qr_op = Host("linalg_qr", _shapes, _factors, multi=True)


@qr_op.vjp
def _(gs, outs, a, *, mode):
    # For A = [A1 A2] with as many columns in A1 as Q has: R = [R1 R2] and R2 = Q^H A2, hence A2
    # gets Q gR2 and Q gets A2 gR2^H besides; then the rule for A1 = Q R1.
    (g_q, g_r), (q, r) = gs, outs
    rows, columns = a._meta.shape[-2:]
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced')"
        )
    if mode == "complete" and rows > columns:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        )
    if rows >= columns:
        return _tall_qr_vjp(g_q, g_r, q, r)
    g_wide, wide = g_r[..., rows:], a[..., rows:]
    g_q = g_q + wide @ adjoint_of(g_wide)
    first = _tall_qr_vjp(g_q, g_r[..., :rows], q, r[..., :rows])
    return copies.cat([first, q @ g_wide], -1)


def _tall_qr_vjp(g_q, g_r, q, r):
    """(gQ + Q H) R^-H, H hermitian with the lower triangle of R gR^H - gQ^H Q."""
    inner = r @ adjoint_of(g_r) - adjoint_of(g_q) @ q
    lower = tril(inner, -1)
    real = inner.diagonal(0, -2, -1)
    real = real.real if inner._meta.dtype.is_complex else real
    middle = lower + adjoint_of(lower) + cast_to(diag_embed(real), inner._meta.dtype)
    return adjoint_of(solve_quietly(r, adjoint_of(g_q + q @ middle)))


def qr(A, mode="reduced"):
    """Q and R with A = Q R, Q orthogonal and R upper triangular; [..., m, n] and k = min(m, n).

    Args: mode: "reduced" gives Q [..., m, k] and R [..., k, n], "complete" Q [..., m, m] and
        R [..., m, n], "r" an empty Q.
    Raises: RuntimeError for other modes, vectors and whole numbers, and in the backward pass where
        Q is not computed or not unique: "r", and "complete" with more rows than columns.

    >>> import flambeau as torch
    >>> q, r = torch.linalg.qr(torch.tensor([[3.0, 0.0], [4.0, 5.0]]))
    >>> torch.allclose(q @ r, torch.tensor([[3.0, 0.0], [4.0, 5.0]]), atol=1e-6)
    True
    """
    meta = A._meta
    if mode not in _MODES:
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    if len(meta.shape) < 2:
        raise RuntimeError(
            f"linalg.qr: The input tensor A must have at least 2 dimensions, got "
            f"{list(meta.shape)}."
        )
    if meta.dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"linalg.qr: Expected a floating point tensor, got {meta.dtype.name}.")
    return QR(*qr_op(A, mode=mode))
