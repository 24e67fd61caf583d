"""Powers, logarithms, and the functions near them that are written with others."""

import math

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from .api import METHODS, cast_to, function, require_tensors
from .core import composite
from .pointwise import clamp, common_dtype, floated
from .precision import narrow, widen

__all__ = ["float_power", "hypot", "ldexp", "logaddexp", "logit", "sinc", "square", "xlogy"]

# Powers, roots, logarithms


@function(inplace_too=True)
def square(input):
    """input * input."""
    if input._meta.dtype is dtypes.bool_:
        return cast_to(input, dtypes.int64)
    return ew.pow(input, 2)


@function(inplace_too=True)
def float_power(input, exponent):
    """`pow` computed in float64 or complex128, whatever the operands are."""
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        require_tensors("float_power", input)
    kind = common_dtype(input, exponent)
    wide = dtypes.complex128 if kind.is_complex else dtypes.float64
    base = cast_to(input, wide) if isinstance(input, Tensor) else input
    power = cast_to(exponent, wide) if isinstance(exponent, Tensor) else exponent
    if not isinstance(base, Tensor):
        base = complex(base) if wide.is_complex else float(base)
    elif not isinstance(power, Tensor):
        power = complex(power) if wide.is_complex else float(power)
    return ew.pow(base, power)


def _store_float_power(self, exponent):
    """In-place version of `float_power`. Raises RuntimeError unless the tensor is in float64."""
    result = float_power(self, exponent)
    if result._meta.dtype is not self._meta.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self._meta.dtype.name} but the operation's "
            f"result requires dtype {result._meta.dtype.name}"
        )
    return _in_place_float_power(self, exponent)


_in_place_float_power = METHODS["float_power_"]
METHODS["float_power_"] = _store_float_power


@composite(name="hypot")
def _hypot(a, b):
    a, b = ew.abs(a), ew.abs(b)
    large, small = ew.maximum(a, b), ew.minimum(a, b)
    ratio = small / ew.where(large == 0, 1.0, large)
    length = large * ew.sqrt(ratio * ratio + 1)
    endless = ew.logical_or(ew.isinf(a), ew.isinf(b))
    return ew.where(endless, math.inf, length)


@_hypot.vjp
def _(g, out, a, b):
    return g * (a / out), g * (b / out)


@function(inplace_too=True)
def hypot(input, other):
    """sqrt(input**2 + other**2), without overflow on the way."""
    require_tensors("hypot", input, other)
    if input._meta.dtype.category != dtypes.FLOAT:
        raise NotImplementedError(f'"hypot_cpu" not implemented for {input._meta.dtype}')
    return _hypot(input, other)


@composite(name="xlogy")
def _xlogy(x, y):
    product = x * ew.log(y)
    return ew.where(ew.logical_and(x == 0, ew.logical_not(ew.isnan(y))), 0, product)


@_xlogy.vjp
def _(g, out, x, y):
    zero = ew.logical_and(ew.eq(x, 0), ew.le(y, 0))
    return g * ew.where(zero, 0, ew.log(y)), g * x / y


@function(inplace_too=True)
def xlogy(input, other):
    """input * log(other), which is 0 where `input` is."""
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        require_tensors("xlogy", input)
    return _xlogy(floated(input), floated(other))


@composite(name="logaddexp")
def _logaddexp(a, b, *, base):
    if a._meta.dtype.is_complex or b._meta.dtype.is_complex:
        first = ew.ge(a.real, b.real)
        high, gap = ew.where(first, a, b), ew.where(first, b - a, a - b)
    else:
        high, gap = ew.maximum(a, b), -ew.abs(a - b)
    low = ew.log1p(ew.exp(gap)) if base == "e" else ew.log1p(ew.exp2(gap)) / math.log(2)
    same = ew.logical_and(ew.isinf(a), ew.eq(a, b))
    return ew.where(same, a, high + low)


@_logaddexp.vjp
def _(g, out, a, b, *, base):
    # The sigmoid is finite wherever the difference is defined, and 1/2 for equal operands.
    same = ew.logical_and(ew.isinf(a), ew.eq(a, b))
    gap = ew.where(same, 0.0, a - b) * (1.0 if base == "e" else math.log(2))
    return g * ew.conj(ew.sigmoid(gap)), g * ew.conj(ew.sigmoid(-gap))


def _require_floats(name, input, other):
    require_tensors(name, input, other)
    if all(x._meta.dtype.category < dtypes.FLOAT for x in (input, other)):
        raise NotImplementedError(f'"{name}" not implemented for {input._meta.dtype.name} tensors')


@function
def logaddexp(input, other):
    """log(exp(input) + exp(other)), without overflow."""
    _require_floats("logaddexp", input, other)
    return _logaddexp(input, other, base="e")


@function
def logaddexp2(input, other):
    """log2(2**input + 2**other), without overflow."""
    _require_floats("logaddexp2", input, other)
    return _logaddexp(input, other, base="2")


@composite(name="ldexp")
def _ldexp(x, power):
    return x * ew.pow(2.0, power)


@function(inplace_too=True)
def ldexp(input, other):
    """input * 2**other."""
    require_tensors("ldexp", input, other)
    return _ldexp(input, other)


# Sigmoids and their inverses


@composite(name="sinc")
def _sinc(x):
    scaled = widen(x) * math.pi
    return narrow(ew.where(ew.eq(x, 0), 1, ew.sin(scaled) / scaled), x)


@_sinc.vjp
def _(g, out, x):
    scaled = x * math.pi
    slope = (scaled * ew.cos(scaled) - ew.sin(scaled)) / (scaled * x)
    return g * ew.conj(ew.where(ew.eq(x, 0), 0, slope))


@function(inplace_too=True)
def sinc(input):
    """sin(pi x) / (pi x), which is 1 at 0."""
    return _sinc(floated(input))


@composite(name="logit")
def _logit(x, eps):
    wide = widen(x)
    if eps is not None:
        wide = clamp(wide, eps, 1 - eps)
    return narrow(ew.log(wide / (1 - wide)), x)


@_logit.vjp
def _(g, out, x, eps):
    slope = g / (x * (1 - x))
    if eps is None:
        inside = ew.logical_and(ew.ge(x, 0), ew.le(x, 1))
        return ew.where(inside, slope, math.nan), None
    inside = ew.logical_and(ew.ge(x, eps), ew.le(x, 1 - eps))
    return ew.where(inside, slope, 0), None


@function(inplace_too=True)
def logit(input, eps=None):
    """log(x / (1 - x)), of `input` cut to [eps, 1 - eps] if `eps` is given."""
    return _logit(floated(input), eps)
