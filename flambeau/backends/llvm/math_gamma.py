"""The logarithm of the gamma function and its derivative as straight-line LLVM code.

All is done in double precision. The polynomials are minimax; the error stated is relative to the
function, or to its smallest value on the interval.
"""

import math

from .math_common import add, add_larger
from .math_log import log, log_pair, log_split
from .text import fabs, fma, poly, rint, select

__all__ = ["FUNCTIONS"]

# log(gamma(2 + t)) / t - 27/64 on |t| <= 1/2: 2^-58.3
_LGAMMA = (
    0.0009093350984671398,
    0.32246703342411326,
    -0.06735230105319831,
    0.020580808427775685,
    -0.007385551028653153,
    0.0028905103313119234,
    -0.0011927539124995574,
    0.0005096695080960795,
    -0.00022315474263582592,
    9.945777512944145e-05,
    -4.492642273631429e-05,
    2.0504794815530888e-05,
    -9.438106308262008e-06,
    4.388241856765751e-06,
    -2.045839745051634e-06,
    9.117395230876197e-07,
    -4.2930494635183717e-07,
    2.867619581186044e-07,
    -1.3433109227814646e-07,
)

# (log(gamma(x)) - (x - 1/2) log x + x - log(2 pi) / 2) x in 1/x^2, from x = 8: 2^-61.6
_STIRLING = (
    0.0833333333333331,
    -0.0027777777773627943,
    0.0007936505776759567,
    -0.0005951898349776595,
    0.0008364673359685721,
    -0.001633619379451092,
)
_HALF_LOG_2PI = math.log(2 * math.pi) / 2

# digamma(x) / (x - its zero) in x - 1.6, and its value at the zero; for x in [1, 2.2]: 2^-55.9
_DIGAMMA_ZERO = (1.4616321449683622, 9.549995429965697e-17)
_DIGAMMA_SLOPE = 0.9676722454476170
_DIGAMMA = (
    0.9109590717053151,
    -0.3796198081463711,
    0.20115704762429656,
    -0.1158717303166802,
    0.06930948272173451,
    -0.04225999981946638,
    0.026036479995339066,
    -0.016135637103885974,
    0.010033885172538056,
    -0.006252086176163719,
    0.003900343235978216,
    -0.002434978003941893,
    0.0015207290279943616,
    -0.0009500149055678601,
    0.000594314602731454,
    -0.0003715876929640931,
    0.00022860680530185419,
    -0.00014223766078306458,
    0.0001006039393047062,
    -6.413336656630642e-05,
    1.661009633401592e-05,
    -8.96015092287197e-06,
    3.217621959533503e-05,
    -2.0807324387698105e-05,
)

# (digamma(x) - log x + 1 / (2 x)) x^2 in 1/x^2, from x = 3.2: 2^-55.6
_DIGAMMA_LARGE = (
    -0.0833333333333034,
    0.008333333317552776,
    -0.0039682510714526414,
    0.004166400475416475,
    -0.007561438625725724,
    0.02060110509927567,
    -0.07192331660091128,
    0.2551301076986624,
    -0.6924088069884151,
    0.9649631128943479,
)

# (sin(pi f) / (pi f) - 1) / f^2 and cos(pi f) / (1 - 4 f^2), both in f^2, on |f| <= 1/2: 2^-56.6
# and 2^-55.7
_SIN_PI = (
    -1.6449340668482264,
    0.8117424252833487,
    -0.1907518241217521,
    0.026147847809075243,
    -0.002346080922417085,
    0.00014842795760027264,
    -6.972363954440155e-06,
    2.4527628889883544e-07,
)
_COS_PI = (
    1.0,
    -0.9348022005446739,
    0.3195033242374947,
    -0.0572494718831167,
    0.00633274243310699,
    -0.0004759176167866405,
    2.5879339443116235e-05,
    -1.0335476769795287e-06,
)


def _sin_over_pi(a):
    """sin(pi f) / pi and f, what `a` is past the nearest integer."""
    f = a - rint(a)
    square = f * f
    return fma(f * square, poly(square, _SIN_PI), f), f


def _down_to_two(b):
    """For 0 <= b < 8, by the recurrence: t, p and `rising`, with |t| <= 1/2.

    gamma(b) = gamma(2 + t) p, or gamma(2 + t) / p if rising.
    """
    nearest = rint(b)
    rising = nearest < 2.0
    p = select(nearest < 1.0, fma(b, b, b), select(rising, b, 1.0))
    for k in range(1, 7):
        p = select(nearest > k + 1.0, p * (b - float(k)), p)
    return b - nearest, p, rising


def lgamma(x):
    """log |gamma(x)|.

    Below 8 gamma(x) is taken to gamma between 3/2 and 5/2 by its recurrence, above Stirling's
    series holds; for negative x it is pi / sin(pi x) over gamma(1 - x), so near the zeros there
    only the absolute error is small.
    """
    a = fabs(x).to("double")
    sign = x.to("double")
    b = select(sign < 0.0, a + 1.0, a)
    large = b > 8.0
    t, p, rising = _down_to_two(b)
    head, tail = log_pair(*log_split(select(large, b, p)))
    inverse = 1.0 / b
    series = fma(inverse, poly(inverse * inverse, _STIRLING), _HALF_LOG_2PI - 0.5)
    stirling = fma(b - 0.5, (head - 1.0) + tail, series)
    # t (27/64 + ...) and the logarithm all but cancel between 1 and 3/2
    slope = poly(t, _LGAMMA[1:])
    rise = t * slope
    q, q_low = add_larger(b.like(27 / 64), rise)
    near_two = t * q
    near_two_low = fma(t, q, -near_two) + t * (q_low + (fma(t, slope, -rise) + _LGAMMA[0]))
    s, s_low = add(near_two, select(rising, -head, head))
    recurrence = s + (s_low + (near_two_low + select(rising, -tail, tail)))
    result = select(b.equals(0.0), math.inf, select(large, stirling, recurrence))
    sine, _ = _sin_over_pi(a)
    reflected = -log(fabs(sine)) - result
    result = select(sign < 0.0, reflected, result)
    return select(a < math.inf, result, a).to(x.type)


def digamma(x):
    """The derivative of log(gamma(x)).

    A polynomial gives it between 1 and 2.2, its recurrence for a unit on either side, and its
    asymptotic series above. For negative x it is digamma(1 - x) - pi cot(pi x), so near the zeros
    there only the absolute error is small.
    """
    wide = x.to("double")
    negative = wide < 0.0
    b = select(negative, 1.0 - wide, wide)
    low, high = b < 1.0, b > 2.2
    near = select(low, b + 1.0, select(high, b - 1.0, b))
    zero, missing = _DIGAMMA_ZERO
    d, t = near - zero, near - 1.6
    rest = fma(d * t, poly(t, _DIGAMMA[1:]), -missing * _DIGAMMA_SLOPE)
    polynomial = fma(d, _DIGAMMA[0], rest)
    passed = select(low, b, select(b > 3.2, b, near))
    inverse = 1.0 / passed
    inverse_low = fma(-inverse, passed, 1.0) * inverse
    change = select(low, -1.0, select(high, near.like(1.0), 0.0))
    result = fma(change, inverse, fma(change, inverse_low, polynomial))
    square = inverse * inverse
    head, tail = log_pair(*log_split(b))
    series = head + (tail + fma(inverse, -0.5, square * poly(square, _DIGAMMA_LARGE)))
    result = select(b > 3.2, series, result)
    sine, f = _sin_over_pi(wide)
    cosine = (1.0 - 2.0 * fabs(f)) * (1.0 + 2.0 * fabs(f)) * poly(f * f, _COS_PI)
    reflected = select(f.equals(0.0), math.nan, result - cosine / sine)
    result = select(negative, reflected, result)
    result = select(fabs(wide) < 2.0**-60, -1.0 / wide, result)
    return select(wide < math.inf, result, wide).to(x.type)


FUNCTIONS = {"digamma": digamma, "lgamma": lgamma}
