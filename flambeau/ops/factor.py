"""Factorizations of matrices, by LAPACK through NumPy."""

import collections

import numpy as np

from .. import dtypes
from ..recorder.handle import intern
from .core import Host

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


def qr(A, mode="reduced"):
    """Q and R with A = Q R, Q orthogonal and R upper triangular; [..., m, n] and k = min(m, n).

    Args: mode: "reduced" gives Q [..., m, k] and R [..., k, n], "complete" Q [..., m, m] and
        R [..., m, n], "r" an empty Q. It has no derivative yet: `backward` says so.
    Raises: RuntimeError for other modes, vectors and whole numbers.

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
