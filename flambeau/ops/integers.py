"""Powers, quotients and remainders as NumPy functions that treat whole numbers as PyTorch does."""

import numpy as np

from ..errors import IntegerDivisionError

__all__ = ["floor_divide", "fmod", "power", "remainder", "trunc_divide"]


def power(a, b):
    """a ** b; whole numbers to negative powers are those of 1 and -1, 0 else."""
    if a.dtype.kind in "iub":
        with np.errstate(all="ignore"):
            safe = np.power(a, np.where(b < 0, 0, b).astype(a.dtype))
        odd = np.where(b % 2 == 0, 1, -1)
        inverse = np.where(a == 1, 1, np.where(a == -1, odd, 0)) if a.dtype.kind == "i" else a == 1
        return np.where(b < 0, inverse, safe).astype(a.dtype)
    return np.power(a, b)


def _check(a, b):
    """Whether these are whole numbers. Raises IntegerDivisionError if one is divided by 0."""
    if a.dtype.kind not in "iub":
        return False
    if (b == 0).any():
        raise IntegerDivisionError("division of a whole number by zero")
    return True


def floor_divide(a, b):
    """floor(a / b)."""
    if _check(a, b):
        return np.floor_divide(a, b)
    return np.where(b == 0, a / b, np.floor_divide(a, b)).astype(a.dtype)


def trunc_divide(a, b):
    """trunc(a / b)."""
    if _check(a, b):
        quotient = np.floor_divide(a, b)
        exact = quotient * b == a
        return np.where((quotient < 0) & ~exact, quotient + 1, quotient).astype(a.dtype)
    return np.trunc(a / b)


def remainder(a, b):
    """a - floor(a / b) b."""
    _check(a, b)
    return np.remainder(a, b)


def fmod(a, b):
    """a - trunc(a / b) b."""
    _check(a, b)
    return np.fmod(a, b)
