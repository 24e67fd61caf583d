"""The error function, its complement and its inverse as straight-line LLVM code.

The polynomials are minimax; the error stated is relative to the function.
"""

import math

from .math_common import add, divide
from .math_exp import exp_less_one, exp_normal, scale_down, split_negative
from .math_log import log_precise
from .math_pow import log_single
from .text import copysign, fabs, fma, poly, select, sqrt

__all__ = ["FUNCTIONS"]

# erf(x) / x - 1.125 in x^2, up to where the next begins: 2^-26.7 and 2^-60.1
_ERF = {
    "float": (0.0033791584, -0.3761255, 0.11282452, -0.026791072, 0.00503129, -0.0006197249),
    "double": (
        0.0033791670955125733,
        -0.3761263890318372,
        0.11283791670952716,
        -0.026866170644445395,
        0.005223977615544951,
        -0.0008548326193901993,
        0.00012055289686336539,
        -1.4924197626072177e-05,
        1.643068495904493e-06,
        -1.5939946463624154e-07,
        1.1471706404836797e-08,
    ),
}

# -log(erfc(x)) from 0.875 (0.75) to where erf is 1: erf within 2^-29.1 and 2^-56.3
_LOG_ERFC_FROM = {"float": 0.875, "double": 0.75}
_LOG_ERFC_TO = {"float": 4.0, "double": 6.0}
_LOG_ERFC = {
    "float": (
        0.0001443167,
        1.1278889,
        0.6368215,
        0.104249366,
        -0.02238057,
        0.0030818603,
        -0.00019988471,
    ),
    "double": (
        -1.7967816593784565e-09,
        1.1283792155024661,
        0.636619315957775,
        0.10277498600103717,
        -0.01913660388124919,
        -0.00018924633153005987,
        0.0016595591067500447,
        -0.0005379214828009793,
        -3.296686728260548e-05,
        0.00011761039399701596,
        -6.828192573411022e-05,
        2.578933734973673e-05,
        -7.3210237564712104e-06,
        1.6271856309777365e-06,
        -2.857531599238582e-07,
        3.937236071072724e-08,
        -4.172755746725194e-09,
        3.2838736469137316e-10,
        -1.8064528826181705e-11,
        6.194221722894834e-13,
        -9.956311594247382e-15,
    ),
}

# (x + 2) e^(x^2) erfc(x) in (x - 2) / (x + 2), to x = 10.2: 2^-31.6, for results in float32
_ERFCX_SINGLE = (
    1.0215827054468225,
    -0.6871606881579855,
    0.2794720700011303,
    -0.03644208264491,
    -0.021510210563081323,
    0.006477627670052681,
    0.0030869013337913595,
    -0.0008311910011537247,
    -0.0006480845568689848,
    2.6669592865857422e-05,
    0.00011523161941485787,
    2.8277222785970103e-05,
)

# (x + 4) e^(x^2) erfc(x) - 1.09375 in (x - 4) / (x + 4), to x = 27.3: 2^-58.1
_ERFCX = (
    0.00224566100049112,
    -0.9765487290808821,
    0.7732087022652369,
    -0.5408538313132245,
    0.3308515878780204,
    -0.17401093724030406,
    0.076381514909219,
    -0.02637005333441698,
    0.006112055655984028,
    -0.00028095891751248796,
    -0.0004550526839189697,
    0.0001768130950615546,
    -3.6351678382913543e-06,
    -1.8861812646026776e-05,
    4.694371560770475e-06,
    1.426154064508417e-06,
    -8.460585681886261e-07,
    -7.806306537506645e-08,
    1.2396693930589349e-07,
    2.6778943531564574e-09,
    -1.53877520817591e-08,
    -4.0657888084522657e-10,
    1.0090160910673002e-09,
)

# erfinv(x) / x in w - 3.125 (w - 1.75), for w = -log(1 - x^2) up to 6.25: 2^-28.0 and 2^-54.9
_ERFINV = {
    "float": (
        1.653654567168494,
        0.24015816685887995,
        -0.00603370597578579,
        -0.000740667138044095,
        0.00018677802014286052,
        -1.3905913363260387e-05,
        -1.385295818880638e-06,
        4.302211413281178e-07,
        -2.5031595085363966e-08,
        -5.085120045684111e-09,
        6.729685269498578e-10,
        1.8094791305178718e-11,
    ),
    "double": (
        1.3146774600388804,
        0.25042154385515736,
        -0.0006195318238413365,
        -0.0019017851246065538,
        0.00020173815868158607,
        1.5242564467264043e-05,
        -5.291683105430719e-06,
        1.5067642960964745e-07,
        9.656455791628472e-08,
        -1.118560983256422e-08,
        -1.1296237426382307e-09,
        3.3188722072627854e-10,
        -2.6243043273123096e-12,
        -6.997723498587192e-12,
        6.260230337999816e-13,
        1.0266642442799244e-13,
        -2.2371892829651937e-14,
        -3.433896407176495e-16,
        5.255777810677536e-16,
        -4.7573312381972385e-17,
        -4.512003848223336e-18,
        1.3044531508733165e-18,
        -1.0993822713282671e-19,
        3.467458046767928e-21,
    ),
}

# Beyond, with s = sqrt(w): erfinv(x) / x in s - 3.25: 2^-28.2; erfinv(x) / (x s) in 1/s - 9/32:
# 2^-54.9
_ERFINV_TAIL = {
    "float": (
        3.0838856017097687,
        1.0052589101653333,
        0.005371562566748311,
        -0.0037497476658209456,
        0.002483547533937334,
        -0.001697525745193452,
        0.0009882450283614298,
        -0.00033568593733813214,
        -4.20731095987803e-05,
        6.126841200667672e-05,
    ),
    "double": (
        0.9538482434653854,
        -0.19152455453629041,
        0.1326967479504424,
        0.5736298697897154,
        0.8757306920505715,
        12.898136628344355,
        27.52392463287553,
        -273.76873192064096,
        -1705.1911734300686,
        6668.463522570955,
        57677.60856075218,
        -238096.626906891,
        -1528720.2540196541,
        10068980.270239763,
        22939683.47990106,
        -367711490.7320329,
        525113033.1736731,
        9283891224.898954,
        -55310339289.77316,
        -76793565501.65866,
        2260422975290.975,
        -5251666556525.799,
        -56822260144054.95,
        263240127557301.84,
        862099341000947.6,
        -5614954169280251.0,
        -6146204630559281.0,
        5.012763516612388e16,
    ),
}


def erf(x):
    """2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x: x P(x^2), or 1 - e^(-Q(|x|))."""
    a = fabs(x)
    small = fma(a, 1.125, a * poly(a * a, _ERF[x.type]))
    b = select(a > _LOG_ERFC_TO[x.type], _LOG_ERFC_TO[x.type], a)
    large = 1.0 - exp_normal(-poly(b, _LOG_ERFC[x.type]))
    return copysign(select(a < _LOG_ERFC_FROM[x.type], small, large), x)


def erfc(x):
    """1 - erf(x): e^(-x^2) times a function that falls like 1 / x; 2 less that for negative x."""
    positive = _erfc_single(fabs(x)) if x.type == "float" else _erfc_double(fabs(x))
    return select(x < 0.0, 2.0 - positive, positive).to(x.type)


def _erfc_single(a):
    a = select(a > 10.2, 10.2, a).to("double")  # the square of a float is exact in double precision
    inverse = 1.0 / (a + 2.0)
    s = poly((a - 2.0) * inverse, _ERFCX_SINGLE)
    return exp_normal(-(a * a), "float") * (s * inverse)


def _erfc_double(a):
    a = select(a > 27.3, 27.3, a)
    square = a * a
    r, i = split_negative(-square)
    t = exp_less_one(r - fma(a, a, -square))
    d, n = a + 4.0, a - 4.0
    d_low, n_low = a - (d - 4.0), a - (n + 4.0)
    inverse = 1.0 / d
    q = n * inverse
    slope = poly(q, _ERFCX[1:])
    rise = q * slope
    s, s_low = add(a.like(1.09375), rise)
    s_low = s_low + (fma(q, slope, -rise) + _ERFCX[0])
    # what q is short of, times the derivative of s: s times about -0.9 + 0.6 q - 0.25 q^2
    short = (fma(-q, d_low, fma(-q, d, n)) + n_low) * inverse
    s_low = fma(short * s, poly(q, (-0.9, 0.63, -0.25)), s_low)
    erfcx = divide(s, d, d_low, s_low)
    return scale_down(fma(erfcx, t, erfcx), i)


def erfinv(x):
    """The inverse of erf, by polynomials in w = -log(1 - x^2) and, near the ends, in its root."""
    a = fabs(x)
    result = (_erfinv_single if x.type == "float" else _erfinv_double)(a)
    ends = select(a.equals(1.0), a.like(math.inf), math.nan)
    return copysign(select(a < 1.0, result, ends), x)


def _erfinv_single(a):
    a = a.to("double")
    w = -log_single(fma(-a, a, 1.0))
    central = poly(w - 3.125, _ERFINV["float"])
    tail = poly(sqrt(w) - 3.25, _ERFINV_TAIL["float"])
    return (a * select(w < 6.25, central, tail)).to("float")


def _erfinv_double(a):
    w = -log_precise((1.0 - a) * (1.0 + a))
    first, *rest = _ERFINV["double"]
    off = w - 1.75
    central = fma(a, first, a * (off * poly(off, rest)))
    s = sqrt(w)
    inverse = 1.0 / s
    first, *rest = _ERFINV_TAIL["double"]
    off = inverse - 9 / 32
    # a s (first + off poly(off)), the product a s with what its factors and itself lost
    product = a * s
    lost = fma(a, s, -product) + a * (fma(-s, s, w) * (0.5 * inverse))
    tail = fma(product, first, fma(lost, first, product * (off * poly(off, rest))))
    return select(w < 6.25, central, tail)


FUNCTIONS = {"erf": erf, "erfc": erfc, "erfinv": erfinv}
