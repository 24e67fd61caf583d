"""Bessel functions of the orders 0 and 1, the spherical one of order 0, and Airy's function.

They are computed by NumPy in float64: near 0 by Chebyshev series, behind by the modulus and phase
of the oscillation or by the factor of the exponential. As in PyTorch they have no derivatives.
"""

import math

import numpy as np

from . import bessel_tables as tables
from . import reference
from .api import unary
from .core import COMPLEX, Elementwise
from .reference import _in_double, chebyshev

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
]

CUT = 8.0  # where the series near 0 end
AIRY_LOW, AIRY_HIGH = -5.0, 2.1  # between which one series gives Airy's function
AIRY_PHASE = 2 / 3 * 5**1.5


def _near(x):
    return x * x / 32 - 1


def _phase(x, order):
    """sqrt(2) times the cosine and the sine of x - pi/4, for order 1 of x - 3 pi/4."""
    sine, cosine = np.sin(x), np.cos(x)
    if order:
        return sine - cosine, -sine - cosine
    return cosine + sine, sine - cosine


def _oscillation(x, order):
    """The functions of the first and the second kind for x >= 8."""
    t = 2 * (CUT / x) ** 2 - 1
    p, q = ((tables.P0, tables.Q0), (tables.P1, tables.Q1))[order]
    p, q = chebyshev(t, p), chebyshev(t, q) / x
    cosine, sine = _phase(x, order)
    scale = 1 / np.sqrt(math.pi * x)
    return scale * (p * cosine - q * sine), scale * (p * sine + q * cosine)


def _first_kind(x, order):
    """j0 or j1 for x >= 0."""
    near = np.minimum(x, CUT)
    low = (
        chebyshev(_near(near), tables.J0) if not order else near * chebyshev(_near(near), tables.J1)
    )
    return np.where(x <= CUT, low, _oscillation(np.maximum(x, CUT), order)[0])


def _second_kind(x, order):
    """y0 or y1; not a number for x < 0."""
    near = np.minimum(x, CUT)
    growing = 2 / math.pi * np.log(near)
    if order:
        low = growing * _first_kind(near, 1) + near * chebyshev(_near(near), tables.Y1)
        low = low - 2 / math.pi / near
    else:
        low = growing * _first_kind(near, 0) + chebyshev(_near(near), tables.Y0)
    value = np.where(x <= CUT, low, _oscillation(np.maximum(x, CUT), order)[1])
    return np.where(x == 0, -np.inf, np.where(x < 0, np.nan, value))


def _third_kind(x, order, scaled):
    """k0 or k1, maybe times exp(x); not a number for x < 0."""
    near, far = np.minimum(x, 2.0), np.maximum(x, 2.0)
    t, growing = near * near / 2 - 1, np.log(near / 2)
    if order:
        low = growing * reference.i1(near) + chebyshev(t, tables.K1_NEAR) / near
    else:
        low = chebyshev(t, tables.K0_NEAR) - growing * reference.i0(near)
    high = chebyshev(4 / far - 1, tables.K1_FAR if order else tables.K0_FAR) / np.sqrt(far)
    if scaled:
        low = low * np.exp(near)
    else:
        high = high * np.exp(-far)
    value = np.where(x <= 2, low, high)
    return np.where(x == 0, np.inf, np.where(x < 0, np.nan, value))


def _airy(x):
    near = np.clip(x, AIRY_LOW, AIRY_HIGH)
    middle = chebyshev((2 * near + 2.9) / 7.1, tables.AI_NEAR)
    up = np.maximum(x, AIRY_HIGH)
    z = up * np.sqrt(up) / 1.5
    falling = chebyshev(4 / z - 1, tables.AI_FAR) * np.exp(-z) / np.sqrt(4 * math.pi * np.sqrt(up))
    down = np.maximum(-x, -AIRY_LOW)
    z = down * np.sqrt(down) / 1.5
    t = 2 * (AIRY_PHASE / z) ** 2 - 1
    p, q = chebyshev(t, tables.AI_SINE), chebyshev(t, tables.AI_COSINE) / z
    sine, cosine = np.sin(z + math.pi / 4), np.cos(z + math.pi / 4)
    waves = (p * sine - q * cosine) / np.sqrt(math.pi * np.sqrt(down))
    value = np.where(x > AIRY_HIGH, falling, np.where(x < AIRY_LOW, waves, middle))
    return np.where(np.isinf(x), np.nan, value)


def _spherical(x):
    small = np.where(np.abs(x) < 1e-4, 1 - x * x / 6, np.sin(x) / x)
    return np.where(np.isinf(x), 0.0, small)


def _published(name, f, doc):
    """The function on tensors that maps `f` over numbers, integers as the default dtype."""
    op = Elementwise(
        "special_" + name,
        _in_double(f),
        "float",
        loops=False,
        refuse=("float16", "bfloat16", *COMPLEX),
    )
    op.differentiable = False
    made = unary(op)
    made.__name__, made.__doc__ = name, doc
    return made


airy_ai = _published("airy_ai", _airy, "Airy's function Ai, which solves y'' = x y and vanishes.")
bessel_j0 = _published(
    "bessel_j0",
    lambda x: _first_kind(np.abs(x), 0),
    "The Bessel function of the first kind of order 0.",
)
bessel_j1 = _published(
    "bessel_j1",
    lambda x: np.copysign(1.0, x) * _first_kind(np.abs(x), 1),
    "The Bessel function of the first kind of order 1.",
)
bessel_y0 = _published(
    "bessel_y0",
    lambda x: _second_kind(x, 0),
    "The Bessel function of the second kind of order 0, for x > 0.",
)
bessel_y1 = _published(
    "bessel_y1",
    lambda x: _second_kind(x, 1),
    "The Bessel function of the second kind of order 1, for x > 0.",
)
modified_bessel_i0 = _published(
    "modified_bessel_i0", reference.i0, "The modified Bessel function of the first kind of order 0."
)
modified_bessel_i1 = _published(
    "modified_bessel_i1", reference.i1, "The modified Bessel function of the first kind of order 1."
)
modified_bessel_k0 = _published(
    "modified_bessel_k0",
    lambda x: _third_kind(x, 0, False),
    "The modified Bessel function of the second kind of order 0, for x > 0.",
)
modified_bessel_k1 = _published(
    "modified_bessel_k1",
    lambda x: _third_kind(x, 1, False),
    "The modified Bessel function of the second kind of order 1, for x > 0.",
)
scaled_modified_bessel_k0 = _published(
    "scaled_modified_bessel_k0",
    lambda x: _third_kind(x, 0, True),
    "exp(x) * modified_bessel_k0(x).",
)
scaled_modified_bessel_k1 = _published(
    "scaled_modified_bessel_k1",
    lambda x: _third_kind(x, 1, True),
    "exp(x) * modified_bessel_k1(x).",
)
spherical_bessel_j0 = _published("spherical_bessel_j0", _spherical, "sin(x) / x, 1 at 0.")
