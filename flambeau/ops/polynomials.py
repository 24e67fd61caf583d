"""Orthogonal polynomials of a degree given per element, by their recurrences.

The degree is truncated to a whole number; negative degrees give 0. As in PyTorch there are no
derivatives. Chebyshev polynomials of high degree are computed between -1 and 1 from cosines, which
stay accurate there.
"""

import numpy as np

from .api import binary, strict
from .core import COMPLEX, Elementwise

__all__ = [
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
]

TRIGONOMETRIC = 8  # the degree above which cosines take over


def _degrees(n):
    """Whole degrees; what is not a number counts as negative."""
    limit = 2.0**53
    return np.trunc(np.clip(np.where(np.isnan(n), -1, n), -1, limit)).astype(np.int64)


def _recur(x, n, first, step, chosen):
    """p_n(x) for the chosen elements, with p_0 = 1, p_1 = first, p_k = step(k, p_k-1, p_k-2).

    It is computed in the dtype of x, in which it may overflow as in PyTorch.
    """
    before, value = np.ones_like(x), np.where(n == 0, np.ones_like(x), first)
    last = first
    for k in range(2, int(np.max(n, where=chosen, initial=0)) + 1):
        last, before = step(k, last, before).astype(x.dtype, copy=False), last
        value = np.where(n == k, last, value)
        if np.isnan(last)[chosen & (n > k)].all():
            return np.where(n > k, np.nan, value)
    return value


def _polynomial(name, first, step, doc, edges=None, inside=None, limit=None):
    """The public function of (x, n).

    edges(x, n): values that are known, and where they are. inside(x, n): the value for |x| < 1 and
    high degrees, in float64. limit: by dtype, the degree behind which there are no values.
    """

    def on_arrays(x, n):
        with np.errstate(all="ignore"):
            x, n = np.broadcast_arrays(x, _degrees(n))
            chosen = n >= 0
            value, known = edges(x, n) if edges else (x, np.zeros(x.shape, bool))
            if inside is not None:
                t, smooth = inside(x.astype(np.float64), n)
                smooth = smooth & (n > TRIGONOMETRIC) & ~known
                value, known = np.where(smooth, t, value), known | smooth
            if limit is not None:
                far = n > limit[x.dtype.itemsize]
                value, known = np.where(far, np.nan, value), known | far
            chosen = chosen & ~known
            made = _recur(x, n, first(x), lambda k, p, q: step(k, x, p, q), chosen)
            return np.where(n < 0, 0, np.where(known, value, made)).astype(x.dtype)

    refuse = ("float16", "bfloat16", *COMPLEX)
    op = Elementwise("special_" + name, on_arrays, "float", loops=False, refuse=refuse)
    op.differentiable = False
    f = binary(op)
    f.__doc__ = doc
    return strict(f, name, 0)


def _double_step(k, x, p, q):
    return 2 * x * p - q


def _signs(n):
    return np.where(n % 2 == 0, 1, -1)


def _chebyshev(kind, first, at_one, at_minus_one, by_angle, about):
    """The Chebyshev polynomials of a kind, and those shifted to between 0 and 1.

    at_one, at_minus_one: their values of n there, the latter for even n. by_angle(n, angle): the
    value at x = cos(angle).
    """

    def edges(x, n):
        low = at_minus_one(n) * _signs(n)
        return np.where(x > 0, at_one(n), low).astype(x.dtype), np.abs(x) == 1

    def inside(x, n):
        return by_angle(n, np.arccos(x)), np.abs(x) < 1

    doc = f"The Chebyshev polynomial {kind.upper()}_n(x): {about} for x = cos(a)."
    plain = _polynomial(
        f"chebyshev_polynomial_{kind}", first, _double_step, doc, edges=edges, inside=inside
    )

    def moved(x):
        return 2 * x - 1

    shifted = _polynomial(
        f"shifted_chebyshev_polynomial_{kind}",
        lambda x: first(moved(x)),
        lambda k, x, p, q: 2 * moved(x) * p - q,
        f"chebyshev_polynomial_{kind}(2 * x - 1, n).",
        edges=lambda x, n: edges(moved(x), n),
        inside=lambda x, n: inside(moved(x), n),
    )
    return plain, shifted


def _one(n):
    return np.ones_like(n)


def _odd(n):
    return 2 * n + 1


chebyshev_polynomial_t, shifted_chebyshev_polynomial_t = _chebyshev(
    "t", lambda x: x, _one, _one, lambda n, a: np.cos(n * a), "cos(n a)"
)
chebyshev_polynomial_u, shifted_chebyshev_polynomial_u = _chebyshev(
    *("u", lambda x: 2 * x, lambda n: n + 1, lambda n: n + 1),
    lambda n, a: np.sin((n + 1) * a) / np.sin(a),
    "sin((n + 1) a) / sin(a)",
)
chebyshev_polynomial_v, shifted_chebyshev_polynomial_v = _chebyshev(
    *("v", lambda x: 2 * x - 1, _one, _odd),
    lambda n, a: np.cos((n + 0.5) * a) / np.cos(a / 2),
    "cos((n + 1/2) a) / cos(a / 2)",
)
chebyshev_polynomial_w, shifted_chebyshev_polynomial_w = _chebyshev(
    *("w", lambda x: 2 * x + 1, _odd, _one),
    lambda n, a: np.sin((n + 0.5) * a) / np.sin(a / 2),
    "sin((n + 1/2) a) / sin(a / 2)",
)

LARGEST = {4: 128, 8: 512}  # degrees of Hermite polynomials

hermite_polynomial_h = _polynomial(
    "hermite_polynomial_h",
    lambda x: 2 * x,
    lambda k, x, p, q: 2 * x * p - 2 * (k - 1) * q,
    "The Hermite polynomial H_n(x), orthogonal with the weight exp(-x^2).",
    limit=LARGEST,
)
hermite_polynomial_he = _polynomial(
    "hermite_polynomial_he",
    lambda x: x,
    lambda k, x, p, q: x * p - (k - 1) * q,
    "The Hermite polynomial He_n(x), orthogonal with the weight exp(-x^2 / 2).",
    limit=LARGEST,
)
laguerre_polynomial_l = _polynomial(
    "laguerre_polynomial_l",
    lambda x: 1 - x,
    lambda k, x, p, q: ((2 * k - 1 - x) * p - (k - 1) * q) / k,
    "The Laguerre polynomial L_n(x), orthogonal with the weight exp(-x) for x > 0.",
)
legendre_polynomial_p = _polynomial(
    "legendre_polynomial_p",
    lambda x: x,
    lambda k, x, p, q: ((2 * k - 1) * x * p - (k - 1) * q) / k,
    "The Legendre polynomial P_n(x), orthogonal between -1 and 1.",
)
