"""Remainders and the reciprocal root as straight-line LLVM code."""

from .text import copysign, fabs, fma, select, sqrt, trunc

__all__ = ["FUNCTIONS"]

_STEPS = 6  # a quotient of floats is below 2^277, and each step takes off 51 bits


def _fmod_single(x, y):
    """Of floats, exactly: x less a multiple of y, again and again.

    The multiple is the quotient as far as a double knows it, and the difference is a double (Sterbenz). Infinite y
    count as very large ones; infinite x and zero y give NaN by themselves.
    """
    rest, a = fabs(x).to("double"), fabs(y).to("double")
    a = select(a > 2.0**200, 2.0**200, a)
    inverse = 1.0 / a
    for _ in range(_STEPS):
        rest = fma(-trunc(rest * inverse), a, rest)
    rest = select(rest < 0.0, rest + a, rest)  # the last multiple was rounded up,
    rest = select(rest < a, rest, rest - a)  # or down
    return rest.to("float")


def fmod(x, y):
    """x - y trunc(x / y), exact, with the sign of x."""
    if x.type == "double":
        return x % y  # libm's, one number at a time: quotients have up to 2098 bits
    return copysign(_fmod_single(x, y), x)


def remainder(x, y):
    """x - y floor(x / y), with the sign of y: fmod, plus y where the signs differ."""
    rest = fmod(x, y)
    differ = rest.differs(0.0) & ((y < 0.0) ^ (rest < 0.0))
    return select(differ, rest + y, rest)


def rsqrt(x):
    """1 / sqrt(x)."""
    return 1.0 / sqrt(x)


FUNCTIONS = {"fmod": fmod, "remainder": remainder, "rsqrt": rsqrt}
