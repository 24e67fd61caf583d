"""Eigenvalues and eigenvectors, by LAPACK through NumPy."""

import collections

import numpy as np

from .. import dtypes
from ..errors import LinAlgError
from ..recorder.handle import intern
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, cast_to
from .core import Host, composite
from .factoring import check_kind
from .matrices import require_square
from .singular import adjoint_of
from .solve import solve_quietly

__all__ = ["eig", "eigh", "eigh_op", "eigvals", "eigvalsh"]

Eig = collections.namedtuple("linalg_eig", ["eigenvalues", "eigenvectors"])
Eigh = collections.namedtuple("linalg_eigh", ["eigenvalues", "eigenvectors"])

_DIVERGED = (
    "The algorithm failed to converge because the input matrix is ill-conditioned or has too many "
    "repeated eigenvalues."
)


def _infer_hermitian(operands, attrs):
    (a,) = operands
    return intern(a.shape[:-1], a.dtype.to_real()), intern(a.shape, a.dtype)


def _infer_general(operands, attrs):
    (a,) = operands
    kind = a.dtype if a.dtype.is_complex else a.dtype.to_complex()
    return intern(a.shape[:-1], kind), intern(a.shape, kind)


def _hermitian(a, upper):
    if not a.size:
        return np.zeros(a.shape[:-1], a.real.dtype), np.zeros(a.shape, a.dtype)
    known = np.isfinite(np.triu(a) if upper else np.tril(a)).all((-2, -1))
    a = a if known.all() else np.where(known[..., None, None], a, 0)
    try:
        values, vectors = np.linalg.eigh(a, "U" if upper else "L")
    except np.linalg.LinAlgError:
        raise LinAlgError(f"linalg.eigh: {_DIVERGED}") from None
    if not known.all():  # of what is not finite nothing is known
        values[~known], vectors[~known] = np.nan, np.nan
    return values, vectors


def _general(a):
    kind = np.result_type(a.dtype, np.complex64)
    if not a.size:
        return np.zeros(a.shape[:-1], kind), np.zeros(a.shape, kind)
    if not np.isfinite(a).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    try:
        return tuple(np.linalg.eig(a))
    except np.linalg.LinAlgError:
        raise LinAlgError(f"linalg.eig: {_DIVERGED}") from None


# (the eigenvalues, the eigenvectors as columns) of matrices that are hermitian, of which one
# triangle is read, and of any.
eigh_op = Host("linalg_eigh", _infer_hermitian, _hermitian, multi=True)
eig_op = Host("linalg_eig", _infer_general, _general, multi=True)


def _gaps(values):
    """L_j - L_i at (i, j)."""
    return values.unsqueeze(-2) - values.unsqueeze(-1)


def _middle(x, gaps, diagonal):
    """x / gaps with another diagonal; 0 / 0 is 0, for losses that equal values do not matter to."""
    eye = FUNCTIONS["eye"](x._meta.shape[-1], dtype=dtypes.bool_)
    alone = ew.logical_or(eye, ew.logical_and(ew.eq(x, 0), ew.eq(gaps, 0)))
    apart = x / ew.where(alone, 1.0, gaps)
    return ew.where(eye, cast_to(diagonal, x._meta.dtype).unsqueeze(-2), apart)


def _phases(x, function):
    """Of V^H gV: itself. Raises where it says that the loss changes with a phase of the vectors."""
    limit = np.abs(x.diagonal(0, -2, -1).imag)
    if (limit > 1e-2).any():
        raise RuntimeError(
            f"{function}: The eigenvectors in the complex case are specified up to multiplication "
            "by e^{i phi}. The specified loss function depends on this quantity, so it is "
            "ill-defined."
        )
    return x


_phases_op = Host(
    "eigenvector_phases",
    lambda operands, attrs: intern(operands[0].shape, operands[0].dtype),
    _phases,
    lambda g, out, x, *, function: g,
)


@eigh_op.vjp
def _(gs, outs, a, *, upper):
    # V (V^H gV / E + gL) V^H, with E_ij = L_j - L_i.
    (g_values, g_vectors), (values, v) = gs, outs
    inner = adjoint_of(v) @ g_vectors
    if v._meta.dtype.is_complex:
        inner = _phases_op(inner, function="linalg_eigh_backward")
    inner = _middle(inner, _gaps(values), g_values)
    return v @ inner @ adjoint_of(v)


@eig_op.vjp
def _(gs, outs, a):
    # V^-H ((V^H gV - V^H V Re(diag(V^H gV))) / E^* + gL) V^H: the vectors have length one.
    (g_values, g_vectors), (values, v) = gs, outs
    vh = adjoint_of(v)
    inner = _phases_op(vh @ g_vectors, function="linalg_eig_backward")
    along = mv.diagonal(inner, 0, -2, -1).real
    inner = inner - vh @ (v * along.unsqueeze(-2))
    inner = _middle(inner, ew.conj(_gaps(values)), g_values)
    return _fit(solve_quietly(vh, inner @ vh), a)


def _fit(g, a):
    return g if a._meta.dtype.is_complex else g.real


@composite(name="linalg_eigvalsh")
def _values_hermitian(a, *, upper):
    return eigh_op(a, upper=upper)[0]


@_values_hermitian.vjp
def _(g, out, a, *, upper):
    # Without those of the vectors this is defined for equal values too.
    _, v = eigh_op(a, upper=upper)
    return v @ (cast_to(g, v._meta.dtype).unsqueeze(-1) * adjoint_of(v))


@composite(name="linalg_eigvals")
def _values_general(a):
    return eig_op(a)[0]


@_values_general.vjp
def _(g, out, a):
    vh = adjoint_of(eig_op(a)[1])
    return _fit(solve_quietly(vh, g.unsqueeze(-1) * vh), a)


def _check(name, A, UPLO="L"):
    require_square(name, A)
    if not isinstance(UPLO, str) or UPLO not in ("L", "U", "l", "u"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")


def eigh(A, UPLO="L"):
    """(L, V) with A = V diag(L) V^H for symmetric or hermitian matrices [..., n, n].

    The eigenvalues are real and ascend: [..., n]; the eigenvectors are the columns of V.

    Args: UPLO: "L" or "U", the triangle of A that is read.
    Raises: RuntimeError for other shapes, and in the backward pass where the loss changes with the
        phases of complex vectors. The gradient is finite only where eigenvalues differ.

    >>> import flambeau as torch
    >>> torch.linalg.eigh(torch.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    _check("linalg.eigh", A, UPLO)
    check_kind("linalg.eigh", A)
    return Eigh(*eigh_op(A, upper=UPLO in "Uu"))


def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric or hermitian matrices, ascending: [..., n], see `eigh`."""
    _check("linalg.eigh", A, UPLO)
    check_kind("linalg.eigh", A)
    return _values_hermitian(A, upper=UPLO in "Uu")


def eig(A):
    """(L, V) with A = V diag(L) V^-1 for square matrices [..., n, n]: both are complex.

    The eigenvectors, the columns of V, have length 1; of their phases nothing is said.

    Raises: RuntimeError for other shapes, numbers that are not finite, and in the backward pass
        where the loss changes with those phases.

    >>> import flambeau as torch
    >>> torch.linalg.eig(torch.tensor([[0.0, -1.0], [1.0, 0.0]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    _check("linalg.eig", A)
    check_kind("linalg.eig", A, RuntimeError)
    return Eig(*eig_op(A))


def eigvals(A):
    """The eigenvalues of square matrices, complex: [..., n], see `eig`."""
    _check("linalg.eigvals", A)
    check_kind("linalg.eigvals", A, RuntimeError)
    return _values_general(A)
