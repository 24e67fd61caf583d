"""The exponential and its kin as straight-line LLVM code.

All of them write x = n ln 2 + r with |r| <= ln(2) / 2, take a polynomial of r, and put n into the
exponent by integer arithmetic. The polynomials are minimax (Remez exchange; coefficients rounded
one by one and the rest fitted again); the error stated is relative to the function.
"""

from .math_common import FORMAT, LN2, clamp, divide
from .text import bits, copysign, fabs, fma, poly, real, select

__all__ = [
    "FUNCTIONS",
    "exp_less_one",
    "exp_normal",
    "exp_shifted",
    "scale_down",
    "split_negative",
]

# (exp(r) - 1 - r) / r^2 on |r| <= 0.347: 2^-28.2 and 2^-57.9
_EXP = {
    "float": (0.49999994, 0.16666517, 0.041668106, 0.008369137, 0.0013836605),
    "double": (
        0.5000000000000011,
        0.1666666666666643,
        0.041666666666525666,
        0.008333333333479775,
        0.0013888888944915488,
        0.000198412695455993,
        2.48014916702626e-05,
        2.7557545334583825e-06,
        2.763078980075051e-07,
        2.5014962817315554e-08,
    ),
}

# (sinh(r) - r) / r^3 in r^2, on |r| <= 1: 2^-31.6 and 2^-61.8
_SINH = {
    "float": (0.16666667, 0.0083333105, 0.00019842896, 2.7822132e-06),
    "double": (
        0.16666666666666669,
        0.008333333333332912,
        0.0001984126984159341,
        2.7557319106755503e-06,
        2.5052130999296232e-08,
        1.6056659081714973e-10,
        7.776604201332851e-13,
    ),
}

# (sinh(r) - r) / r^3 in r^2, on |r| <= 0.347: 2^-26.2 and 2^-61.7
_SINH_SHORT = {
    "float": (0.16666543, 0.008366553),
    "double": (
        0.16666666666666677,
        0.008333333333321376,
        0.00019841269886867186,
        2.7557243376538987e-06,
        2.5109354957904984e-08,
    ),
}

# (cosh(r) - 1) / r^2 in r^2, on |r| <= 0.347: 2^-33.3 and 2^-70.0
_COSH = {
    "float": (0.5, 0.04166646, 0.0013935452),
    "double": (
        0.5,
        0.041666666666666685,
        0.0013888888888873264,
        2.480158734928181e-05,
        2.7557251718107717e-07,
        2.0921811033400305e-09,
    ),
}


def split(x, offset):
    """x = n ln 2 + r: r, n, and an integer that has n + `offset` in its low bits."""
    form = FORMAT[x.type]
    shifted = fma(x, 1 / LN2, form.round + offset)  # so large that the sum is an integer
    n = shifted - (form.round + offset)
    r = fma(n, -form.ln2_low, fma(n, -form.ln2_high, x))
    return r, n, bits(shifted)


def _exp(r):
    return poly(r, (1.0, 1.0, *_EXP[r.type]))


def _scale(p, i):
    """p 2^n, where i has n + 2 bias in its low bits.

    2^n alone may be out of range, so it goes in two halves; a result below the normal numbers is
    rounded once, and one above them is infinite.
    """
    mantissa = FORMAT[p.type].mantissa
    half = i >> 1
    return p * real(half << mantissa) * real((i - half) << mantissa)


def split_negative(x):
    """r and i for `scale_down`, for x <= 0.

    i is 0 where e^x is, and so is the factor made of it: what underflows takes a processor long.
    """
    form = FORMAT[x.type]
    x = select(x < form.exp_zero, form.exp_zero, x)
    r, _, i = split(x, form.bias + form.mantissa + 1)
    return r, i


def scale_down(p, i):
    """p 2^n for n <= 0; no result is more than mantissa + 1 doublings short of a normal number."""
    form = FORMAT[p.type]
    return p * real(i << form.mantissa) * 2.0 ** -(form.mantissa + 1)


def exp_less_one(r):
    """e^r - 1 for |r| <= 0.347."""
    return fma(r * r, poly(r, _EXP[r.type]), r)


def exp_normal(x, precision=None):
    """e^x where it is a normal number; in double precision, perhaps only as good as a float."""
    form = FORMAT[x.type]
    r, _, i = split(x, form.bias)
    return poly(r, (1.0, 1.0, *_EXP[precision or x.type])) * real(i << form.mantissa)


def exp_shifted(x, rest):
    """e^(x + rest) for a small `rest`."""
    form = FORMAT[x.type]
    r, _, i = split(clamp(x, form.exp_zero, form.exp_inf), 2 * form.bias)
    p = _exp(r if rest is None else r + rest)
    # What underflows takes a processor long; the zeros of a masked softmax come from nothing.
    return _scale(select(x < form.exp_zero, 0.0, p), i)


def exp(x):
    """e^x."""
    return exp_shifted(x, None)


def exp_negative(x):
    """e^x for x <= 0."""
    r, i = split_negative(x)
    return scale_down(_exp(r), i)


def exp2(x):
    """2^x; x - n is exact."""
    form = FORMAT[x.type]
    x = clamp(x, form.exp_zero / LN2, form.exp_inf / LN2)
    shifted = x + (form.round + 2 * form.bias)
    n = shifted - (form.round + 2 * form.bias)
    return _scale(_exp((x - n) * LN2), bits(shifted))


def expm1(x):
    """e^x - 1, computed at half its size lest 2^n overflow."""
    form = FORMAT[x.type]
    r, _, i = split(clamp(x, -form.one_lost, form.exp_inf), form.bias - 1)
    s = real(i << form.mantissa)
    half = fma(s, r * r * poly(r, _EXP[x.type]), fma(s, r, s - 0.5))
    return select(fabs(x) < form.square_lost, x, half + half)


def sigmoid(x):
    """1 / (1 + e^-x), or e^x / (1 + e^x) for negative x: no overflow, no loss at the small end."""
    z = exp_negative(-fabs(x))
    d = z + 1.0
    return divide(select(x < 0.0, z, 1.0), d, z - (d - 1.0))


def tanh(x):
    """t / (t + 2) with t = e^(2|x|) - 1."""
    form = FORMAT[x.type]
    a = fabs(x) * 2.0
    r, _, i = split(select(a > form.one_lost, form.one_lost, a), form.bias)
    s = real(i << form.mantissa)
    t = fma(s, r * r * poly(r, _EXP[x.type]), fma(s, r, s - 1.0))
    d = t + 2.0
    return copysign(divide(t, d, t - (d - 2.0)), x)


def _halves(a):
    """For a = n ln 2 + r: r, and 2^n / 4 - 2^-n / 4 and 2^n / 4 + 2^-n / 4."""
    form = FORMAT[a.type]
    offset = form.bias - 2
    r, n, i = split(select(a > form.sinh_inf, form.sinh_inf, a), offset)
    up = real(i << form.mantissa)
    down = select(n > 64.0, 0.0, real((2 * offset - i) << form.mantissa))
    return r, up - down, up + down


def sinh(x):
    """(e^x - e^-x) / 2; a polynomial alone below 1."""
    a = fabs(x)
    r, minus, plus = _halves(a)
    small = a < 1.0
    t = select(small, a, r)
    square = t * t
    sinh_t = fma(t * square, poly(square, _SINH[x.type]), t)
    cosh_less_one = square * poly(square, _COSH[x.type])
    half = minus + fma(minus, cosh_less_one, plus * sinh_t)
    return copysign(select(small, sinh_t, half + half), x)


def cosh(x):
    """(e^x + e^-x) / 2."""
    r, minus, plus = _halves(fabs(x))
    square = r * r
    sinh_r = fma(r * square, poly(square, _SINH_SHORT[x.type]), r)
    cosh_less_one = square * poly(square, _COSH[x.type])
    half = plus + fma(plus, cosh_less_one, minus * sinh_r)
    return half + half


FUNCTIONS = {
    "cosh": cosh,
    "exp": exp,
    "exp2": exp2,
    "exp_negative": exp_negative,
    "expm1": expm1,
    "sigmoid": sigmoid,
    "sinh": sinh,
    "tanh": tanh,
}
