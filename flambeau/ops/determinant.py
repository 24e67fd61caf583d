"""Determinants, whose derivatives are those of a polynomial: singular matrices have them too."""

import collections

import numpy as np

from ..recorder.handle import intern
from . import elementwise as ew
from .api import function
from .complexes import complex_op, imag
from .core import Host
from .matrices import batch_shape, require_floating, require_square, takes_same_out
from .singular import adjoint_of
from .solve import inverse_op

__all__ = ["det", "logdet", "slogdet"]

LinalgSlogdet = collections.namedtuple("linalg_slogdet", ["sign", "logabsdet"])
Slogdet = collections.namedtuple("slogdet", ["sign", "logabsdet"])


def _infer_det(operands, attrs):
    (a,) = operands
    return intern(a.shape[:-2], a.dtype)


det_op = Host("linalg_det", _infer_det, np.linalg.det)


@det_op.vjp
def _(g, out, a):
    return g.unsqueeze(-1).unsqueeze(-1) * adjoint_of(adjugate_op(a))


def _factors(a):
    """U, s, V^H and det(U) det(V^H) of finite matrices."""
    u, s, vh = np.linalg.svd(a)
    turn = np.linalg.det(u) * np.linalg.det(vh)
    return u, s.astype(np.float64), vh, turn[..., None, None]


def _split(s):
    """(the product of what is not zero, that with 1 for zero, where it is zero)."""
    zero = s == 0
    safe = np.where(zero, 1, s)
    return safe.prod(-1, keepdims=True), safe, zero


def _products_without_one(s):
    """p[i], the product of all s but s[i]."""
    product, safe, zero = _split(s)
    return np.where(zero.sum(-1, keepdims=True) == zero, product / safe, 0)


def _products_without_two(s):
    """p[i, j], the product of all s but s[i] and s[j]; 0 where i = j."""
    product, safe, zero = _split(s)
    safe = safe[..., :, None] * safe[..., None, :]
    gone = zero[..., :, None].astype(int) + zero[..., None, :]
    made = np.where(zero.sum(-1)[..., None, None] == gone, product[..., None] / safe, 0)
    return made * (1 - np.eye(s.shape[-1]))


def _conjugate_transpose(x):
    return np.conj(np.swapaxes(x, -2, -1))


def _where_finite(f):
    """`f` of matrices, NaN for those with elements that are not finite."""

    def guarded(a, *rest):
        finite = np.isfinite(a).all((-2, -1), keepdims=True)
        made = f(np.where(finite, a, 0), *rest) if a.size else np.zeros_like(a)
        return np.where(finite, made, np.nan).astype(a.dtype)

    return guarded


@_where_finite
def _adjugates(a):
    u, s, vh, turn = _factors(a)
    scaled = _conjugate_transpose(vh) * _products_without_one(s)[..., None, :]
    return turn * (scaled @ _conjugate_transpose(u))


@_where_finite
def _adjugate_slopes(a, e):
    u, s, vh, turn = _factors(a)
    v = _conjugate_transpose(vh)
    inner = _conjugate_transpose(u) @ e @ v
    others = _products_without_two(s)
    middle = -others * inner
    diagonal = others @ np.diagonal(inner, 0, -2, -1)[..., None]
    middle += np.eye(s.shape[-1]) * diagonal
    return turn * (v @ middle @ _conjugate_transpose(u))


def _infer_same(operands, attrs):
    return intern(operands[0].shape, operands[0].dtype)


def _infer_slope(operands, attrs):
    a, e = operands
    return intern((*batch_shape(a.shape, e.shape), *a.shape[-2:]), a.dtype)


# The adjugate, det(A) A^-1 where that exists, and its derivative along E. With A = U diag(s) V^H
# they are c V diag(prod of the other s) U^H, where c = det(U) det(V^H), and what comes of it.
adjugate_op = Host("linalg_adjugate", _infer_same, _adjugates)
adjugate_slope_op = Host("linalg_adjugate_slope", _infer_slope, _adjugate_slopes)


@adjugate_op.vjp
def _(g, out, a):
    return adjugate_slope_op(adjoint_of(a), g)


@adjugate_slope_op.vjp
def _(g, out, a, e):
    return adjoint_of(_second_slope(a, e, adjoint_of(g))), adjugate_slope_op(adjoint_of(a), g)


def _trace(x):
    return x.diagonal(0, -2, -1).sum(-1).unsqueeze(-1).unsqueeze(-1)


def _second_slope(a, x, y):
    """The second derivative of det(A) A^-1 along X and Y; A has an inverse, or it is NaN."""
    w = inverse_op(a, checked="")[0]
    wx, wy = w @ x, w @ y
    tx, ty = _trace(wx), _trace(wy)
    made = (tx * ty - _trace(wx @ wy)) * w - (tx * wy + ty * wx) @ w + (wx @ wy + wy @ wx) @ w
    return det_op(a).unsqueeze(-1).unsqueeze(-1) * made


def det(A):
    """The determinant of matrices, [..., n, n]: [...].

    Its derivative is right for singular matrices too. Raises: RuntimeError for other shapes and
    for whole numbers.

    >>> import flambeau as torch
    >>> torch.linalg.det(torch.tensor([[2.0, 1.0], [0.0, 3.0]])).round()
    tensor(6.)
    """
    require_square("linalg.det", A)
    require_floating("linalg.det", A, low=True)
    if A._meta.dtype.to_real().itemsize < 4:
        raise NotImplementedError(f'"lu_cpu" not implemented for {A._meta.dtype.name} tensors')
    return det_op(A)


def _infer_slogdet(operands, attrs):
    (a,) = operands
    return intern(a.shape[:-2], a.dtype), intern(a.shape[:-2], a.dtype.to_real())


def _signs(a):
    sign, size = np.linalg.slogdet(a)
    return (sign if a.dtype.kind == "c" else np.where(np.isnan(size), 0, sign)), size


slogdet_op = Host("linalg_slogdet", _infer_slogdet, _signs, multi=True)


@slogdet_op.vjp
def _(gs, outs, a):
    (g_sign, g_log), (sign, _) = gs, outs
    if a._meta.dtype.is_complex:  # d sign = i sign Im tr(A^-1 dA)
        g_log = complex_op(g_log, imag(g_sign * ew.conj(sign)))
    return g_log.unsqueeze(-1).unsqueeze(-1) * adjoint_of(inverse_op(a, checked="")[0])


def _slogdet(name, A):
    require_square(name, A)
    require_floating(name, A)
    return slogdet_op(A)


def slogdet(A):
    """(sign, logabsdet) of the determinant: 0 and -inf if a matrix is singular.

    The sign of a complex determinant is a complex number of size 1.

    >>> import flambeau as torch
    >>> torch.linalg.slogdet(torch.tensor([[1.0, 0.0], [0.0, -1.0]])).sign
    tensor(-1.)
    """
    return LinalgSlogdet(*_slogdet("linalg.slogdet", A))


def logdet(input):
    """The logarithm of the determinant: -inf if that is 0, NaN if it is negative."""
    sign, size = _slogdet("logdet", input)
    if input._meta.dtype.is_complex:
        return ew.log(sign) + size
    return ew.where(ew.eq(sign, -1), float("nan"), size)


function(logdet, out=False)


@takes_same_out
def old_slogdet(input):
    """(sign, logabsdet) of the determinant; see `linalg.slogdet`."""
    return Slogdet(*_slogdet("linalg.slogdet", input))


function(old_slogdet, name="slogdet", out=False)


def old_det(input):
    """The determinant of matrices; see `linalg.det`."""
    return det(input)


function(old_det, name="det", out=False)
