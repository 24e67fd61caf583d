"""Special functions: of the normal distribution, gamma and its relatives, Bessel, entropy.

What is written with other functions is computed in float64 and rounded once.
"""

import math

from .. import dtypes
from . import elementwise as ew
from . import reference
from .api import METHODS, binary, cast_to, elementwise, function, in_place_method, unary
from .core import Elementwise, composite
from .pointwise import common_dtype

__all__ = [
    "digamma",
    "entr",
    "erfcx",
    "erfinv",
    "i0e",
    "i1",
    "i1e",
    "lgamma",
    "log_ndtr",
    "mvlgamma",
    "ndtr",
    "ndtri",
    "polygamma",
    "xlog1py",
    "zeta",
]

LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)
ROOT_HALF = math.sqrt(0.5)
HALF_ROOT_PI = math.sqrt(math.pi) / 2


def _double(x):
    return cast_to(x, dtypes.float64)


def _result(x, *operands):
    """A result in the dtype that the operands promote to; of integers, the default dtype."""
    kind = common_dtype(*operands)
    return cast_to(x, kind if kind.category >= dtypes.FLOAT else dtypes.get_default_dtype())


def _unary(name, vjp):
    """Make a function of one float64 tensor an operation on tensors: a decorator."""

    def decorate(body):
        op = composite(name=name)(lambda x: _result(body(_double(x)), x))
        op.vjp_rule = vjp

        def f(input):
            if input._meta.dtype.is_complex:
                raise NotImplementedError(f'"{name}" not implemented for {input._meta.dtype}')
            return op(input)

        f.__name__, f.__doc__ = name.removeprefix("special_"), body.__doc__
        return f

    return decorate


def named(f, name, doc):
    """A quick function with its name and docstring."""
    f.__name__, f.__doc__ = name, doc
    return f


# The normal distribution


@function(inplace_too=True)
@_unary("erfinv", lambda g, out, x: g * HALF_ROOT_PI * ew.exp(out * out))
def erfinv(x):
    """The inverse of erf."""
    y = ew.abs(x)
    upper = _erf_inverse(y, 1 - y)
    return ew.where(ew.lt(x, 0), -upper, upper)


def _erf_inverse(y, w):
    """The x >= 0 with erf(x) = y and erfc(x) = w: an approximation, made better by Newton's method.

    Where w is small it is applied to log(erfc), whose slope is about -2x: this converges down to
    the smallest numbers.
    """
    log_w = ew.log(w)
    log_both = log_w + ew.log(2 - w)
    half = 2 / (math.pi * 0.147) + log_both / 2
    x = ew.sqrt(ew.sqrt(half * half - log_both / 0.147) - half)
    for _ in range(3):
        tail = ew.erfc(x)
        slope = ew.exp(-x * x) * (2 / math.sqrt(math.pi))
        near = ew.where(ew.lt(y, 0.5), y - ew.erf(x), tail - w) / slope
        far = (ew.log(tail) - log_w) * tail / slope
        x = x + ew.where(ew.gt(w, 0.1), near / (1 + x * near), far)
    return ew.where(ew.eq(w, 0), math.inf, x)


@_unary("special_ndtr", lambda g, out, x: g * _density(x))
def ndtr(x):
    """The normal distribution function."""
    return ew.erfc(x * -ROOT_HALF) * 0.5


def _density(x):
    return ew.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))


@_unary("special_ndtri", lambda g, out, x: g / _density(out))
def ndtri(p):
    """The inverse of the normal distribution function."""
    low = ew.le(p, 0.5)
    tail = ew.where(low, p, 1 - p) * 2
    x = _erf_inverse(1 - tail, tail) * math.sqrt(2)
    return ew.where(low, -x, x)


@_unary(
    "special_log_ndtr",
    lambda g, out, x: g * ew.exp(x * x * -0.5 - LOG_ROOT_TAU - out),
)
def log_ndtr(x):
    """The logarithm of the normal distribution function, exact far out too."""
    low = ew.minimum(x, -1.0)
    far = ew.log(erfcx(low * -ROOT_HALF) * 0.5) - low * low * 0.5
    near = ew.log1p(ew.erfc(ew.maximum(x, -1.0) * ROOT_HALF) * -0.5)
    return ew.where(ew.lt(x, -1), far, near)


erfcx_op = Elementwise("special_erfcx", reference.erfcx, "float", loops=False)
erfcx_op.vjp_rule = lambda g, out, x: g * (x * out * 2 - 2 / math.sqrt(math.pi))
erfcx = named(unary(erfcx_op), "erfcx", "exp(x**2) * erfc(x).")


# Gamma


def _series(z, coefficients):
    """(c0 + c1 / z^2 + c2 / z^4 + ...) / z."""
    inverse = 1 / (z * z)
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * inverse + c
    return total / z


def _stirling(x):
    """log(gamma(x)) for x >= 0.5, by Stirling's series behind 8."""
    product, z = 1.0, x
    for _ in range(8):
        near = ew.lt(z, 8)
        product = ew.where(near, z * product, product)
        z = ew.where(near, z + 1, z)
    series = _series(z, (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156))
    return (z - 0.5) * ew.log(z) - z + (series + LOG_ROOT_TAU) - ew.log(product)


@function(inplace_too=True)
@_unary("lgamma", lambda g, out, x: g * digamma(x))
def lgamma(x):
    """The logarithm of |gamma(x)|."""
    mirrored = ew.lt(x, 0.5)
    size = _stirling(ew.where(mirrored, 1 - x, x))
    sine = ew.abs(ew.sin((x - ew.round(x)) * math.pi))
    reflected = math.log(math.pi) - ew.log(sine) - size
    result = ew.where(mirrored, reflected, size)
    return ew.where(ew.isinf(x), math.inf, result)


@function(inplace_too=True)
@_unary("digamma", lambda g, out, x: g * polygamma(1, x))
def digamma(x):
    """The derivative of the logarithm of gamma."""
    mirrored = ew.lt(x, 0)
    z = ew.where(mirrored, 1 - x, x)
    total = 0.0
    for _ in range(10):
        near = ew.lt(z, 10)
        total = ew.where(near, total - 1 / z, total)
        z = ew.where(near, z + 1, z)
    terms = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    value = total + ew.log(z) - 0.5 / z - _series(z, terms) / z
    part = x - ew.round(x)
    reflected = value - math.pi / ew.tan(part * math.pi)
    value = ew.where(mirrored, ew.where(ew.eq(part, 0), math.nan, reflected), value)
    pole = ew.where(ew.lt(1 / x, 0), math.inf, -math.inf)
    return ew.where(ew.eq(x, 0), pole, value)


zeta_op = Elementwise("special_zeta", reference.zeta, "float", loops=False)


@zeta_op.vjp
def _(g, out, s, q):
    # By s there is no derivative, as in PyTorch.
    return None, g * -s * zeta_op(s + 1, q)


zeta = named(binary(zeta_op), "zeta", "The sum of (other + k)**-input over k >= 0.")


@composite(name="polygamma")
def _polygamma(x, *, n):
    sign = 1.0 if n % 2 else -1.0
    return _result(zeta_op(float(n + 1), _double(x)) * (sign * math.factorial(n)), x)


@_polygamma.vjp
def _(g, out, x, *, n):
    return g * _polygamma(x, n=n + 1)


def polygamma(n, input):
    """The n-th derivative of digamma."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return digamma(input) if n == 0 else _polygamma(input, n=int(n))


function(polygamma, methods=False)
METHODS["polygamma"] = lambda self, n: polygamma(n, self)
METHODS["polygamma_"] = in_place_method(METHODS["polygamma"], "polygamma_")


@composite(name="mvlgamma")
def _mvlgamma(x, *, p):
    wide = _double(x)
    total = 0.25 * p * (p - 1) * math.log(math.pi)
    for k in range(p):
        total = lgamma(wide - 0.5 * k) + total
    return _result(total, x)


@function(inplace_too=True)
def mvlgamma(input, p):
    """The logarithm of the gamma function of p dimensions."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return _mvlgamma(input, p=int(p))


def _incomplete(name, fn, sign, doc):
    op = Elementwise(name, fn, "float", loops=False)

    @op.vjp
    def _(g, out, a, x):
        density = ew.exp((a - 1) * ew.log(x) - x - lgamma(a))
        return None, g * density * sign

    return elementwise(op, arity=2, tensors=2, doc=doc)


igamma = _incomplete(
    "igamma", reference.gammainc, 1.0, "The share of gamma(input) below `other`; 1 at infinity."
)
igammac = _incomplete(
    "igammac", reference.gammaincc, -1.0, "The share of gamma(input) above `other`; 1 at 0."
)


# Bessel functions


def _bessel(name, fn, vjp):
    return Elementwise(name, fn, "float", loops=False, vjp=vjp)


def _i1_vjp(g, out, x):
    ratio = ew.where(ew.eq(x, 0), 0.5, out / x)
    return g * ew.where(ew.eq(x, 0), 0.5, i0(x) - ratio)


def _i1e_vjp(g, out, x):
    ratio = ew.where(ew.eq(x, 0), 0.5, out / x)
    return g * ew.where(ew.eq(x, 0), 0.5, i0e(x) - ew.sgn(x) * out - ratio)


def _i0e_vjp(g, out, x):
    return g * (i1e(x) - ew.sgn(x) * out)


_i0_op = _bessel("i0", reference.i0, lambda g, out, x: g * i1(x))
_i0e_op = _bessel("special_i0e", reference.i0e, _i0e_vjp)
_i1_op = _bessel("special_i1", reference.i1, _i1_vjp)
_i1e_op = _bessel("special_i1e", reference.i1e, _i1e_vjp)
i0 = elementwise(_i0_op, doc="The modified Bessel function of the first kind of order 0.")
i0e = named(unary(_i0e_op), "i0e", "exp(-|x|) * i0(x).")
i1 = named(unary(_i1_op), "i1", "The modified Bessel function of the first kind of order 1.")
i1e = named(unary(_i1e_op), "i1e", "exp(-|x|) * i1(x).")


# Entropy


@_unary("special_entr", lambda g, out, x: g * (-ew.log(x) - 1))
def entr(x):
    """-x log(x), 0 at 0 and negative infinity below."""
    value = ew.where(ew.lt(x, 0), -math.inf, -x * ew.log(x))
    return ew.where(ew.eq(x, 0), 0.0, value)


@composite(name="special_xlog1py")
def _xlog1py(x, y):
    product = x * ew.log1p(y)
    return ew.where(ew.logical_and(ew.eq(x, 0), ew.logical_not(ew.isnan(y))), 0, product)


@_xlog1py.vjp
def _(g, out, x, y):
    zero = ew.logical_and(ew.eq(x, 0), ew.le(y, -1))
    return g * ew.where(zero, 0, ew.log1p(y)), g * x / (y + 1)


def xlog1py(input, other):
    """input * log1p(other), which is 0 where `input` is."""
    kind = common_dtype(input, other)
    if kind.category < dtypes.FLOAT:
        input = _result(input, input) if hasattr(input, "_meta") else float(input)
        other = _result(other, other) if hasattr(other, "_meta") else float(other)
    return _xlog1py(input, other)
