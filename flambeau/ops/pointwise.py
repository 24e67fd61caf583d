"""Functions of one element at a time that are written with others: bounds, blends, choices."""

import math

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from .api import METHODS, cast_to, elementwise, function, require_tensors
from .core import Elementwise, composite, result_dtype
from .precision import narrow, require_floating, widen

__all__ = ["clamp", "common_dtype", "copysign", "lerp", "nan_to_num", "square", "xlogy"]


def described(x):
    """What promotion looks at: a tensor's meta, or the type of a number."""
    return x._meta if isinstance(x, Tensor) else type(x)


def common_dtype(*operands):
    """The dtype that tensors and numbers promote to."""
    return result_dtype([described(x) for x in operands])


# Bounds


@composite(name="clamp")
def _clamp(x, low, high):
    if low is not None:
        x = ew.maximum(x, low)
    return x if high is None else ew.minimum(x, high)


@_clamp.vjp
def _(g, out, x, low, high):
    inside, by_low, by_high = None, None, None
    if low is not None:
        inside = ew.ge(x, low)
        by_low = ew.lt(x, low)
        if high is not None:
            by_low = ew.logical_and(by_low, ew.lt(low, high))
        by_low = ew.where(by_low, g, 0)
    if high is not None:
        below = ew.le(x, high)
        inside = below if inside is None else ew.logical_and(inside, below)
        by_high = ew.gt(x, high)
        if low is not None:
            by_high = ew.logical_or(by_high, ew.ge(low, high))
        by_high = ew.where(by_high, g, 0)
    return ew.where(inside, g, 0), by_low, by_high


@function(inplace_too=True, aliases=("clip",))
def clamp(input, min=None, max=None):
    """`input` cut to [min, max], numbers or tensors that broadcast; `max` wins where they cross.

    Raises: RuntimeError without any bound, or for complex numbers.

    >>> import flambeau as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if input._meta.dtype.is_complex:
        raise RuntimeError("clamp is not supported for complex types")
    return _clamp(input, min, max)


@function(inplace_too=True)
def clamp_min(input, min):
    """The larger of `input` and `min`; NaN stays."""
    return clamp(input, min=min)


@function(inplace_too=True)
def clamp_max(input, max):
    """The smaller of `input` and `max`; NaN stays."""
    return clamp(input, max=max)


# Blends


@composite(name="lerp")
def _lerp(a, b, weight):
    step = b - a
    near = ew.abs(weight) < 0.5
    return ew.where(near, a + weight * step, b - step * (1 - weight))


@_lerp.vjp
def _(g, out, a, b, weight):
    kept = 1 - weight
    return g * ew.conj(kept), g * ew.conj(weight), g * ew.conj(b - a)


@function(inplace_too=True)
def lerp(input, end, weight):
    """input + weight * (end - input), exact at both ends. All have one dtype."""
    operands = [input, end] + ([weight] if isinstance(weight, Tensor) else [])
    for x in operands:
        if x._meta.dtype is not input._meta.dtype:
            raise RuntimeError(
                f"expected dtype {input._meta.dtype} for `end` and `weight`, but got dtype "
                f"{x._meta.dtype}"
            )
    require_floating("lerp", input)
    return _lerp(input, end, weight)


@composite(name="addcmul")
def _addcmul(x, a, b, value):
    return x + value * (a * b)


@_addcmul.vjp
def _(g, out, x, a, b, value):
    scaled = g * ew.conj(value)
    return g, scaled * ew.conj(b), scaled * ew.conj(a), None


@function(inplace_too=True)
def addcmul(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 * tensor2."""
    kind = common_dtype(input, tensor1, tensor2)
    return _addcmul(input, tensor1, tensor2, _number(value, kind, "addcmul"))


@composite(name="addcdiv")
def _addcdiv(x, a, b, value):
    return x + value * (a / b)


@_addcdiv.vjp
def _(g, out, x, a, b, value):
    by_a = g * ew.conj(value) / ew.conj(b)
    return g, by_a, -by_a * ew.conj(a / b), None


@function(inplace_too=True)
def addcdiv(input, tensor1, tensor2, *, value=1):
    """input + value * tensor1 / tensor2. Raises RuntimeError if both are integers."""
    if common_dtype(tensor1, tensor2).category < dtypes.FLOAT:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future release addcdiv "
            "will perform a true division of tensor1 and tensor2."
        )
    kind = common_dtype(input, tensor1, tensor2)
    return _addcdiv(input, tensor1, tensor2, _number(value, kind, "addcdiv"))


def _number(value, kind, name):
    """A factor that must not change the dtype of the result."""
    if isinstance(value, Tensor):
        value = value.item()
    if dtypes.of_scalar(type(value)).category > kind.category:
        raise RuntimeError(
            f"{name}: value cannot be converted to type {kind.name} without overflow"
        )
    return value


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


def _floated(x):
    """An operand as it enters a function whose results are floats: integers become floats."""
    if isinstance(x, Tensor) and x._meta.dtype.category < dtypes.FLOAT:
        return cast_to(x, dtypes.get_default_dtype())
    return x


@function(inplace_too=True)
def xlogy(input, other):
    """input * log(other), which is 0 where `input` is."""
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        require_tensors("xlogy", input)
    return _xlogy(_floated(input), _floated(other))


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


@function
def logaddexp(input, other):
    """log(exp(input) + exp(other)), without overflow."""
    require_tensors("logaddexp", input, other)
    return _logaddexp(input, other, base="e")


@function
def logaddexp2(input, other):
    """log2(2**input + 2**other), without overflow."""
    require_tensors("logaddexp2", input, other)
    return _logaddexp(input, other, base="2")


@composite(name="ldexp")
def _ldexp(x, power):
    return x * ew.pow(2.0, power)


@function(inplace_too=True)
def ldexp(input, other):
    """input * 2**other."""
    require_tensors("ldexp", input, other)
    return _ldexp(input, other)


# Signs, parts, rounding


copysign_op = Elementwise("copysign", np.copysign, "float", loops=False)
copysign_op.vjp_rule = lambda g, out, a, b: (ew.where(ew.eq(a, 0), 0, g * ew.sgn(out / a)), None)
copysign = elementwise(copysign_op, arity=2, doc="The size of `input` with the sign of `other`.")

nextafter_op = Elementwise("nextafter", np.nextafter, loops=False)
nextafter_op.vjp_rule = lambda g, out, a, b: (ew.where(ew.ne(a, b), g, 0), g * 0)
nextafter = elementwise(
    nextafter_op, arity=2, tensors=2, doc="The next number from `input` to `other`."
)


def _signbit(x):
    return np.signbit(x) if x.dtype.kind == "f" else x < 0


signbit = elementwise(
    Elementwise("signbit", _signbit, "bool", loops=False, refuse=("complex64", "complex128")),
    inplace_too=False,
    doc="Whether the sign is negative, as that of -0.0 is.",
)


@function(inplace_too=True)
def frac(input):
    """What is behind the point: input - trunc(input)."""
    require_floating("frac", input)
    return input - ew.trunc(input)


@composite(name="heaviside")
def _heaviside(x, values):
    step = cast_to(ew.gt(x, 0), x._meta.dtype)
    if x._meta.dtype.category == dtypes.FLOAT:
        step = ew.where(ew.isnan(x), x, step)
    return ew.where(ew.eq(x, 0), values, step)


_heaviside.differentiable = False


@function(inplace_too=True)
def heaviside(input, values):
    """0 below zero, 1 above and `values` at zero. Both have one dtype."""
    if input._meta.dtype is not values._meta.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return _heaviside(input, values)


@composite(name="nan_to_num")
def _nan_to_num(x, nan, posinf, neginf):
    x = ew.where(ew.isnan(x), nan, x)
    x = ew.where(ew.eq(x, math.inf), posinf, x)
    return ew.where(ew.eq(x, -math.inf), neginf, x)


@_nan_to_num.vjp
def _(g, out, x, nan, posinf, neginf):
    return ew.where(ew.isfinite(x), g, 0), None, None, None


@function(inplace_too=True)
def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """NaN and infinities replaced: by 0, the largest and the smallest number unless told."""
    kind = input._meta.dtype
    if kind.category < dtypes.FLOAT:
        return input.clone()
    limits = dtypes.finfo(kind)
    nan = 0.0 if nan is None else float(nan)
    posinf = limits.max if posinf is None else float(posinf)
    neginf = limits.min if neginf is None else float(neginf)
    if kind.is_complex:
        parts = [_nan_to_num(part, nan, posinf, neginf) for part in (input.real, input.imag)]
        return parts[0] + parts[1] * 1j
    return _nan_to_num(input, nan, posinf, neginf)


@function(inplace_too=True)
def deg2rad(input):
    """Degrees as radians."""
    return _floated(input) * (math.pi / 180)


@function(inplace_too=True)
def rad2deg(input):
    """Radians as degrees."""
    return _floated(input) * (180 / math.pi)


@function(out=False)
def positive(input):
    """`input` itself. Raises RuntimeError for bools."""
    if input._meta.dtype is dtypes.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


# Choices


def _ignoring_nan(name, pick, doc):
    @composite(name=name)
    def op(a, b):
        better = pick(a, b)
        return ew.where(ew.isnan(a), b, ew.where(ew.isnan(b), a, better))

    @op.vjp
    def _(g, out, a, b):
        first = ew.ge(a, b) if name == "fmax" else ew.le(a, b)
        first = ew.logical_or(first, ew.isnan(b))
        return ew.where(first, g, 0), ew.where(first, 0, g)

    def f(input, other):
        require_tensors(name, input, other)
        return op(input, other)

    f.__name__, f.__doc__ = name, doc
    return function(f)


fmax = _ignoring_nan("fmax", ew.maximum, "The larger of two; where one is NaN, the other.")
fmin = _ignoring_nan("fmin", ew.minimum, "The smaller of two; where one is NaN, the other.")


# Integers


def _integers(name, fn, doc):
    refuse = ("bool", *(d.name for d in dtypes.ALL if d.category >= dtypes.FLOAT))
    op = Elementwise(name, fn, loops=False, refuse=refuse)
    op.differentiable = False
    return elementwise(op, arity=2, tensors=2, doc=doc)


gcd = _integers("gcd", np.gcd, "The greatest common divisor, which is not negative.")
lcm = _integers("lcm", np.lcm, "The least common multiple, which is not negative.")


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
    return _sinc(_floated(input))


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
    return _logit(_floated(input), eps)
