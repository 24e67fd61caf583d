"""Linear equations and inverses, by LAPACK through NumPy."""

import collections

import numpy as np

from .. import dtypes
from ..errors import LinAlgError
from ..recorder.handle import intern
from .api import function
from .core import Host
from .matrices import (
    batch_shape,
    require_floating,
    require_matrix,
    require_square,
    takes_same_out,
    title,
)
from .singular import adjoint_of

__all__ = [
    "inv",
    "inv_ex",
    "inverse_op",
    "invert",
    "solve",
    "solve_ex",
    "solve_quietly",
    "tensorinv",
    "tensorsolve",
]

Inverse = collections.namedtuple("linalg_inv_ex", ["inverse", "info"])
Solution = collections.namedtuple("linalg_solve_ex", ["result", "info"])

_SINGULAR_INVERSE = (
    "{name}: {batch}The diagonal element {info} is zero, the inversion could not be completed "
    "because the input matrix is singular."
)
_SINGULAR_SYSTEM = "torch.{name}: {batch}The solver failed because the input matrix is singular."


def _zero_pivot(a):
    """Which pivot of a singular matrix is the first that is zero, counted from 1."""
    a = a.copy()
    n = len(a)
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(a[k:, k])))
        if a[pivot, k] == 0:
            return k + 1
        a[[k, pivot]] = a[[pivot, k]]
        a[k + 1 :, k:] -= np.outer(a[k + 1 :, k] / a[k, k], a[k, k:])
    return n


def _solutions(a, b):
    """(X with A X = B, info): NaN and the place of the zero pivot where A is singular."""
    b = b.reshape((1,) * (a.ndim - b.ndim) + b.shape)
    info = np.zeros(a.shape[:-2], np.int32)
    try:
        return np.linalg.solve(a, b), info
    except np.linalg.LinAlgError:
        a = a.copy()
    for k in np.ndindex(info.shape):
        try:
            np.linalg.inv(a[k])
        except np.linalg.LinAlgError:
            info[k] = _zero_pivot(a[k])
            a[k] = np.nan
    return np.linalg.solve(a, b), info


def _raise_if_singular(info, name, message):
    """Raise LinAlgError for the first matrix that is singular."""
    if info.any():
        first = int(np.flatnonzero(info)[0])
        batch = f"(Batch element {first}): " if info.ndim else ""
        raise LinAlgError(message.format(name=name, batch=batch, info=info.flat[first]))


def _infer_solve(operands, attrs):
    a, b = operands
    lead = batch_shape(a.shape, b.shape)
    return intern((*lead, *b.shape[-2:]), b.dtype), intern(a.shape[:-2], dtypes.int32)


def _solve(a, b, checked):
    x, info = _solutions(a, b)
    if checked:
        _raise_if_singular(info, checked, _SINGULAR_SYSTEM)
    return x, info


# (X, info) for [..., n, n] and [..., n, k], which broadcast before these dims. checked: the name
# of the function that raises for singular matrices, or "" if none should.
solve_op = Host("linalg_solve_ex", _infer_solve, _solve, multi=True)


def solve_quietly(a, b):
    """X with A X = B; NaN where A is singular."""
    return solve_op(a, b, checked="")[0]


@solve_op.vjp
def _(gs, outs, a, b, *, checked):
    gb = solve_quietly(adjoint_of(a), gs[0])
    return -(gb @ adjoint_of(outs[0])), gb


def _infer_inverse(operands, attrs):
    (a,) = operands
    return intern(a.shape, a.dtype), intern(a.shape[:-2], dtypes.int32)


def _inverses(a, checked):
    x, info = _solutions(a, np.eye(a.shape[-1], dtype=a.dtype))
    if checked:
        _raise_if_singular(info, checked, _SINGULAR_INVERSE)
    return x, info


inverse_op = Host("linalg_inv_ex", _infer_inverse, _inverses, multi=True)


@inverse_op.vjp
def _(gs, outs, a, *, checked):
    adjoint = adjoint_of(outs[0])
    return -(adjoint @ gs[0] @ adjoint)


def _check_inverse(A):
    require_square("linalg.inv", A)
    require_floating("linalg.inv", A)


def invert(A, name):
    """The inverse; errors name the function `name`."""
    return inverse_op(A, checked=name)[0]


def inv(A):
    """The inverse of matrices, [..., n, n].

    Raises: LinAlgError if a matrix is singular, when it is computed; RuntimeError for other shapes
        and for whole numbers.

    >>> import flambeau as torch
    >>> torch.linalg.inv(torch.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    _check_inverse(A)
    return invert(A, "linalg.inv")


def inv_ex(A, *, check_errors=False):
    """(inverse, info): info is 0, or the place of a zero pivot where a matrix is singular.

    The inverse of a singular matrix is NaN. With `check_errors` it raises LinAlgError instead.
    """
    _check_inverse(A)
    return Inverse(*inverse_op(A, checked="linalg.inv_ex" if check_errors else ""))


@takes_same_out
def inverse(input):
    """The inverse of matrices; see `linalg.inv`."""
    return inv(input)


function(inverse, out=False)


def _checked_system(A, B, left):
    """Whether B is one vector, or a batch of them. Raises RuntimeError for what does not fit."""
    require_matrix("linalg.solve", A)
    require_floating("linalg.solve", A)
    if A._meta.dtype is not B._meta.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{title(A._meta.dtype)} and B of type {title(B._meta.dtype)} instead"
        )
    require_square("linalg.solve", A)
    a, b = A._meta.shape, B._meta.shape
    vector = len(b) == 1 or (len(a) - 1 == len(b) and b == a[:-1])
    if vector:
        b = (*b, 1)
    if len(b) < 2:
        raise RuntimeError("linalg.solve: The input tensor B must have at least 2 dimensions.")
    if a[-2] != b[-2 if left else -1]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )
    try:
        batch_shape(a, b)
    except ValueError:
        raise RuntimeError(
            f"linalg.solve: the batches of A and B do not broadcast: {list(a)} and {list(b)}"
        ) from None
    return vector


def _solved(A, B, left, checked):
    vector = _checked_system(A, B, left)
    B = B.unsqueeze(-1) if vector else B
    if left:
        x, info = solve_op(A, B, checked=checked)
    else:
        x, info = solve_op(A.transpose(-2, -1), B.transpose(-2, -1), checked=checked)
        x = x.transpose(-2, -1)
    return (x.squeeze(-1) if vector else x), info


def solve(A, B, *, left=True):
    """X with A X = B, or X A = B if not `left`, for [..., n, n] and [..., n, k]; batches broadcast.

    B may be a vector, or as many vectors as A has matrices.
    Raises: LinAlgError if a matrix is singular, when it is computed; RuntimeError for shapes and
        dtypes that do not fit.

    >>> import flambeau as torch
    >>> a = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    >>> torch.linalg.solve(a, torch.tensor([1.0, 2.0]))
    tensor([0.5000, 0.5000])
    """
    return _solved(A, B, left, "linalg.solve")[0]


def solve_ex(A, B, *, left=True, check_errors=False):
    """(result, info) as `solve` gives it: info is not 0, and the result NaN, where A is singular.

    With `check_errors` it raises LinAlgError instead.
    """
    return Solution(*_solved(A, B, left, "linalg.solve_ex" if check_errors else ""))


def tensorinv(input, ind=2):
    """The inverse of the linear map that a tensor is, from its last dims to its first `ind`.

    Args: input: a shape whose first `ind` sizes multiply to what the others do.
    """
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    shape = tuple(input.shape)
    first, rest = shape[:ind], shape[ind:]
    rows, columns = int(np.prod(first)), int(np.prod(rest))
    if len(shape) < ind or rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns} != {rows}"
        )
    require_floating("linalg.inv", input)
    return invert(input.reshape(rows, columns), "inv").reshape(*rest, *first)


def tensorsolve(input, other, dims=None):
    """X with tensordot(input, X, X.ndim) = other; `dims` of the input are moved to its end first.

    >>> import flambeau as torch
    >>> a = torch.eye(6).reshape(2, 3, 6)
    >>> torch.linalg.tensorsolve(a, torch.ones(2, 3)).shape
    torch.Size([6])
    """
    if dims is not None:
        dims = tuple(dims)
        input = input.movedim(dims, tuple(range(-len(dims), 0)))
    rest = tuple(input.shape)[other.ndim :]
    rows, columns = other.numel(), int(np.prod(rest))
    if rows * columns != input.numel() or rows != columns:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {columns} != {rows}"
        )
    return solve(input.reshape(rows, columns), other.reshape(-1)).reshape(rest)
