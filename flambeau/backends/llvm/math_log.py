"""The logarithm and its kin as straight-line LLVM code.

All of them write x = 2^e (1 + f) with 1 + f between the roots of 1/2 and 2, by integer arithmetic
on the bits, and take a minimax polynomial of f (the error stated is relative to the function).
"""

import math

from .math_common import FORMAT
from .text import bits, copysign, fabs, fma, poly, real, select, sqrt

__all__ = ["FUNCTIONS", "log", "log_pair", "log_precise", "log_split"]

# (log(1 + f) - f) / f^2 for 1 + f in [0.7069, 1.4145]: 2^-27.4 and 2^-56.1
_LOG = {
    "float": (
        -0.49999988,
        0.3333333,
        -0.25001624,
        0.2000161,
        -0.1660759,
        0.1419156,
        -0.13270213,
        0.1283151,
        -0.07437668,
    ),
    "double": (
        -0.5,
        0.3333333333333314,
        -0.2499999999998781,
        0.2000000000006671,
        -0.16666666669864308,
        0.1428571428013084,
        -0.12499999688229721,
        0.11111111141481503,
        -0.10000015336772602,
        0.09090924271123862,
        -0.08332910748720376,
        0.07691520325945483,
        -0.07149469348959242,
        0.06684729293896244,
        -0.06196579062532418,
        0.05667346187508532,
        -0.05677084387154082,
        0.06506244306376816,
        -0.059865617115126855,
        0.02617284658433894,
    ),
}

# log_b(1 + f) / f - k in float32, k an eighth near 1 / ln b: 2^-27.7 and 2^-27.3
_LOG2_K = 1.4375
_LOG2 = (
    0.0051950407,
    -0.72134733,
    0.48089826,
    -0.3606983,
    0.28856963,
    -0.23958297,
    0.20449334,
    -0.1911962,
    0.18714291,
    -0.1110543,
)
_LOG10_K = 0.4375
_LOG10 = (
    -0.003205518,
    -0.21714719,
    0.14476475,
    -0.10858075,
    0.086869635,
    -0.07212917,
    0.061559107,
    -0.05751586,
    0.056193925,
    -0.033215996,
)

# (asinh(x) - x) / x^3 in x^2, on |x| <= 1/2: 2^-33.9 and 2^-60.4
_ASINH = {
    "float": (-0.16666666, 0.07499907, -0.044616096, 0.030033568, -0.020049568, 0.009256593),
    "double": (
        -0.1666666666666661,
        0.07499999999984416,
        -0.04464285712783043,
        0.03038194371633528,
        -0.022372138356763705,
        0.017352386934017392,
        -0.013960232075562294,
        0.01151298308391088,
        -0.009534138884016748,
        0.007465590831317177,
        -0.004747499124410556,
        0.0017180749226332703,
    ),
}

# (atanh(x) - x) / x^3 in x^2, on |x| <= 1/2: 2^-29.4 and 2^-57.1
_ATANH = {
    "float": (0.33333302, 0.20002453, 0.14223784, 0.118164085, 0.051603276, 0.17638022),
    "double": (
        0.3333333333333399,
        0.199999999997945,
        0.1428571430809703,
        0.11111109885469596,
        0.0909094857809752,
        0.0769149302605101,
        0.06677965778271391,
        0.05774215337090747,
        0.059834472200262265,
        0.014524384249876683,
        0.1450283982879959,
        -0.15303967174790148,
        0.22486863162254656,
    ),
}


# log2(e) and log10(e), each as the nearest double and what it lacks
_LOG2_E = (1.4426950408889634, 2.0355273740931033e-17)
_LOG10_E = (0.4342944819032518, 1.098319650216765e-17)


def _split_bits(x):
    """For x = 2^e m, m between the roots of 1/2 and 2: e + bias above the bits of m that vary."""
    form = FORMAT[x.type]
    return bits(x) + (form.one_bits - form.root_half_bits)


def _exponent(i):
    """e as a number; a small integer is the low end of the bits of one near 2^mantissa."""
    form = FORMAT[i.real_type]
    return real((i >> form.mantissa) | form.whole_bits) - (2.0**form.mantissa + form.bias)


def log_split(x, subnormal=True):
    """f and e with x = 2^e (1 + f), for positive finite x, normal ones only if so said."""
    form = FORMAT[x.type]
    if not subnormal:
        i = _split_bits(x)
        return real((i & form.mantissa_bits) + form.root_half_bits) - 1.0, _exponent(i)
    subnormal = x < form.smallest
    i = _split_bits(select(subnormal, x * 2.0**form.mantissa, x))
    f = real((i & form.mantissa_bits) + form.root_half_bits) - 1.0
    e = _exponent(i)
    return f, select(subnormal, e - form.mantissa, e)


def _log_join(f, e):
    """log(2^e (1 + f))."""
    form = FORMAT[f.type]
    return fma(e, form.ln2_high, fma(e, form.ln2_low, fma(f * f, poly(f, _LOG[f.type]), f)))


def log_pair(f, e, more=0.0):
    """log(2^e (1 + f)) + `more`, a small number, as a head and a tail of far smaller error."""
    form = FORMAT[f.type]
    head = fma(e, form.ln2_high, f)
    tail = f - fma(-e, form.ln2_high, head) + more
    return head, fma(f * f, poly(f, _LOG[f.type]), fma(e, form.ln2_low, tail))


def log_precise(x):
    """log(x) for a positive finite x, not quite rounded correctly."""
    head, tail = log_pair(*log_split(x))
    return head + tail


def _where_defined(result, x, pole):
    """`result` between pole and infinity; -inf at the pole, NaN below; x where it is inf or NaN."""
    inside = select(x < math.inf, result, x)
    return select(x > pole, inside, select(x.equals(pole), x.like(-math.inf), math.nan))


def log(x):
    """The natural logarithm."""
    return _where_defined(_log_join(*log_split(x)), x, 0.0)


def _log_base(x, k, coefficients, e_unit, to_base):
    """The logarithm to a base: log_b(1 + f) + e log_b 2, where log_b 2 is the pair `e_unit`.

    In double precision log(1 + f) is multiplied by log_b e, both as pairs; e_unit[0] e is exact.
    """
    f, e = log_split(x)
    if x.type == "float":
        result = fma(f, k, f * poly(f, coefficients))
        if e_unit[1]:
            result = fma(e, e_unit[1], result)
        result = fma(e, e_unit[0], result)
        return _where_defined(result, x, 0.0)
    rest = f * f * poly(f, _LOG["double"])
    head = f + rest
    tail = (f - head) + rest
    product = head * to_base[0]
    low = fma(tail, to_base[0], fma(head, to_base[1], fma(head, to_base[0], -product)))
    if e_unit[1]:
        low = fma(e, e_unit[1], low)
    whole = e * e_unit[0]
    total = whole + product
    result = total + ((whole - total) + product + low)
    return _where_defined(result, x, 0.0)


def log2(x):
    """The logarithm to base 2."""
    return _log_base(x, _LOG2_K, _LOG2, (1.0, 0.0), _LOG2_E)


def log10(x):
    """The logarithm to base 10."""
    return _log_base(x, _LOG10_K, _LOG10, FORMAT[x.type].log10_2, _LOG10_E)


def log1p_split(x):
    """f and e with 1 + x = 2^e (1 + f), for x > -1; the bits that 1 + x loses are kept in f."""
    form = FORMAT[x.type]
    i = _split_bits(x + 1.0)
    shift = (i & ~form.mantissa_bits) - form.one_bits
    quarter = real(form.four_bits - shift)  # 4 / 2^e, which is never subnormal
    f = real(bits(x) - shift) + fma(quarter, 0.25, -1.0)
    return f, _exponent(i)


def log1p(x):
    """log(1 + x)."""
    head, tail = log_pair(*log1p_split(x))
    return _where_defined(copysign(head + tail, x), x, -1.0)


def asinh(x):
    """log(a + sqrt(a^2 + 1)), a = |x|; a polynomial below 1/2; log(2 a) where squares overflow."""
    a = fabs(x)
    square = a * a
    small = fma(a * square, poly(square, _ASINH[x.type]), a)
    huge = a > FORMAT[x.type].one_unseen
    radicand = fma(a, a, 1.0)
    root = sqrt(radicand)
    sum = root + a
    f, e = log_split(select(huge, a, sum))
    # What the root lost (1 / (2 root) is about 0.52 - 0.15 a) and what the sum lost, over the sum:
    # it counts while a is small, and (root + a) (root - a) = 1.
    missed = fma(-root, root, radicand) + fma(a, a, 1.0 - radicand)
    lost = fma(missed, fma(a, -0.15, 0.52), a - (sum - root)) * (root - a)
    lost = select(a < 2.0, lost, 0.0)
    head, tail = log_pair(f, select(huge, e + 1.0, e), lost)
    large = head + tail
    return copysign(select(a < 0.5, small, select(a < math.inf, large, a)), x)


def acosh(x):
    """log1p(t + sqrt(t (t + 2))) with t = x - 1; log(2 x) where squares overflow."""
    huge = x > FORMAT[x.type].one_unseen
    t = x - 1.0
    root = sqrt(fma(t, t, t + t))
    sum = root + t
    f, e = log1p_split(select(huge, x, sum))
    lost = select(x < 8.0, (t - (sum - root)) * (x - root), 0.0)  # (x + root) (x - root) = 1
    head, tail = log_pair(f, select(huge, e + 1.0, e), lost)
    result = head + tail
    return select(x < 1.0, math.nan, select(x < math.inf, result, x))


def atanh(x):
    """log((1 + a) / (1 - a)) / 2, with the sign of x; a polynomial below 1/2."""
    a = fabs(x)
    square = a * a
    small = fma(a * square, poly(square, _ATANH[x.type]), a)
    q = (a + 1.0) / (1.0 - a)
    large = _where_defined(log_precise(q), q, 0.0) * 0.5
    return copysign(select(a < 0.5, small, large), x)


FUNCTIONS = {
    "acosh": acosh,
    "asinh": asinh,
    "atanh": atanh,
    "log": log,
    "log10": log10,
    "log1p": log1p,
    "log2": log2,
}
