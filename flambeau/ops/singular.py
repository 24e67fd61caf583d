"""Singular values and vectors, by LAPACK through NumPy, and the norms of matrices."""

import collections
import math

import numpy as np

from .. import dtypes
from ..errors import LinAlgError
from ..recorder.handle import intern
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, cast_to, function
from .core import Host, composite
from .norm import vector_norm
from .reduce import amax, amin, normalize_dim, sum_op

__all__ = ["adjoint_of", "matrix_norm", "norm", "nuclear_norm", "svd", "svdvals"]

SVD = collections.namedtuple("svd", ["U", "S", "Vh"])
OldSVD = collections.namedtuple("svd", ["U", "S", "V"])


def _shapes(operands, attrs):
    (a,) = operands
    *lead, m, n = a.shape
    k = min(m, n)
    rows, columns = (m, n) if attrs["full"] else (k, k)
    return (
        intern((*lead, m, rows), a.dtype),
        intern((*lead, k), a.dtype.to_real()),
        intern((*lead, columns, n), a.dtype),
    )


def _factors(a, full):
    if not np.isfinite(a).all():
        raise LinAlgError("linalg.svd: the input matrix has elements that are not finite")
    if not a.size:
        *lead, m, n = a.shape
        k = min(m, n)
        u, v = (np.eye(x, dtype=a.dtype) for x in (m, n))
        u, v = (u, v) if full else (u[:, :k], v[:k])
        return (
            np.broadcast_to(u, (*lead, *u.shape)),
            np.zeros((*lead, k), a.real.dtype),
            np.broadcast_to(v, (*lead, *v.shape)),
        )
    return np.linalg.svd(a, full_matrices=full)


svd_op = Host("linalg_svd", _shapes, _factors, multi=True)


def adjoint_of(x):
    """The conjugate transpose of matrices."""
    return ew.conj(x.transpose(-2, -1))


def _diagonal(x):
    return FUNCTIONS["diag_embed"](x)


@svd_op.vjp
def _(g, out, a, *, full):
    # With F_ij = 1 / (s_j^2 - s_i^2), W = U^H gU and X = V^H gV, both made skew, the cotangent is
    # U (F W S + S F X + gS) V^H and, of what is not in the span of U or V, gU / S and gV / S.
    (g_u, g_s, g_vh), (u, s, vh) = g, out
    k, (m, n) = s.shape[-1], a.shape[-2:]
    if full:
        g_u, u = g_u[..., :k], u[..., :k]
        g_vh, vh = g_vh[..., :k, :], vh[..., :k, :]
    v, g_v = adjoint_of(vh), adjoint_of(g_vh)
    square = s * s
    gap = square.unsqueeze(-2) - square.unsqueeze(-1)
    eye = FUNCTIONS["eye"](k, dtype=dtypes.bool_)
    inverse = ew.where(eye, 0.0, 1 / ew.where(eye, 1.0, gap))
    w, x = adjoint_of(u) @ g_u, vh @ g_v
    middle = (w - adjoint_of(w)) * inverse * s.unsqueeze(-2)
    middle = middle + s.unsqueeze(-1) * ((x - adjoint_of(x)) * inverse)
    middle = middle + _diagonal(g_s)
    if a.is_complex():
        phase = mv.diagonal(w, 0, -2, -1).imag / s
        middle = middle + _diagonal(FUNCTIONS["complex"](phase * 0, phase))
    result = u @ (middle @ vh)
    if m > k:
        rest = g_u / s.unsqueeze(-2)
        result = result + (rest - u @ (adjoint_of(u) @ rest)) @ vh
    if n > k:
        rest = adjoint_of(g_v / s.unsqueeze(-2))
        result = result + u @ (rest - (rest @ v) @ vh)
    return result


@composite(name="linalg_svdvals")
def _values(a):
    return svd_op(a, full=False)[1]


@_values.vjp
def _(g, out, a):
    # Without those of the vectors this is defined for equal values too.
    u, _, vh = svd_op(a, full=False)
    return u @ (g.unsqueeze(-1) * vh)


def _check_matrix(name, x, floating=True):
    if x.ndim < 2:
        raise RuntimeError(
            f"{name}: The input tensor A must have at least 2 dimensions, got {x.ndim} dimensions."
        )
    if floating and x._meta.dtype.category < dtypes.FLOAT:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype}"
        )


def svd(A, full_matrices=True, *, driver=None):
    """U, S and Vh with A = U diag(S) Vh: the singular values and vectors of [..., m, n].

    Args: full_matrices: whether U is [..., m, m] and Vh [..., n, n], or both have min(m, n)
        vectors. Raises: RuntimeError for vectors or whole numbers.
    """
    _check_matrix("linalg.svd", A)
    return SVD(*svd_op(A, full=bool(full_matrices)))


def svdvals(A, *, driver=None):
    """The singular values of [..., m, n], from the largest on: [..., min(m, n)]."""
    _check_matrix("linalg.svdvals", A)
    return _values(A)


def old_svd(input, some=True, compute_uv=True):
    """U, S and V with input = U diag(S) V^H; see `linalg.svd`. Zeros for U and V if not asked."""
    _check_matrix("svd", input)
    u, s, vh = svd_op(input, full=not some)
    if not compute_uv:
        m, n = input.shape[-2:]
        lead = input.shape[:-2]
        return OldSVD(input.new_zeros((*lead, m, m)), s, input.new_zeros((*lead, n, n)))
    return OldSVD(u, s, adjoint_of(vh))


old_svd.__name__ = "svd"
function(old_svd)


# Norms


def _two_dims(name, dim, ndim):
    dims = tuple(normalize_dim(d, ndim) for d in dim)
    if len(dims) != 2 or dims[0] == dims[1]:
        raise RuntimeError(f"{name}: dim must be a 2-tuple of different dims. Got {tuple(dim)}")
    return dims


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """A norm of matrices: "fro", "nuc", inf, -inf, 1, -1, 2 or -2.

    1 and inf are the largest sums of |a_ij| of columns and of rows, 2 the largest singular value
    and "nuc" the sum of these; negative ones take the smallest.
    """
    _check_matrix("linalg.matrix_norm", A)
    rows, columns = _two_dims("linalg.matrix_norm", dim, A.ndim)
    if dtype is not None:
        A = cast_to(A, dtype)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        along, across = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = sum_op(ew.abs(A), dims=(along,), keepdim=True, dtype=None)
        made = (amax if ord > 0 else amin)(sums, (across,), True)
    elif ord in ("nuc", 2, -2):
        values = svdvals(mv.movedim(A, (rows, columns), (-2, -1)))
        if ord == "nuc":
            made = values.sum(-1)
        else:
            made = (amax if ord > 0 else amin)(values, (-1,))
        for d in sorted((rows, columns)):
            made = made.unsqueeze(d)
    else:
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    return made if keepdim else made.squeeze((rows, columns))


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of vectors or matrices.

    With neither `ord` nor `dim`, the 2-norm of all elements. With one dim, or vectors, see
    `vector_norm`; with two dims, or matrices, see `matrix_norm`.
    """
    dims = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        return vector_norm(A, 2, dims, keepdim, dtype=dtype)
    if isinstance(ord, str) and (A.ndim if dims is None else len(dims)) != 2:
        raise RuntimeError(f"linalg.norm: order {ord!r} needs a matrix or two dims")
    if dims is None:
        if A.ndim not in (1, 2):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{A.ndim}D."
            )
        dims = tuple(range(A.ndim))
    if len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    if len(dims) != 1:
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)


@function(name="norm")
def old_norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    """The p-norm over `dim`, or of all elements; "fro" is 2.

    >>> import flambeau as torch
    >>> torch.norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    kind = dtype or input._meta.dtype
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(
            f"norm(): input must be floating point or complex, as input.float() is; got {kind.name}"
        )
    if p == "nuc":
        dims = tuple(range(input.ndim)) if dim is None else dim
        return matrix_norm(input, "nuc", dims, keepdim, dtype=dtype)
    if isinstance(p, str) and p != "fro":
        raise RuntimeError(f"only valid string values are 'fro' and 'nuc', found: {p}")
    p = 2 if p is None or p == "fro" else p
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


@function(methods=False)
def nuclear_norm(input, dim=(-2, -1), keepdim=False):
    """The sum of the singular values of a matrix."""
    return matrix_norm(input, "nuc", dim, keepdim)
