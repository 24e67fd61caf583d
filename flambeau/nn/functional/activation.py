"""Activations: functions of each element by itself, and `glu`."""

import math

import flambeau

from ...ops.composite import activation as ops
from ...ops.composite.activation import hardshrink, prelu
from ...ops.core import composite
from .common import narrow, require_floating, widen, write

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]

SQRT_HALF = math.sqrt(0.5)
TANH_GELU_SLOPE = math.sqrt(2 / math.pi)
TANH_GELU_CUBIC = 0.044715


def _finish(input, result, inplace):
    return write(input, result) if inplace else result


# Rectifiers.


def relu(input, inplace=False):
    """max(0, x)."""
    return _finish(input, input.relu(), inplace)


def relu_(input):
    """`relu` in place."""
    return relu(input, inplace=True)


@composite
def _hardtanh(x, low, high):
    return x.clamp(low, high).to(x.dtype)


@_hardtanh.vjp
def _(g, out, x, low, high):
    return flambeau.where((x > low) & (x < high), g, 0), None, None


def hardtanh(input, min_val=-1.0, max_val=1.0, inplace=False):
    """x cut to [min_val, max_val]. Raises ValueError if min_val is above max_val."""
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _finish(input, _hardtanh(input, min_val, max_val), inplace)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """`hardtanh` in place."""
    return hardtanh(input, min_val, max_val, inplace=True)


def relu6(input, inplace=False):
    """min(max(0, x), 6)."""
    return _finish(input, _hardtanh(input, 0, 6), inplace)


@composite
def _leaky_relu(x, negative_slope):
    require_floating("leaky_relu", x)
    return flambeau.where(x > 0, x, x * negative_slope)


def leaky_relu(input, negative_slope=0.01, inplace=False):
    """x where positive, negative_slope * x elsewhere."""
    return _finish(input, _leaky_relu(input, negative_slope), inplace)


def leaky_relu_(input, negative_slope=0.01):
    """`leaky_relu` in place."""
    return leaky_relu(input, negative_slope, inplace=True)


@composite
def _rrelu(x, noise):
    return flambeau.where(x > 0, x, x * noise)


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """`leaky_relu` whose slope is, in training, drawn from [lower, upper] for each element.

    Otherwise the slope is the middle. Raises RuntimeError if lower is above upper.
    """
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return leaky_relu(input, (lower + upper) / 2, inplace)
    noise = flambeau.empty_like(input).uniform_(lower, upper)
    return _finish(input, _rrelu(input, noise), inplace)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """`rrelu` in place."""
    return rrelu(input, lower, upper, training, inplace=True)


def threshold(input, threshold, value, inplace=False):
    """x where above the threshold, `value` elsewhere."""
    return _finish(input, ops.threshold(input, threshold, value), inplace)


def threshold_(input, threshold, value):
    """`threshold` in place."""
    return write(input, ops.threshold(input, threshold, value))


# Exponential units.


def elu(input, alpha=1.0, inplace=False):
    """x where positive, alpha * (exp(x) - 1) elsewhere."""
    return _finish(input, ops.elu_op(input, alpha, 1.0, 1.0), inplace)


def elu_(input, alpha=1.0):
    """`elu` in place."""
    return elu(input, alpha, inplace=True)


def selu(input, inplace=False):
    """scale * elu(x, alpha) with the constants of self-normalizing networks (arXiv:1706.02515)."""
    return _finish(input, ops.selu(input), inplace)


def selu_(input):
    """`selu` in place."""
    return selu(input, inplace=True)


def celu(input, alpha=1.0, inplace=False):
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere. Raises RuntimeError for alpha 0."""
    return _finish(input, ops.celu(input, alpha), inplace)


def celu_(input, alpha=1.0):
    """`celu` in place."""
    return celu(input, alpha, inplace=True)


# Smooth rectifiers.


@composite
def _gelu(x, *, approximate):
    require_floating("gelu", x)
    wide = widen(x)
    if approximate == "tanh":
        inner = TANH_GELU_SLOPE * (wide + TANH_GELU_CUBIC * wide * wide * wide)
        return narrow(0.5 * wide * (1 + inner.tanh()), x)
    return narrow(0.5 * wide * (1 + (wide * SQRT_HALF).erf()), x)


@_gelu.vjp
def _(g, out, x, *, approximate):
    wide = widen(x)
    if approximate == "tanh":
        square = wide * wide
        t = (TANH_GELU_SLOPE * (wide + TANH_GELU_CUBIC * square * wide)).tanh()
        slope = TANH_GELU_SLOPE * (1 + 3 * TANH_GELU_CUBIC * square)
        return (widen(g) * 0.5 * (1 + t + wide * (1 - t * t) * slope),)
    cdf = 0.5 * (1 + (wide * SQRT_HALF).erf())
    density = (wide * wide * -0.5).exp() * (1 / math.sqrt(2 * math.pi))
    return (widen(g) * (cdf + wide * density),)


def gelu(input, approximate="none"):
    """x * Phi(x), with the normal distribution's Phi, or its approximation by "tanh".

    Raises RuntimeError for another approximation.

    >>> import flambeau as torch
    >>> torch.nn.functional.gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _gelu(input, approximate=approximate)


@composite
def _silu(x):
    require_floating("silu", x)
    wide = widen(x)
    return narrow(wide * wide.sigmoid(), x)


@_silu.vjp
def _(g, out, x):
    wide = widen(x)
    s = wide.sigmoid()
    return (widen(g) * s * (1 + wide * (1 - s)),)


def silu(input, inplace=False):
    """x * sigmoid(x), also called swish."""
    return _finish(input, _silu(input), inplace)


@composite
def _mish(x):
    require_floating("mish", x)
    wide = widen(x)
    return narrow(wide * stable_softplus(wide).tanh(), x)


@_mish.vjp
def _(g, out, x):
    wide = widen(x)
    t = stable_softplus(wide).tanh()
    return (widen(g) * (t + wide * wide.sigmoid() * (1 - t * t)),)


def mish(input, inplace=False):
    """x * tanh(softplus(x))."""
    return _finish(input, _mish(input), inplace)


def stable_softplus(x):
    """log(1 + exp(x)) that neither overflows nor loses digits."""
    return x.clamp(min=0) + (-x.abs()).exp().log1p()


@composite
def _softplus(x, beta, threshold):
    require_floating("softplus", x)
    wide = widen(x)
    scaled = wide * beta
    return narrow(flambeau.where(scaled > threshold, wide, stable_softplus(scaled) / beta), x)


@_softplus.vjp
def _(g, out, x, beta, threshold):
    scaled = widen(x) * beta
    return flambeau.where(scaled > threshold, g, g * scaled.sigmoid()), None, None


def softplus(input, beta=1.0, threshold=20.0):
    """log(1 + exp(beta * x)) / beta, which is x where beta * x is above the threshold."""
    return _softplus(input, beta, threshold)


@composite
def _log_sigmoid(x):
    require_floating("logsigmoid", x)
    wide = widen(x)
    return narrow(-stable_softplus(-wide), x).contiguous()


@_log_sigmoid.vjp
def _(g, out, x):
    return (widen(g) * (-widen(x)).sigmoid(),)


def logsigmoid(input):
    """log(1 / (1 + exp(-x)))."""
    return _log_sigmoid(input)


# Sigmoids.


def sigmoid(input):
    """1 / (1 + exp(-x))."""
    return flambeau.sigmoid(input)


def tanh(input):
    """The hyperbolic tangent."""
    return flambeau.tanh(input)


@composite
def _hardsigmoid(x):
    require_floating("hardsigmoid", x)
    return (x + 3).clamp(0, 6) / 6


@_hardsigmoid.vjp
def _(g, out, x):
    return (flambeau.where((x > -3) & (x < 3), g / 6, 0),)


def hardsigmoid(input, inplace=False):
    """relu6(x + 3) / 6."""
    return _finish(input, _hardsigmoid(input), inplace)


@composite
def _hardswish(x):
    require_floating("hardswish", x)
    return x * (x + 3).clamp(0, 6) / 6


@_hardswish.vjp
def _(g, out, x):
    inside = flambeau.where(x < 3, g * (x / 3 + 0.5), g)
    return (flambeau.where(x <= -3, 0, inside),)


def hardswish(input, inplace=False):
    """x * relu6(x + 3) / 6."""
    return _finish(input, _hardswish(input), inplace)


@composite
def _softsign(x):
    return x / (1 + x.abs())


def softsign(input):
    """x / (1 + |x|)."""
    return _softsign(input)


# Shrinkage.


@composite
def _tanhshrink(x):
    return x - x.tanh()


def tanhshrink(input):
    """x - tanh(x)."""
    return _tanhshrink(input)


@composite
def _softshrink(x, lambd):
    require_floating("softshrink", x)
    # The product with 0 keeps NaN.
    inside = flambeau.where(x < -lambd, x + lambd, x * 0)
    return flambeau.where(x > lambd, x - lambd, inside)


def softshrink(input, lambd=0.5):
    """x moved towards 0 by lambd, at most to 0. Raises RuntimeError for a negative lambd."""
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}")
    return _softshrink(input, lambd)


# Gates.


@composite
def _glu(x, *, dim):
    if x.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    size = x.size(dim)
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    a, b = x.split(size // 2, dim) if size else (x, x)
    return a * b.sigmoid()


def glu(input, dim=-1):
    """a * sigmoid(b) for the two halves a and b along a dim.

    Raises RuntimeError if the size of the dim is odd.
    """
    return _glu(input, dim=dim)
