"""The pseudoinverse, the rank and the condition number of matrices."""

import math

import numpy as np

from .. import dtypes
from ..recorder.handle import Meta, Tensor, intern
from . import elementwise as ew
from .api import function
from .core import Host
from .matrices import (
    batch_shape,
    finite_or_raise,
    require_floating,
    require_matrix,
    require_square,
    title,
)
from .singular import adjoint_of, matrix_norm, svdvals
from .solve import inverse_op

__all__ = ["cond", "matrix_rank", "pinv", "pinverse"]


def _lead(operands):
    """The dims before the matrices, those of the tolerances included."""
    a, *tolerances = operands
    shapes = [(*m.shape, 1, 1) for m in tolerances if isinstance(m, Meta)]
    return batch_shape(a.shape, *shapes)


def _kept(s, atol, rtol):
    """Which values count as not zero: those larger than atol and rtol times the largest."""
    size = np.abs(s)
    largest = size.max(-1, keepdims=True, initial=0)
    return size > np.maximum(np.asarray(atol)[..., None], np.asarray(rtol)[..., None] * largest)


def _pseudo_inverses(a, atol, rtol, hermitian):
    if not a.size:
        return np.zeros((*a.shape[:-2], *a.shape[:-3:-1]), a.dtype)
    finite_or_raise(a)
    if hermitian:
        s, u = np.linalg.eigh(a)
        v = u
    else:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        v = np.conj(np.swapaxes(vh, -2, -1))
    kept = _kept(s, atol, rtol)
    inverse = np.where(kept, 1 / np.where(kept, s, 1), 0)
    return (v * inverse[..., None, :]) @ np.conj(np.swapaxes(u, -2, -1))


def _infer_pinv(operands, attrs):
    a = operands[0]
    return intern((*_lead(operands), a.shape[-1], a.shape[-2]), a.dtype)


pinv_op = Host("linalg_pinv", _infer_pinv, _pseudo_inverses)


@pinv_op.vjp
def _(g, out, a, atol, rtol, *, hermitian):
    # dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P
    ph, gh = adjoint_of(out), adjoint_of(g)
    if a._meta.shape[-2] <= a._meta.shape[-1]:
        k = gh @ out
        other = k @ ph
        rest = gh - k @ a
        made = other - (a @ out) @ other + (ph @ out) @ rest
    else:
        k = out @ gh
        other = ph @ k
        rest = gh - a @ k
        made = other - other @ (out @ a) + rest @ (out @ ph)
    return made - ph @ g @ ph, None, None


def _tolerances(name, A, atol, rtol):
    """(atol, rtol): eps times the larger size for an rtol that is not given, if atol is 0."""
    for called, x in (("atol", atol), ("rtol", rtol)):
        if isinstance(x, Tensor) and x._meta.dtype.is_complex:
            raise RuntimeError(
                f"torch.{name}: {called} tensor of complex type is not supported. Got "
                f"{title(x._meta.dtype)}"
            )
    if rtol is None:
        eps = dtypes.finfo(A._meta.dtype.to_real()).eps
        rtol = eps * max(A._meta.shape[-2:])
        if isinstance(atol, Tensor):
            rtol = ew.where(ew.gt(atol, 0), 0.0, rtol)
        elif atol is not None and atol > 0:
            rtol = 0.0
    return (0.0 if atol is None else atol), rtol


def _one_tolerance(name, called, value, atol, rtol):
    """Raise TypeError where a tolerance is given in both ways."""
    if value is not None and (atol is not None or rtol is not None):
        raise TypeError(f"{name}() takes either {called}, or atol and rtol")


def pinv(input, rcond=None, hermitian=False, *, atol=None, rtol=None):
    """The pseudoinverse of matrices, [..., m, n]: [..., n, m].

    Singular values up to max(atol, rtol * the largest) count as zero.

    Args: rcond: another name of `rtol`. hermitian: whether the matrices are, of which then only
        the lower triangle is read. atol, rtol: numbers, or tensors that broadcast with [...]; by
        default 0 and, unless `atol` is more than 0, eps * max(m, n).
    Raises: LinAlgError for elements that are not finite, when it is computed; RuntimeError for
        vectors and whole numbers.

    >>> import flambeau as torch
    >>> torch.linalg.pinv(torch.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    _one_tolerance("linalg_pinv", "rcond", rcond, atol, rtol)
    kind = input._meta.dtype
    if input.ndim < 2 or kind.category < dtypes.FLOAT or kind.to_real().itemsize < 4:
        raise RuntimeError(
            f"linalg.pinv({title(kind)}{{{list(input.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    if hermitian:
        require_square("linalg.eigh", input)
    name = "linalg.pinv"
    if rcond is not None:
        if isinstance(rcond, Tensor) and rcond._meta.dtype.is_complex:
            raise RuntimeError(
                f"torch.{name}: rcond tensor of complex type is not supported. Got "
                f"{title(rcond._meta.dtype)}"
            )
        rtol = rcond
    return pinv_op(input, *_tolerances(name, input, atol, rtol), hermitian=bool(hermitian))


def _ranks(a, atol, rtol, hermitian):
    if not a.size:
        return np.zeros(a.shape[:-2], np.int64)
    finite_or_raise(a)
    s = np.linalg.eigvalsh(a) if hermitian else np.linalg.svd(a, compute_uv=False)
    return _kept(s, atol, rtol).sum(-1)


def _infer_rank(operands, attrs):
    a = operands[0]
    return intern(_lead(operands) if a.numel else a.shape[:-2], dtypes.int64)


rank_op = Host("linalg_matrix_rank", _infer_rank, _ranks, differentiable=False)


def matrix_rank(input, tol=None, hermitian=False, *, atol=None, rtol=None):
    """How many singular values of [..., m, n] are more than max(atol, rtol * the largest).

    Args: as for `pinv`; tol: an `atol` for which `rtol` is 0.

    >>> import flambeau as torch
    >>> torch.linalg.matrix_rank(torch.ones(3, 3))
    tensor(1)
    """
    _one_tolerance("linalg_matrix_rank", "tol", tol, atol, rtol)
    name = "linalg.matrix_rank"
    require_matrix("torch." + name, input, "input")
    kind = input._meta.dtype
    if kind.category < dtypes.FLOAT or kind.to_real().itemsize < 4:
        raise RuntimeError(f"{name}: expected float32, float64 or complex, got {kind.name}")
    if hermitian:
        require_square("linalg.eigh", input)
    if tol is not None:
        atol, rtol = tol, 0.0
    return rank_op(input, *_tolerances(name, input, atol, rtol), hermitian=bool(hermitian))


@function(out=False)
def pinverse(input, rcond=1e-15):
    """The pseudoinverse of matrices; see `linalg.pinv`."""
    return pinv(input, rcond)


_NORMS = ("fro", "nuc", math.inf, -math.inf, 1, -1)


def cond(input, p=None):
    """The condition number of matrices: norm(A) norm(A^-1), with the matrix norm `p`.

    For 2, -2 and None that is the ratio of the largest and the smallest singular value, of
    [..., m, n]; "fro", "nuc", inf, -inf, 1 and -1 are for [..., n, n]. It is inf for singular
    matrices.

    >>> import flambeau as torch
    >>> torch.linalg.cond(torch.tensor([[1.0, 0.0], [0.0, 4.0]]), 1)
    tensor(4.)
    """
    if not isinstance(input, Tensor):
        raise TypeError(
            "linalg_cond(): argument 'input' (position 1) must be Tensor, not "
            f"{type(input).__name__}"
        )
    if input.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    spectral = p is None or p in (2, -2)
    if not spectral and p not in _NORMS:
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if not spectral:
        require_square(f"linalg.cond(ord={p})", input)
    require_floating("linalg.svd" if spectral else "linalg.cond", input)
    if not input.numel():
        return input.new_zeros(input.shape[:-2], dtype=input._meta.dtype.to_real())
    if p == "nuc":  # of an inverse that is not finite there are no singular values
        s = svdvals(input)
        return s.sum(-1) * (1 / s).sum(-1)
    if spectral:
        s = svdvals(input)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    made = matrix_norm(input, p) * matrix_norm(inverse_op(input, checked="")[0], p)
    return ew.where(ew.isnan(made), math.inf, made)
