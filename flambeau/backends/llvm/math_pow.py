"""x^y as straight-line LLVM code: e^(y log x), with a logarithm whose error y may magnify."""

import math

from .math_common import FORMAT, add_larger, clamp, flip
from .math_exp import exp_normal, exp_shifted
from .math_log import log_split
from .text import bits, fabs, fma, poly, select, trunc

__all__ = ["FUNCTIONS", "log_single"]

# ((2 atanh(s) / s - 2) / z - 2/3) / z in z = s^2, for (1 + s) / (1 - s) in [0.7069, 1.4145]:
# 2^-66.3 of the logarithm
_ATANH_TAIL = (
    0.4000000000000227,
    0.2857142857009125,
    0.2222222252147192,
    0.1818178422638434,
    0.15386764039046566,
    0.1325665663881513,
    0.13197866833668803,
)
_TWO_THIRDS = (2 / 3, 3.700743415417188e-17)

# (log(1 + f) - f) / f^2 on the same interval, for results in float32: 2^-35.7
_LOG_SINGLE = (
    -0.5000000002163935,
    0.33333334049800595,
    -0.24999994807951736,
    0.1999989741046415,
    -0.1666692783994413,
    0.14290597760639695,
    -0.12497434607422149,
    0.1100923675446759,
    -0.09926653746616677,
    0.10017006194095657,
    -0.09876341888763612,
    0.05360967639057944,
)

_LN2 = (0.6931471805598903, 5.497923018708371e-14)  # the first has room for an exponent as factor


def log_single(a):
    """log(a) as a double within 2^-35 of it, for a float or normal double a >= 0; -inf for 0."""
    wide = a.to("double")
    f, e = log_split(wide, subnormal=False)
    e = select(a.equals(0.0), wide.like(-math.inf), select(a < math.inf, e, wide))
    return fma(e, math.log(2), fma(f * f, poly(f, _LOG_SINGLE), f))


def _log_double(a):
    """log(a) for a double a >= 0 as a pair of doubles, within 2^-64 of it; -inf and NaN for 0.

    It is e ln 2 + 2 atanh(s) with s = f / (2 + f), of which the quotient, the cube and its factor
    2/3 are pairs.
    """
    f, e = log_split(a)
    e = select(a.equals(0.0), a.like(-math.inf), select(a < math.inf, e, a))
    d = f + 2.0
    inverse = 1.0 / d
    s = f * inverse
    s_low = fma(-s, f - (d - 2.0), fma(-s, d, f)) * inverse
    z = s * s
    z_low = fma(s + s, s_low, fma(s, s, -z))
    tail = z * poly(z, _ATANH_TAIL)
    t, t_low = add_larger(z.like(_TWO_THIRDS[0]), tail)
    t_low = t_low + _TWO_THIRDS[1]
    p = z * t
    p_low = fma(z, t_low, fma(z_low, t, fma(z, t, -p)))
    cube = s * p
    cube_low = fma(s, p_low, fma(s_low, p, fma(s, p, -cube)))
    log_m, log_m_low = add_larger(s + s, cube)
    high, low = add_larger(e * _LN2[0], log_m)
    return high, low + fma(e, _LN2[1], log_m_low + (cube_low + (s_low + s_low)))


def _magnitude(a, y):
    """a^y for a >= 0; infinite y count as very large ones."""
    if a.type == "float":
        exponent = clamp(y.to("double"), -(2.0**200), 2.0**200) * log_single(a)
        return exp_normal(clamp(exponent, -200.0, 200.0), "float").to("float")
    high, low = _log_double(a)
    y = clamp(y, -(2.0**1000), 2.0**1000)
    product = y * high
    rest = fma(y, low, fma(y, high, -product))
    in_range = fabs(product) < -FORMAT["double"].exp_zero
    return exp_shifted(product, select(in_range, rest, 0.0))


def pow(x, y):
    """x^y. 1^y and x^0 are 1 even for NaN; negative x needs whole y, and odd y keep its sign."""
    a = fabs(x)
    result = _magnitude(a, y)
    half = y * 0.5
    whole = trunc(y).equals(y)
    odd = whole & trunc(half).differs(half)
    result = flip(result, select(odd, bits(x) & bits(x.like(-0.0)), 0))
    invalid = (x < 0.0) & (a < math.inf) & y.equals(y) & ~whole
    return select(x.equals(1.0) | y.equals(0.0), x.like(1.0), select(invalid, math.nan, result))


FUNCTIONS = {"pow": pow}
