"""Rounding done as PyTorch's CPU kernels do it, on NumPy arrays.

Its kernels are compiled with fused multiply-add, and round a double to a half by way of a float;
equal random numbers need equal roundings. NumPy has no `fma`, so it is built here from exact sums
and products (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
"""

import numpy as np

from .dtypes import encode

__all__ = ["fma", "fma_float32", "libm", "libm_rounded", "narrow"]


def _two_sum(a, b):
    """(s, e): s = a + b rounded and e its error, so that s + e is exactly a + b."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _split(a):
    """The upper and lower halves of a double's bits, as two doubles."""
    t = a * 134217729.0  # 2**27 + 1
    high = t - (t - a)
    return high, a - high


def _two_product(a, b):
    """(p, e): p = a * b rounded and e its error."""
    p = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def _sum_to_odd(a, b):
    """a + b; where inexact, of its two neighbours the one with an odd last bit.

    Such a sum can be rounded once more, to fewer bits, as if the exact sum had been rounded.
    """
    s, e = _two_sum(a, b)
    bits = s.view(np.int64)
    step = np.where((e > 0) == (s > 0), 1, -1)
    return np.where((e != 0) & (bits & 1 == 0), bits + step, bits).view(np.float64)


def fma(a, b, c):
    """a * b + c rounded once; `a` a float64 array, `b` and `c` floats."""
    if c == 0:
        return a * b + 0.0
    if b == 1:
        return a + c
    with np.errstate(invalid="ignore", over="ignore"):
        product, error = _two_product(a, b)
        low, lower = _two_sum(np.float64(c), error)
        high, middle = _two_sum(product, low)
        exact = high + _sum_to_odd(lower, middle)
    return np.where(np.isfinite(exact), exact, product + c)


def fma_float32(a, b, c):
    """a * b + c rounded once; `a` a float32 array, `b` and `c` np.float32."""
    if c == 0:
        return a * b + np.float32(0)
    # The product of two floats is exact in double.
    return _sum_to_odd(a.astype(np.float64) * float(b), np.float64(c)).astype(np.float32)


def libm(function, x):
    """The `math` function of each element of the float64 vector `x`.

    NumPy's own vector versions differ from the C library's, which PyTorch calls, in the last bit.
    """
    return np.fromiter(map(function, x.tolist()), np.float64, x.size)


def libm_rounded(function, fast, x, finish):
    """finish(libm(function, x)) for a monotone `finish` that rounds away most of the bits.

    `fast` is NumPy's version of `function`; only where its last bits could tell, libm is called.
    """
    near = fast(x)
    below, above = finish(near * (1 - 2.0**-48)), finish(near * (1 + 2.0**-48))
    doubt = below != above
    if doubt.any():
        below[doubt] = finish(libm(function, x[doubt]))
    return below


def narrow(values, dtype):
    """Float64 or integer values as `dtype` stores them, rounded as in C++."""
    with np.errstate(over="ignore", invalid="ignore"):
        if dtype.is_floating_point and dtype.itemsize == 2:
            return encode(values.astype(np.float32), dtype)
        return values.astype(dtype.numpy, copy=False)
