"""Functions of scalars, mapped over tensors: arithmetic, comparison, elementary functions."""

import math

import numpy as np

from .. import dtypes
from ..formats import strided
from ..recorder.handle import Meta, Tensor, intern
from ..recorder.record import NUMBERS, record
from . import api, integers, reference
from .api import FUNCTIONS, METHODS, elementwise, function, require_tensors
from .core import COMPLEX, Elementwise, Op, composite, result_dtype
from .strides import layout_like

__all__ = ["cast"]

# Arithmetic


def _mul_vjp(g, out, a, b):
    return g * conj(b), g * conj(a)


def _div_vjp(g, out, a, b):
    gb = g / conj(b)
    return gb, -gb * conj(out)


def _pow_vjp(g, out, a, b):
    by_base = g * conj(b * a ** (b - 1))
    by_exponent = g * conj(where(eq(a, 0), out * 0, out * log(a)))
    return where(eq(b, 0), by_base * 0, by_base), by_exponent


def conj(x):
    """The complex conjugate; a real operand itself."""
    meta = getattr(x, "_meta", None)
    if meta is None:
        return x.conjugate() if isinstance(x, complex) else x
    return conj_op(x) if meta.dtype.is_complex else x


add_op = Elementwise("add", np.add, vjp=lambda g, out, a, b: (g, g))


class _Subtraction(Elementwise):
    """Not defined for bool tensors, whatever the other operand."""

    def dtypes_for(self, operands):
        if any(isinstance(x, Meta) and x.dtype is dtypes.bool_ for x in operands):
            raise RuntimeError(
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are "
                "trying to invert a mask, use the `~` or `logical_not()` operator instead."
            )
        return super().dtypes_for(operands)


sub_op = _Subtraction("sub", np.subtract, vjp=lambda g, out, a, b: (g, -g), refuse=("bool",))
mul_op = Elementwise("mul", np.multiply, vjp=_mul_vjp)
mul_op.for_limited = "all"
div_op = Elementwise("div", np.true_divide, "float", vjp=_div_vjp)
pow_op = Elementwise("pow", integers.power, vjp=_pow_vjp)
neg_op = Elementwise("neg", np.negative, vjp=lambda g, out, a: -g, refuse=("bool",))
conj_op = Elementwise("conj_physical", np.conj, vjp=lambda g, out, a: conj(g))


def _no_slope(g, out, a, b):
    return g * 0, g * 0


floor_divide_op = Elementwise("floor_divide", integers.floor_divide, vjp=_no_slope, refuse=COMPLEX)
trunc_divide_op = Elementwise("trunc_divide", integers.trunc_divide, vjp=_no_slope, refuse=COMPLEX)
remainder_op = Elementwise(
    "remainder",
    integers.remainder,
    vjp=lambda g, out, a, b: (g, -g * floor_divide(a, b)),
    refuse=("bool", *COMPLEX),
)
fmod_op = Elementwise(
    "fmod",
    integers.fmod,
    vjp=lambda g, out, a, b: (g, -g * trunc(a / b)),
    refuse=("bool", *COMPLEX),
)

add_quick = elementwise(add_op, arity=2, names=("_add",), methods=False)
sub_quick = elementwise(sub_op, arity=2, names=("_sub",), methods=False)
mul = elementwise(mul_op, arity=2, tensors=0, doc="input * other.", names=("mul", "multiply"))
div_quick = elementwise(div_op, arity=2, names=("_div",), methods=False)
pow_quick = api.binary(pow_op)
neg = elementwise(neg_op, doc="-input.", names=("neg", "negative"))
remainder = elementwise(
    remainder_op, arity=2, tensors=0, doc="input - floor(input / other) * other."
)
fmod = elementwise(fmod_op, arity=2, doc="The remainder with the sign of `input`.")
floor_divide = elementwise(floor_divide_op, arity=2, tensors=0, doc="floor(input / other).")


@composite(derivative="MulBackward0")
def times_number(x, factor):
    """x * factor; a second backward pass needs nothing that the first one frees."""
    return x * factor


@times_number.vjp
def _(g, out, x, factor):
    return times_number(g, conj(factor)), None


def _first_operand(name, input, other):
    """`input`, a tensor or a number; a number as a tensor if `other` is none."""
    if type(input) in NUMBERS:
        return input if isinstance(other, Tensor) else FUNCTIONS["as_tensor"](input)
    require_tensors(name, input)
    return input


def _scaled(input, other, alpha):
    """alpha * other. Raises RuntimeError for an alpha of a higher kind than both operands."""
    if alpha == 1:
        return other
    if isinstance(other, Tensor) and other.layout is not strided:
        return mul(other, alpha)
    kind = result_dtype([getattr(x, "_meta", type(x)) for x in (input, other)])
    wanted = dtypes.of_scalar(type(alpha)).category
    if isinstance(alpha, (float, complex)) and wanted > kind.category:
        raise RuntimeError(
            f"For {kind.name} tensors, argument alpha must not be a {type(alpha).__name__} number."
        )
    alpha = bool(alpha) if kind is dtypes.bool_ else alpha
    return (
        times_number(api.cast_to(other, kind), alpha) if hasattr(other, "_meta") else other * alpha
    )


@function(inplace_too=True)
def add(input, other, *, alpha=1):
    """input + alpha * other."""
    input = _first_operand("add", input, other)
    return add_quick(input, _scaled(input, other, alpha))


@function(inplace_too=True, aliases=("subtract",))
def sub(input, other, *, alpha=1):
    """input - alpha * other."""
    input = _first_operand("sub", input, other)
    return sub_quick(input, _scaled(input, other, alpha))


@function(inplace_too=True)
def rsub(input, other, *, alpha=1):
    """other - alpha * input."""
    require_tensors("rsub", input)
    return sub_quick(other, _scaled(other, input, alpha))


@function(inplace_too=True, aliases=("divide",))
def div(input, other, *, rounding_mode=None):
    """input / other, rounded towards zero ("trunc") or down ("floor") if asked for."""
    input = _first_operand("div", input, other)
    if rounding_mode is None:
        return div_quick(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return record(trunc_divide_op, (input, other))
    raise RuntimeError(
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


@function(inplace_too=True)
def true_divide(input, other):
    """input / other."""
    input = _first_operand("true_divide", input, other)
    return div_quick(input, other)


@composite(name="pow")
def _static_power(x, *, exponent):
    """x ** n for an exponent that is part of the program."""
    if exponent == 0.5:
        return sqrt(x)
    if exponent < 0:
        return rsqrt(x) if exponent == -0.5 else reciprocal(x)
    result, base, n = None, x, int(exponent)
    while n:
        if n & 1:
            result = base if result is None else result * base
        n >>= 1
        if n:
            base = base * base
    return result * 1 if result is x else result


@_static_power.vjp
def _(g, out, x, *, exponent):
    return g * conj(pow(x, exponent - 1) * exponent)


@function(inplace_too=True)
def pow(input, exponent):
    """input ** exponent; small exponents become multiplications."""
    kind = exponent.__class__
    if not isinstance(input, Tensor) and not isinstance(exponent, Tensor):
        require_tensors("pow", input)
    if (kind is float or kind is int) and hasattr(input, "_meta"):
        floating = input._meta.dtype.category >= dtypes.FLOAT
        if floating and exponent in (0.5, 1, 2, 3, 4, -1, -0.5):
            return _static_power(input, exponent=float(exponent))
        if kind is int and exponent in (2, 3) and input._meta.dtype.name != "bool":
            return _static_power(input, exponent=exponent)
        if not floating and kind is int and exponent < 0 and input._meta.dtype.name != "bool":
            raise RuntimeError("Integers to negative integer powers are not allowed.")
    return pow_quick(input, exponent)


# Comparison and logic


def _compare(name, fn, names=None, tensors=1, refuse=(), for_limited=None):
    op = Elementwise(name, fn, "bool", refuse=refuse)
    op.for_limited = for_limited
    doc = f"Where input `{name}` other holds, as bool."
    return elementwise(op, arity=2, names=names, tensors=tensors, doc=doc)


eq = _compare("eq", np.equal, for_limited="all")
ne = _compare("ne", np.not_equal, ("ne", "not_equal"), for_limited="all")
lt = _compare("lt", np.less, ("lt", "less"), refuse=COMPLEX)
le = _compare("le", np.less_equal, ("le", "less_equal"), refuse=COMPLEX)
gt = _compare("gt", np.greater, ("gt", "greater"), refuse=COMPLEX)
ge = _compare("ge", np.greater_equal, ("ge", "greater_equal"), refuse=COMPLEX)
logical_and = _compare("logical_and", np.logical_and, tensors=2)
logical_or = _compare("logical_or", np.logical_or, tensors=2)
logical_xor = _compare("logical_xor", np.logical_xor, tensors=2)
logical_not = elementwise(
    Elementwise("logical_not", np.logical_not, "bool"), doc="True where input is zero."
)
isnan_op = Elementwise("isnan", np.isnan, "bool")
isnan_op.for_limited = "all"
isnan = elementwise(isnan_op, inplace_too=False, doc="Is it NaN?")
isinf = elementwise(
    Elementwise("isinf", np.isinf, "bool"), inplace_too=False, doc="Is it infinite?"
)
isfinite = elementwise(
    Elementwise("isfinite", np.isfinite, "bool"), inplace_too=False, doc="Is it finite?"
)

_FLOATS = tuple(d.name for d in dtypes.ALL if d.category >= dtypes.FLOAT)


def _bitwise(name, fn, arity=2, refuse=_FLOATS):
    op = Elementwise(name, fn, refuse=refuse)
    op.differentiable = False
    op.for_limited = "integers" if arity == 2 and "shift" not in name else None
    doc = f"The {name.replace('_', ' ')} of integers or bools."
    return elementwise(op, arity=arity, tensors=0, doc=doc)


bitwise_and = _bitwise("bitwise_and", np.bitwise_and)
bitwise_or = _bitwise("bitwise_or", np.bitwise_or)
bitwise_xor = _bitwise("bitwise_xor", np.bitwise_xor)
bitwise_not = _bitwise("bitwise_not", np.invert, arity=1)
bitwise_left_shift = _bitwise(
    "bitwise_left_shift", lambda a, b: np.left_shift(a, b), refuse=(*_FLOATS, "bool")
)
bitwise_right_shift = _bitwise(
    "bitwise_right_shift", lambda a, b: np.right_shift(a, b), refuse=(*_FLOATS, "bool")
)

# Choice


def _where_vjp(g, out, condition, a, b):
    return None, where(condition, g, 0), where(condition, 0, g)


where_op = Elementwise("where", np.where, vjp=_where_vjp)
where_op.for_limited = "all"


def where(condition, input=None, other=None):
    """`input` where `condition` is true, `other` elsewhere; all three broadcast.

    With the condition alone: the indices of its true elements, as `nonzero(as_tuple=True)`.
    """
    if input is None and other is None:
        return FUNCTIONS["nonzero"](condition, as_tuple=True)
    meta = getattr(condition, "_meta", None)
    if meta is not None and meta.dtype not in (dtypes.bool_, dtypes.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{meta.dtype}"
        )
    return record(where_op, (condition, input, other))


function(where, methods=False)
METHODS["where"] = lambda self, condition, other: where(condition, self, other)


def _pick_vjp(better):
    def vjp(g, out, a, b):
        half = where(eq(a, b), g / 2, 0)
        return where(better(a, b), g, half), where(better(b, a), g, half)

    return vjp


maximum = elementwise(
    Elementwise("maximum", np.maximum, vjp=_pick_vjp(gt), refuse=COMPLEX),
    arity=2,
    tensors=2,
    inplace_too=False,
    doc="The larger of two; NaN if either is.",
)
minimum = elementwise(
    Elementwise("minimum", np.minimum, vjp=_pick_vjp(lt), refuse=COMPLEX),
    arity=2,
    tensors=2,
    inplace_too=False,
    doc="The smaller of two; NaN if either is.",
)

# Elementary functions of one number


def _function(name, fn, vjp=None, promotion="float", names=None, **options):
    op = Elementwise(name, fn, promotion, vjp=vjp, **options)
    return elementwise(op, names=names, doc=f"{name} of each element.")


exp = _function("exp", np.exp, lambda g, out, x: g * conj(out))
exp2 = _function("exp2", np.exp2, lambda g, out, x: g * conj(out) * math.log(2))
expm1 = _function("expm1", np.expm1, lambda g, out, x: g * conj(out + 1))
log = _function("log", np.log, lambda g, out, x: g / conj(x))
log2 = _function("log2", np.log2, lambda g, out, x: g / conj(x * math.log(2)))
log10 = _function("log10", np.log10, lambda g, out, x: g / conj(x * math.log(10)))
log1p = _function("log1p", np.log1p, lambda g, out, x: g / conj(x + 1))
sqrt = _function("sqrt", np.sqrt, lambda g, out, x: g / conj(out * 2))
rsqrt = _function(
    "rsqrt", lambda x: (1 / np.sqrt(x)).astype(x.dtype), lambda g, out, x: g * conj(out**3) * -0.5
)
reciprocal = _function(
    "reciprocal", lambda x: (1 / x).astype(x.dtype), lambda g, out, x: -g * conj(out * out)
)
sin = _function("sin", np.sin, lambda g, out, x: g * conj(cos(x)))
cos = _function("cos", np.cos, lambda g, out, x: -g * conj(sin(x)))
tan = _function("tan", np.tan, lambda g, out, x: g * conj(out * out + 1))
asin = _function(
    "asin", np.arcsin, lambda g, out, x: g * conj(rsqrt(1 - x * x)), names=("asin", "arcsin")
)
acos = _function(
    "acos", np.arccos, lambda g, out, x: -g * conj(rsqrt(1 - x * x)), names=("acos", "arccos")
)
atan = _function("atan", np.arctan, lambda g, out, x: g / conj(x * x + 1), names=("atan", "arctan"))
sinh = _function("sinh", np.sinh, lambda g, out, x: g * conj(cosh(x)))
cosh = _function("cosh", np.cosh, lambda g, out, x: g * conj(sinh(x)))
tanh = _function("tanh", np.tanh, lambda g, out, x: g * conj(1 - out * out))
asinh = _function(
    "asinh", np.arcsinh, lambda g, out, x: g * conj(rsqrt(x * x + 1)), names=("asinh", "arcsinh")
)
acosh = _function(
    "acosh", np.arccosh, lambda g, out, x: g * conj(rsqrt(x * x - 1)), names=("acosh", "arccosh")
)
atanh = _function(
    "atanh", np.arctanh, lambda g, out, x: g / conj(1 - x * x), names=("atanh", "arctanh")
)


def _sigmoid(x):
    z = np.exp(-np.abs(x.real)) if x.dtype.kind != "c" else None
    if z is None:
        return 1 / (1 + np.exp(-x))
    return (np.where(x >= 0, 1, z) / (1 + z)).astype(x.dtype)


sigmoid = _function(
    "sigmoid", _sigmoid, lambda g, out, x: g * conj(out * (1 - out)), names=("sigmoid", "expit")
)
FUNCTIONS.pop("expit")
METHODS.pop("expit")
METHODS.pop("expit_")


_TWO_OVER_ROOT_PI = 2 / math.sqrt(math.pi)
erf = _function("erf", reference.erf, lambda g, out, x: g * _TWO_OVER_ROOT_PI * exp(-x * x))
erfc = _function("erfc", reference.erfc, lambda g, out, x: -g * _TWO_OVER_ROOT_PI * exp(-x * x))


def _step(name, fn, names=None):
    return _function(
        *(name, fn, lambda g, out, x: g * 0),
        promotion="default",
        names=names,
        refuse=("bool", *COMPLEX),
    )


def _keep_ints(fn):
    return lambda x: fn(x) if x.dtype.kind == "f" else x


floor = _step("floor", _keep_ints(np.floor))
ceil = _step("ceil", _keep_ints(np.ceil))
trunc = _step("trunc", _keep_ints(np.trunc), ("trunc", "fix"))
round_op = Elementwise(
    "round", _keep_ints(np.rint), vjp=lambda g, out, x: g * 0, refuse=("bool", *COMPLEX)
)


def _sign(x):
    return x if x.dtype == bool else (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype)


sign = _function("sign", _sign, lambda g, out, x: g * 0, promotion="default", refuse=COMPLEX)


@function(inplace_too=True)
def round(input, *, decimals=0):
    """The nearest integer, halves to even; `decimals` digits behind the point are kept."""
    if decimals == 0:
        return record(round_op, (input,))
    scale = 10.0 ** (decimals if decimals > 0 else -decimals)
    if decimals > 0:
        return record(round_op, (input * scale,)) / scale
    return record(round_op, (input / scale,)) * scale


abs_op = Elementwise("abs", np.abs, "real", vjp=lambda g, out, x: g * sgn(x), refuse=("bool",))
abs = elementwise(abs_op, doc="The absolute value.", names=("abs", "absolute"))


@function(inplace_too=True)
def sgn(input):
    """The sign; of a complex number z, z / |z|, or 0 for 0."""
    if not input._meta.dtype.is_complex:
        return sign(input)
    size = abs(input)
    return where(eq(size, 0), input * 0, input / size)


atan2_op = Elementwise(
    "atan2",
    np.arctan2,
    "float",
    vjp=lambda g, out, y, x: (g * x / (x * x + y * y), -g * y / (x * x + y * y)),
    refuse=COMPLEX,
)
atan2 = elementwise(
    atan2_op, arity=2, tensors=2, names=("atan2", "arctan2"), doc="The angle of (other, input)."
)

# Casts


class _Cast(Op):
    """Elements converted to `dtype`."""

    for_limited = "all"

    def infer(self, operands, attrs):
        (x,) = operands
        if not isinstance(x, Meta):
            return intern((), attrs["dtype"])
        return layout_like(x.shape, attrs["dtype"], (x,))

    def lower(self, build, inputs, operands, attrs, metas):
        """The cast node."""
        return build.cast(inputs[0], attrs["dtype"])

    @property
    def grad_name(self):
        return "ToCopyBackward0"


cast = api.cast_op = _Cast("to")
cast.vjp_rule = lambda g, out, x, dtype: g  # the caller casts it back

for _name in ("_add", "_sub", "_div"):
    FUNCTIONS.pop(_name)
