"""The trigonometric functions and their inverses as straight-line LLVM code.

An angle of any size is multiplied by 2/pi, of which the bits that only contribute whole turns are
left out first (Payne and Hanek), so that what remains fits a few doubles; float32 does this
in double precision, too. The polynomials are minimax; the error stated is relative to the function.
"""

import math
from functools import cache

from .math_common import FORMAT, add, add_larger, divide, flip
from .text import Table, bits, copysign, fabs, fma, poly, real, rint, select, sqrt

__all__ = ["FUNCTIONS"]

# (sin(r) - r) / r^3 in r^2, on |r| <= 0.787: 2^-27.9 and 2^-57.9
_SIN = {
    "float": (-0.16666654, 0.008332106, -0.0001950784),
    "double": (
        -0.1666666666666663,
        0.00833333333332184,
        -0.0001984126982935859,
        2.755731353860833e-06,
        -2.5050734423689475e-08,
        1.5895436691705384e-10,
    ),
}

# (cos(r) - 1) / r^2 in r^2, on |r| <= 0.787: 2^-32.1 and 2^-58.6
_COS = {
    "float": (-0.5, 0.041666657, -0.0013887761, 2.4476616e-05),
    "double": (
        -0.5,
        0.04166666666666659,
        -0.0013888888888824483,
        2.4801587240952994e-05,
        -2.7557297227647193e-07,
        2.0873131971089327e-09,
        -1.1216976732428681e-11,
    ),
}

# (asin(x) - x) / x^3 in x^2, on |x| <= 1/2: 2^-27.6 and 2^-59.9
_ASIN = {
    "float": (0.16666752, 0.074953094, 0.04546915, 0.024184814, 0.042158157),
    "double": (
        0.1666666666666676,
        0.07499999999970866,
        0.044642857174560784,
        0.030381942709886655,
        0.022372214934865492,
        0.017351612879457627,
        0.013980810906657343,
        0.011398986362228785,
        0.01077985893599675,
        0.003707827830030728,
        0.021704136670445087,
        -0.020994552368901128,
        0.03262589923008827,
    ),
}

# (atan(x) - x) / x^3 in x^2, on |x| <= 1: 2^-28.5 and 2^-57.6
_ATAN = {
    "float": (
        -0.333333,
        0.1999853,
        -0.14264014,
        0.10950861,
        -0.08399209,
        0.05787891,
        -0.031093614,
        0.010866338,
        -0.0017821647,
    ),
    "double": (
        -0.3333333333333307,
        0.19999999999951742,
        -0.14285714282587542,
        0.11111111007324255,
        -0.09090907007470128,
        0.07692279884984314,
        -0.06666404390783863,
        0.058805296130399025,
        -0.05253525911430166,
        0.04722345417323833,
        -0.04219235905262342,
        0.036643004921328354,
        -0.029905503619610422,
        0.021986780202357628,
        -0.013902297877359724,
        0.007197685816490969,
        -0.0028855055025364187,
        0.0008315223285255803,
        -0.00015220296007364517,
        1.3229170756630456e-05,
    ),
}

# pi / 2, rounded, and what is missing
_HALF_PI = {"float": (1.57079637, -4.37113883e-08), "double": (math.pi / 2, 6.123233995736766e-17)}

# 2/pi, 1344 bits behind the point
_TWO_OVER_PI = int(
    "a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e00649"
    "2eea09d1921cfe1deb1cb129a73ee88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8b"
    "bdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d7527bac7ebe5"
    "f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6babf0cfbc209af4361da9e391615ee61b08",
    16,
)
_BITS = 1344


@cache
def _two_over_pi(top, count, scale=0):
    """2^scale times 2/pi without its bits from 2^top up: `count` doubles, the largest first."""
    rest = _TWO_OVER_PI & ((1 << (_BITS + top)) - 1)
    parts = []
    for _ in range(count):
        low = max(rest.bit_length() - 53, 0)
        parts.append(math.ldexp(rest >> low, low - _BITS + scale))
        rest &= (1 << low) - 1
    return tuple(parts)


# From each 2^k on there is an own part of 2/pi: x is a multiple of 2^(k - 23), so bits from
# 2^(25 - k) up make whole turns. The product stays below 2^43, so that its last bit is 2^-10 and
# what remains of it after rounding is centred.
_STEPS = (43, 60, 77, 94, 111)


def _turn_single(a):
    """For a float a >= 0: a = r + i pi/2, a double r, |r| <= pi/4, and i, right in two bits."""
    wide = a.to("double")
    high, low = map(wide.like, _two_over_pi(0, 2))
    for step in _STEPS:
        beyond = a >= 2.0**step
        next_high, next_low = _two_over_pi(25 - step, 2)
        high = select(beyond, wide.like(next_high), high)
        low = select(beyond, wide.like(next_low), low)
    p = wide * high
    rest = fma(wide, low, fma(wide, high, -p))
    shifted = p + FORMAT["double"].round
    r = ((p - (shifted - FORMAT["double"].round)) + rest) * (math.pi / 2)
    return r, bits(shifted).to("i32")


_ROW = 16  # binary exponents that share one row of the table


@cache
def _turn_table():
    """Rows of four doubles: row k is 2^(16 k) times the part of 2/pi for exponents from 16 k on.

    The last row, of infinity and NaN, is NaN.
    """
    rows = [_two_over_pi(min(0, 54 - _ROW * k), 4, _ROW * k) for k in range(1024 // _ROW)]
    return [number for row in rows for number in row] + 4 * [math.nan]


def _turn_double(a):
    """For a double a >= 0: r with |r| <= pi/4, the part it is short of, and i, as above.

    The product with four parts of 2/pi is summed exactly as far down as the double nearest to a
    multiple of pi/2 needs.
    """
    form = FORMAT["double"]
    table = Table(a.body, "two_over_pi", _turn_table())
    exponent = (bits(a) >> form.mantissa) - form.bias
    row = select(exponent < _ROW, 0, exponent >> 4)
    a = real(bits(a) - (row << (form.mantissa + 4)))
    parts = [table[(row << 2) + k] for k in range(4)]
    p = [a * part for part in parts[:3]]
    e = [fma(a, part, -q) for part, q in zip(parts, p, strict=False)]
    turns = fma(rint(p[0] * 0.25), -4.0, p[0])  # whole turns may fill the largest product
    s, lost = add(turns, e[0])
    s, lost_too = add(s, p[1])
    shifted = s + form.round
    head = s - (shifted - form.round)
    u, lost_below = add(e[1], p[2])
    v, lost_between = add(lost + lost_too, u)
    head, low = add(head, v)
    low = low + (lost_between + lost_below + fma(a, parts[3], e[2]))
    half_pi, missing = _HALF_PI["double"]
    r = head * half_pi
    rest = fma(low, half_pi, fma(head, missing, fma(head, half_pi, -r)))
    return r, rest, bits(shifted)


def _sin_cos(a):
    """sin(r), cos(r) and i, for a = r + i pi/2."""
    if a.type == "float":
        wide, i = _turn_single(a)
        r = wide.to("float")
        square = r * r
        s = fma(r * square, poly(square, _SIN["float"]), r)
        return s, fma(square, poly(square, _COS["float"]), 1.0), i
    (r, s), (one, c), i = _sin_cos_double(a)
    return r + s, c + one, i


def _sin_cos_double(a):
    """The same, each as a pair whose sum is not yet rounded."""
    r, rest, i = _turn_double(a)
    square = r * r
    s = fma(r * square, poly(square, _SIN["double"]), rest)
    c = fma(square, poly(square, _COS["double"]), -(r * rest))
    return (r, s), (1.0, c), i


def _sign(i, bit):
    """The sign bit set where bit number `bit` of i is."""
    width = 32 if i.type == "i32" else 64
    return (i >> bit) << (width - 1)


def _sign_of(x):
    return bits(x) & bits(x.like(-0.0))


def _unless_tiny(result, x):
    """x itself where it is the value and where x 2/pi might be subnormal."""
    return select(fabs(x) < 2.0**-30, x, result)


def sin(x):
    """The sine."""
    s, c, i = _sin_cos(fabs(x))
    result = flip(select((i & 1).equals(0), s, c), _sign(i, 1) ^ _sign_of(x))
    return result if x.type == "float" else _unless_tiny(result, x)


def cos(x):
    """The cosine: the sine a quarter of a turn later."""
    s, c, i = _sin_cos(fabs(x))
    return flip(select((i & 1).equals(0), c, s), _sign(i + 1, 1))


def tan(x):
    """sin / cos, or -cos / sin in odd quarters; float32 stays in double precision to the end."""
    if x.type == "float":
        r, i = _turn_single(fabs(x))
        square = r * r
        s = fma(r * square, poly(square, _SIN["float"]), r)
        c = fma(square, poly(square, _COS["float"]), 1.0)
        even = (i & 1).equals(0)
        quotient = (select(even, s, c) / select(even, c, s)).to("float")
    else:
        s, c, i = _sin_cos_double(fabs(x))
        even = (i & 1).equals(0)
        a, a_low = add_larger(select(even, s[0], c[0]), select(even, s[1], c[1]))
        b, b_low = add_larger(select(even, c[0], s[0]), select(even, c[1], s[1]))
        quotient = divide(a, b, b_low, a_low)
    result = flip(quotient, _sign(i, 0) ^ _sign_of(x))
    return result if x.type == "float" else _unless_tiny(result, x)


def _asin_parts(x):
    """s, asin(s) - s, and whether a = |x| is above 1/2: then s is sqrt((1 - a) / 2), else a."""
    a = fabs(x)
    large = a > 0.5
    square = select(large, fma(a, -0.5, 0.5), a * a)
    s = select(large, sqrt(square), a)
    return s, s * square * poly(square, _ASIN[x.type]), large


def asin(x):
    """The arc sine; pi/2 - 2 asin(sqrt((1 - a) / 2)) above 1/2."""
    half_pi, missing = _HALF_PI[x.type]
    s, rest, large = _asin_parts(x)
    head = fma(s, -2.0, half_pi)
    outer = head + fma(rest, -2.0, fma(s, -2.0, half_pi - head) + missing)
    return copysign(select(large, outer, s + rest), x)


def acos(x):
    """The arc cosine: pi/2 - asin; 2 asin(sqrt((1 - a) / 2)) near 1, pi less that near -1."""
    half_pi, missing = _HALF_PI[x.type]
    s, rest, large = _asin_parts(x)
    p = s + rest
    central = half_pi - (copysign(p, x) - missing)
    outer = select(x < 0.0, fma(p, -2.0, 2 * half_pi) + 2 * missing, p + p)
    return select(large, outer, central)


def _atan_unit(t):
    """atan on [0, 1]."""
    square = t * t
    return fma(t * square, poly(square, _ATAN[t.type]), t)


def atan(x):
    """The arc tangent; pi/2 - atan(1 / a) above 1."""
    half_pi, missing = _HALF_PI[x.type]
    a = fabs(x)
    large = a > 1.0
    p = _atan_unit(select(large, a.like(1.0), a) / select(large, a, 1.0))
    return copysign(select(large, half_pi - (p - missing), p), x)


def atan2(y, x):
    """The angle of the point (x, y), from atan of the smaller over the larger coordinate."""
    half_pi, missing = _HALF_PI[x.type]
    a, b = fabs(x), fabs(y)
    steep = b > a
    low, high = select(steep, a, b), select(steep, b, a)
    equal = select(high.equals(0.0), high, 1.0)  # 0 / 0 is 0 here, inf / inf is 1
    p = _atan_unit(select(low.equals(high), equal, low / high))
    left = bits(x) < 0
    base = select(steep, x.like(half_pi), select(left, x.like(2 * half_pi), 0.0))
    rest = select(steep, x.like(missing), select(left, x.like(2 * missing), 0.0))
    p = flip(p, _sign_of(x) ^ select(steep, bits(x.like(-0.0)), 0))
    return copysign(base + (p + rest), y)


FUNCTIONS = {
    "acos": acos,
    "asin": asin,
    "atan": atan,
    "atan2": atan2,
    "cos": cos,
    "sin": sin,
    "tan": tan,
}
