"""Functions of one element at a time that are written with others: bounds, blends, choices."""

import math

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from .api import cast_to, elementwise, function, require_tensors
from .core import COMPLEX, Elementwise, composite, result_dtype
from .precision import require_floating

__all__ = ["clamp", "common_dtype", "copysign", "floated", "lerp", "nan_to_num"]


def described(x):
    """What promotion looks at: a tensor's meta, or the type of a number."""
    return x._meta if isinstance(x, Tensor) else type(x)


def common_dtype(*operands):
    """The dtype that tensors and numbers promote to."""
    return result_dtype([described(x) for x in operands])


def floated(x):
    """An operand as it enters a function whose results are floats: integers become floats."""
    if isinstance(x, Tensor) and x._meta.dtype.category < dtypes.FLOAT:
        return cast_to(x, dtypes.get_default_dtype())
    return x


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
        raise NotImplementedError("clamp is not supported for complex types")
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


# Signs, parts, rounding


_WITHOUT_FLOATS = tuple(d.name for d in dtypes.ALL if d.category != dtypes.FLOAT)

copysign_op = Elementwise("copysign", np.copysign, "float", loops=False, refuse=COMPLEX)
copysign_op.vjp_rule = lambda g, out, a, b: (ew.where(ew.eq(a, 0), 0, g * ew.sgn(out / a)), None)
copysign = elementwise(copysign_op, arity=2, doc="The size of `input` with the sign of `other`.")

nextafter_op = Elementwise("nextafter", np.nextafter, loops=False, refuse=_WITHOUT_FLOATS)
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
    return ew.times_number(floated(input), math.pi / 180)


@function(inplace_too=True)
def rad2deg(input):
    """Radians as degrees."""
    return ew.times_number(floated(input), 180 / math.pi)


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
