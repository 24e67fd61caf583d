"""Floating-point numbers of 8 bits: their values by code, and the code that a number is rounded to.

Codes follow the Open Compute Project's 8-bit formats and the "fnuz" variants without a negative
zero. Numbers are rounded to the nearest, ties to the even code; what becomes of numbers that are
too large differs from format to format, as in PyTorch.
"""

import functools

import numpy as np

__all__ = ["FORMATS", "Exponent", "MiniFloat"]


class MiniFloat:
    """A format of a sign, an exponent and a fraction.

    Args:
        fraction: its number of bits. bias: of the exponent. last: the code of the largest number.
        beyond: the code for numbers that are larger, and infinity. nan: the code of NaN.
        signed: whether NaN and zero have a sign; else NaN is the code of a negative zero.
    """

    def __init__(self, fraction, bias, last, beyond, nan, signed=True):
        self.fraction, self.bias, self.last = fraction, bias, last
        self.beyond, self.nan, self.signed = beyond, nan, signed
        self.eps = 2.0**-fraction if bias < 16 else 2.0**-3  # as PyTorch has it

    @property
    def max(self):
        """The largest number."""
        return self._magnitude(self.last)

    @property
    def smallest_normal(self):
        """The smallest number with a whole fraction."""
        return 2.0 ** (1 - self.bias)

    def _magnitude(self, code):
        """The number that a code without a sign stands for, were it no special one."""
        exponent, fraction = divmod(code, 1 << self.fraction)
        if not exponent:
            return fraction * 2.0 ** (1 - self.bias - self.fraction)
        return (1 + fraction / (1 << self.fraction)) * 2.0 ** (exponent - self.bias)

    @functools.cached_property
    def values(self):
        """The number of each of the 256 codes, float32."""
        positive = [self._magnitude(code) for code in range(128)]
        for code in range(self.last + 1, 128):
            positive[code] = float("inf" if self.beyond == code != self.last else "nan")
        numbers = np.array([*positive, *(-x for x in positive)], np.float32)
        if not self.signed:
            numbers[128] = np.nan
        return numbers

    @functools.cached_property
    def _middles(self):
        """Half way between each number and the next, from zero to behind the largest."""
        numbers = np.array([self._magnitude(code) for code in range(self.last + 2)])
        return (numbers[1:] + numbers[:-1]) / 2

    def decode(self, codes):
        """The numbers of codes, float32."""
        return self.values[codes]

    def encode(self, numbers):
        """The codes of float32 numbers, uint8."""
        size = np.abs(numbers).astype(np.float64)
        low = np.searchsorted(self._middles, size, "left")
        high = np.searchsorted(self._middles, size, "right")
        code = np.where(low % 2, high, low)  # they differ where a number is half way
        code = np.where(code > self.last, self.beyond, code)
        code = np.where(np.isnan(numbers), self.nan, code)
        negative = np.signbit(numbers)
        if not self.signed:
            negative &= (code != 0) & (code != self.nan)
        return (code + 128 * negative).astype(np.uint8)


class Exponent:
    """A format of an exponent alone: powers of two from 2^-127 on, and NaN as the last code."""

    eps, smallest_normal, max = 1.0, 2.0**-127, 2.0**127

    @functools.cached_property
    def values(self):
        """The number of each of the 256 codes, float32."""
        return np.append(np.ldexp(1.0, np.arange(-127, 128)), np.nan).astype(np.float32)

    def decode(self, codes):
        """The numbers of codes, float32."""
        return self.values[codes]

    def encode(self, numbers):
        """The codes of the magnitudes of float32 numbers, uint8; ties go up."""
        bits = np.ascontiguousarray(numbers, np.float32).view(np.uint32).reshape(np.shape(numbers))
        exponent = (bits >> np.uint32(23)) & np.uint32(0xFF)
        half, rest = bits & np.uint32(0x400000), bits & np.uint32(0x3FFFFF)
        up = (half != 0) & ((exponent > 0) | (rest != 0))
        return np.where(exponent == 255, 255, exponent + up).astype(np.uint8)


FORMATS = {
    "float8_e4m3fn": MiniFloat(3, 7, 0x7E, 0x7E, 0x7F),
    "float8_e5m2": MiniFloat(2, 15, 0x7B, 0x7C, 0x7F),
    "float8_e4m3fnuz": MiniFloat(3, 8, 0x7F, 0x80, 0x80, signed=False),
    "float8_e5m2fnuz": MiniFloat(2, 16, 0x7F, 0x80, 0x80, signed=False),
    "float8_e8m0fnu": Exponent(),
}
