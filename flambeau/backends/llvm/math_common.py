"""What the elementary functions know of the two number formats."""

import math
from typing import NamedTuple

from .text import bits, fma, real, select

__all__ = ["FORMAT", "LN2", "Format", "add", "add_larger", "clamp", "divide", "flip"]

LN2 = math.log(2)


class Format(NamedTuple):
    """The constants of one binary format, and where functions reach its ends."""

    mantissa: int  # stored bits
    bias: int  # of the exponent
    round: float  # 1.5 * 2^mantissa: added to a small number, it leaves an integer in the low bits
    ln2_high: float  # ln 2, rounded down
    ln2_low: float  # and the rest
    exp_zero: float  # up to there, e^x is 0; nearest to -(bias + mantissa + 1) ln 2
    exp_inf: float  # above, e^x is infinite
    sinh_inf: float  # above, sinh is infinite; 2^(n - 2) is still finite for n = sinh_inf / ln 2
    one_lost: float  # e^x + 1 is e^x from here on
    square_lost: float  # 1 + x is 1 from here down
    one_unseen: float  # from here on 1 + x^2 is x^2, which is still finite
    root_half_bits: int  # the bit pattern of the root of 1/2
    log10_2: tuple[float, float]  # log10(2); the first has room for an exponent as factor

    @property
    def smallest(self):
        """The smallest normal number."""
        return 2.0 ** (1 - self.bias)

    @property
    def one_bits(self):
        """The bit pattern of 1."""
        return self.bias << self.mantissa

    @property
    def four_bits(self):
        """The bit pattern of 4."""
        return (self.bias + 2) << self.mantissa

    @property
    def whole_bits(self):
        """The bit pattern of 2^mantissa, whose low end counts integers."""
        return (self.bias + self.mantissa) << self.mantissa

    @property
    def mantissa_bits(self):
        """A mask of the stored bits."""
        return (1 << self.mantissa) - 1


FORMAT = {
    "float": Format(
        mantissa=23,
        bias=127,
        round=1.5 * 2**23,
        ln2_high=0.6931471228599548,
        ln2_low=5.769999e-08,
        exp_zero=-104.5,
        exp_inf=89.0,
        sinh_inf=89.5,
        one_lost=20.0,
        square_lost=2.0**-25,
        one_unseen=2.0**50,
        root_half_bits=0x3F3504F3,
        log10_2=(0.301025390625, 4.605039e-06),
    ),
    "double": Format(
        mantissa=52,
        bias=1023,
        round=1.5 * 2**52,
        ln2_high=LN2,
        ln2_low=2.3190468138462996e-17,
        exp_zero=-746.0,
        exp_inf=710.0,
        sinh_inf=710.6,
        one_lost=40.0,
        square_lost=2.0**-54,
        one_unseen=2.0**500,
        root_half_bits=0x3FE6A09E667F3BCD,
        log10_2=(0.30102999566395283, 2.8363394551044964e-14),
    ),
}


def clamp(x, low, high):
    """x within [low, high]; NaN stays."""
    x = select(x < low, low, x)
    return select(x > high, high, x)


def divide(a, b, b_low, a_low=None):
    """(a + a_low) / (b + b_low), finite, with small low parts: nearly as if rounded once."""
    inverse = 1.0 / b
    q = a * inverse
    rest = fma(-q, b_low, fma(-q, b, a))
    return fma(rest if a_low is None else rest + a_low, inverse, q)


def add(a, b):
    """a + b, rounded, and what the rounding took (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def add_larger(a, b):
    """The same where a is 0 or the larger one (Dekker)."""
    s = a + b
    return s, (a - s) + b


def flip(x, sign):
    """x with its sign bit flipped where that of the integer `sign` is set."""
    return real(bits(x) ^ sign)
