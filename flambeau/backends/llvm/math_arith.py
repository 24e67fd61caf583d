"""Remainders and the reciprocal root as straight-line LLVM code."""

import math

from .text import copysign, fabs, fma, select, sqrt, trunc

__all__ = ["FUNCTIONS"]

# One step of a remainder takes 51 bits off the quotient, which is below 2^277 for floats and
# 2^2098 for doubles.
_STEPS = {"float": 6, "double": 14}
_STAGE = 700  # bits that the steps for doubles take off; three times that is enough


def _less_multiples(rest, a, steps, low_bits):
    """`rest` less multiples of a, till it is within a of 0, on any side; unchanged by infinite a.

    The multiple is the quotient within one unit of its last place, so that the difference is a
    double. For a of 24 bits it need not be that close.
    """
    finite = a < math.inf
    inverse, a = select(finite, 1.0 / a, 0.0), select(finite, a, 0.0)
    inverse_low = fma(-inverse, a, 1.0) * inverse
    for _ in range(steps):
        quotient = fma(rest, inverse, rest * inverse_low) if low_bits else rest * inverse
        rest = fma(-trunc(quotient), a, rest)
    return rest


def fmod(x, y):
    """x - y trunc(x / y), exact, with the sign of x."""
    rest, a = fabs(x).to("double"), fabs(y).to("double")
    double, steps = x.type == "double", _STEPS[x.type]
    if double:
        higher = a * 2.0**_STAGE
        rest = _less_multiples(rest, higher * 2.0**_STAGE, steps, True)
        rest = _less_multiples(rest, higher, steps, True)
        # the inverse of a subnormal number would be infinite
        scale = select(a < 2.0**-500, a.like(2.0**100), 1.0)
        rest, a = rest * scale, a * scale
    rest = _less_multiples(rest, a, steps, double)
    rest = select(rest < 0.0, rest + a, rest)  # the last multiple was rounded up,
    rest = select(rest < a, rest, rest - a)  # or down
    if double:
        rest = rest * select(scale > 1.0, scale.like(2.0**-100), 1.0)
    return copysign(rest.to(x.type), x)


def remainder(x, y):
    """x - y floor(x / y), with the sign of y: fmod, plus y where the signs differ."""
    rest = fmod(x, y)
    differ = rest.differs(0.0) & ((y < 0.0) ^ (rest < 0.0))
    return select(differ, rest + y, rest)


def rsqrt(x):
    """1 / sqrt(x)."""
    return 1.0 / sqrt(x)


FUNCTIONS = {"fmod": fmod, "remainder": remainder, "rsqrt": rsqrt}
