"""Products of Householder reflections, in which LAPACK leaves Q, and the older `qr`."""

import collections

import numpy as np

from ..recorder.handle import intern
from .api import FUNCTIONS, function
from .core import Host, composite
from .diagonals import diag_embed, tril, triu
from .factor import qr_op
from .factoring import check_kind
from .matrices import require_floating, require_matrix, title
from .singular import adjoint_of
from .triangular import triangular_op

__all__ = ["geqrf", "householder_product", "ormqr", "qr"]

Geqrf = collections.namedtuple("geqrf", ["a", "tau"])
QR = collections.namedtuple("qr", ["Q", "R"])


def _infer(operands, attrs):
    (a,) = operands
    *lead, m, n = a.shape
    return intern(a.shape, a.dtype), intern((*lead, min(m, n)), a.dtype)


def _reflections(a):
    if not a.size:
        *lead, m, n = a.shape
        return np.zeros(a.shape, a.dtype), np.zeros((*lead, min(m, n)), a.dtype)
    h, tau = np.linalg.qr(a, "raw")
    return np.ascontiguousarray(h.swapaxes(-1, -2)), tau


# (R on and above the diagonal and the vectors of the reflections below, their factors).
_geqrf_op = Host("geqrf", _infer, _reflections, multi=True)


def _vectors(a, tau):
    """(V, T) with H_1 H_2 .. H_k = I - V T V^H, for H_i = I - tau_i v_i v_i^H.

    v_i is column i of `a` below the diagonal, with a one on it. T is the inverse of
    diag(1 / tau) + S with S the strict upper triangle of V^H V (Schreiber and Van Loan, 1989): here
    (I + diag(tau) S)^-1 diag(tau), which is defined for tau = 0 too.
    """
    m, k = a._meta.shape[-2], tau._meta.shape[-1]
    kind = a._meta.dtype
    v = tril(a[..., :k], -1) + FUNCTIONS["eye"](m, k, dtype=kind)
    system = tau.unsqueeze(-1) * triu(adjoint_of(v) @ v, 1) + FUNCTIONS["eye"](k, dtype=kind)
    return v, triangular_op(system, diag_embed(tau), upper=True, left=True, unit=True)


@composite(name="linalg_householder_product")
def _product(a, tau):
    v, t = _vectors(a, tau)
    m, n = a._meta.shape[-2:]
    return FUNCTIONS["eye"](m, n, dtype=a._meta.dtype) - v @ (t @ adjoint_of(v[..., :n, :]))


@composite(name="ormqr")
def _multiplied(a, tau, other, *, left, turned):
    v, t = _vectors(a, tau)
    t = adjoint_of(t) if turned else t
    if left:
        return other - v @ (t @ (adjoint_of(v) @ other))
    return other - ((other @ v) @ t) @ adjoint_of(v)


def _check_factors(name, a, tau):
    if a.ndim - tau.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal "
            f"to {tau.ndim} and input.ndim is equal to {a.ndim}"
        )
    if a._meta.shape[:-2] != tau._meta.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got "
            f"{list(tau.shape[:-1])}"
        )


def householder_product(input, tau):
    """The first n columns of H_1 H_2 .. H_k, H_i = I - tau_i v_i v_i^H: [..., m, n], m >= n >= k.

    v_i has a one at i, what stands below the diagonal in column i of `input` after it, and zeros
    before. Shapes: input [..., m, n], tau [..., k].
    Raises: RuntimeError for shapes or dtypes that do not fit.

    >>> import flambeau as torch
    >>> A = torch.tensor([[3.0, 0.0], [4.0, 5.0]])
    >>> torch.allclose(torch.linalg.householder_product(*torch.geqrf(A)), torch.linalg.qr(A).Q)
    True
    """
    name = "torch.linalg.householder_product"
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    m, n = input._meta.shape[-2:]
    if m < n:
        raise RuntimeError(
            f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if tau.ndim and n < tau._meta.shape[-1]:
        raise RuntimeError(
            f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    _check_factors(name, input, tau)
    if input._meta.dtype is not tau._meta.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {title(tau._meta.dtype)} does not match input dtype "
            f"{title(input._meta.dtype)}"
        )
    check_kind(name, input)
    return _product(input, tau)


@function(name="orgqr")
def _orgqr(input, tau):
    """The product of Householder reflections: `linalg.householder_product`."""
    return householder_product(input, tau)


@function
def geqrf(input):
    """(a, tau): R of A = Q R on and above the diagonal of a, and Q as reflections.

    See `linalg.householder_product`, which makes Q of both. There is no derivative.
    """
    if input.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    check_kind("geqrf", input)
    return Geqrf(*_geqrf_op(input))


@function
def ormqr(input, tau, other, left=True, transpose=False):
    """Q @ other, or other @ Q unless `left`, with Q = H_1 H_2 .. H_k as an m by m matrix.

    See `linalg.householder_product` for `input` and `tau`. transpose: whether Q^H takes the place
    of Q. Raises: RuntimeError for shapes or dtypes that do not fit.
    """
    name = "torch.ormqr"
    for called, x in (("input", input), ("other", other)):
        if x.ndim < 2:
            raise RuntimeError(f"{name}: {called} must have at least 2 dimensions.")
    dim = -2 if left else -1
    size, (m, n) = other._meta.shape[dim], input._meta.shape[-2:]
    if tau.ndim and size < tau._meta.shape[-1]:
        raise RuntimeError(
            f"{name}: other.shape[{dim}] must be greater than or equal to tau.shape[-1]"
        )
    if size != m:
        raise RuntimeError(f"{name}: other.shape[{dim}] must be equal to input.shape[-2]")
    _check_factors(name, input, tau)
    if tau._meta.shape[-1] != min(size, n):
        raise RuntimeError(
            f"{name}: tau.shape[-1] must be equal to min(other.shape[{dim}], input.shape[-1])"
        )
    if input._meta.shape[:-2] != other._meta.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.shape[:-2])}"
        )
    for called, x in (("tau", tau), ("other", other)):
        if input._meta.dtype is not x._meta.dtype:
            raise RuntimeError(
                f"{name}: Expected input and {called} to have the same dtype, but input has dtype "
                f"{title(input._meta.dtype)} and {called} has dtype {title(x._meta.dtype)}"
            )
    check_kind(name, input)
    return _multiplied(input, tau, other, left=bool(left), turned=bool(transpose))


@function
def qr(input, some=True):
    """(Q, R) with input = Q R; see `linalg.qr`, whose "complete" is `some=False` here."""
    require_matrix("linalg.qr", input)
    require_floating("linalg.qr", input)
    return QR(*qr_op(input, mode="reduced" if some else "complete"))
