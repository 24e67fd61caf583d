"""Powers and exponentials of matrices."""

import operator

import numpy as np

from ..recorder.handle import intern
from . import copies
from .api import FUNCTIONS, function
from .core import Host, composite
from .matrices import identity_like, require_floating, require_square, takes_same_out
from .singular import adjoint_of
from .solve import inv

__all__ = ["matrix_exp", "matrix_power"]

# Of the Pade approximant of order 13: b[k] = (26 - k)! / (13 - k)! / k!, scaled to b[13] = 1.
_PADE = (
    *(64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800),
    *(129060195264000, 10559470521600, 670442572800, 33522128640),
    *(1323241920, 40840800, 960960, 16380, 182, 1),
)
_RADIUS = 5.371920351148152  # the norm up to which it is accurate to double precision (Higham 2005)


def _approximant(a):
    b, eye = _PADE, np.eye(a.shape[-1])
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2
    odd = a @ (odd + b[1] * eye)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2)
    even = even + b[6] * a6 + b[4] * a4 + b[2] * a2 + b[0] * eye
    return np.linalg.solve(even - odd, even + odd)


def _exponentials(a):
    """exp(a) = exp(a / 2^s)^(2^s), computed in double precision."""
    if not a.size:
        return a
    wide = a.astype(np.result_type(a.dtype, np.float64))
    finite = np.isfinite(wide).all((-2, -1), keepdims=True)
    wide = np.where(finite, wide, 0)
    norm = np.abs(wide).sum(-2, keepdims=True).max(-1, keepdims=True)
    times = np.ceil(np.log2(np.maximum(norm / _RADIUS, 1)))
    made = _approximant(wide * 2.0**-times)
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(int(times.max())):
            made = np.where(k < times, made @ made, made)
        return np.where(finite, made, np.nan).astype(a.dtype)


def _infer_same(operands, attrs):
    return intern(operands[0].shape, operands[0].dtype)


exp_op = Host("linalg_matrix_exp", _infer_same, _exponentials)


@exp_op.vjp
def _(g, out, a):
    # exp of [[A^H, G], [0, A^H]] has the cotangent in its upper right block.
    n = a._meta.shape[-1]
    a = adjoint_of(a)
    upper, lower = copies.cat([a, g], -1), copies.cat([a * 0, a], -1)
    return exp_op(copies.cat([upper, lower], -2))[..., :n, n:]


@function(name="matrix_exp", out=False)
def matrix_exp(input):
    """The sum of A^k / k! of matrices, [..., n, n].

    Raises: RuntimeError for other shapes and for whole numbers.

    >>> import flambeau as torch
    >>> torch.linalg.matrix_exp(torch.tensor([[0.0, 1.0], [0.0, 0.0]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    require_square("linalg.matrix_exp", input)
    require_floating("linalg.matrix_exp", input, low=True)
    return exp_op(input)


@takes_same_out
def matrix_power(input, n):
    """The product of n copies of matrices, [..., m, m]; of their inverses if n is negative.

    Raises: LinAlgError for a singular matrix and a negative n, when it is computed; RuntimeError
        for other shapes; TypeError if n is no whole number.

    >>> import flambeau as torch
    >>> torch.linalg.matrix_power(torch.tensor([[1, 1], [0, 1]]), 5)
    tensor([[1, 5],
            [0, 1]])
    """
    try:
        n = operator.index(n)
    except TypeError:
        raise TypeError(
            f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}"
        ) from None
    require_square("linalg.matrix_power", input)
    if n == 0:
        return _zeroth(input)
    base = inv(input) if n < 0 else input
    return _power(base, abs(n)) if abs(n) > 1 or n < 0 else FUNCTIONS["clone"](base)


@composite(name="linalg_matrix_power_0")
def _zeroth(x):
    return identity_like(x).expand(x._meta.shape)


@_zeroth.vjp
def _(g, out, x):
    return g * 0


def _power(x, n):
    """x multiplied n times, by squaring."""
    made = None
    while n:
        n, odd = divmod(n, 2)
        if odd:
            made = x if made is None else made @ x
        x = x @ x if n else x
    return made


function(matrix_power, out=False)
