"""Activations that tensors have as methods, or the top level as functions."""

from ... import dtypes
from .. import elementwise as ew
from .. import pointwise as pw
from ..api import FUNCTIONS, METHODS, cast_to, function, in_place_method
from ..core import composite
from ..precision import narrow, require_floating, widen

__all__ = ["celu", "elu_op", "hardshrink", "prelu", "relu", "selu", "threshold"]

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _in_place(f):
    """Publish the in-place form of a function that is no method."""
    name = f.__name__ + "_"
    FUNCTIONS[name] = in_place_method(f, name)
    return f


@composite(name="relu")
def _relu(x):
    return ew.where(ew.le(x, 0), 0, x)


@_relu.vjp
def _(g, out, x):
    return (ew.where(ew.le(out, 0), 0, g),)


@function(inplace_too=True)
def relu(input):
    """max(0, x).

    >>> import flambeau as torch
    >>> torch.relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    if input._meta.dtype is dtypes.bool_:
        raise RuntimeError("Boolean inputs not supported for relu")
    return _relu(input)


FUNCTIONS["relu_"] = METHODS["relu_"]


@composite(name="prelu")
def _prelu(x, weight):
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    if weight._meta.dtype is not x._meta.dtype:
        raise RuntimeError(
            f"prelu: Type promoting not supported. Got {x._meta.dtype} and {weight._meta.dtype}"
        )
    count = weight._meta.numel
    if count != 1:
        channels = x.shape[1] if x.ndim > 1 else 1
        if count != channels:
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{count} and channel size = {channels}."
            )
    shape = (-1, *(1,) * (x.ndim - 2)) if x.ndim > 1 else (1,) * x.ndim
    return ew.where(ew.gt(x, 0), x, x * weight.reshape(shape))


@function(out=False)
def prelu(input, weight):
    """x where positive, weight * x elsewhere, with one weight or one per channel (dim 1).

    Raises: RuntimeError if the number of weights or their dtype does not fit.
    """
    return _prelu(input, weight)


@composite(name="hardshrink")
def _hardshrink(x, lambd):
    return ew.where(ew.logical_and(ew.ge(x, -lambd), ew.le(x, lambd)), 0, x)


@_hardshrink.vjp
def _(g, out, x, lambd):
    return ew.where(ew.logical_and(ew.ge(x, -lambd), ew.le(x, lambd)), 0, g), None


@function
def hardshrink(input, lambd=0.5):
    """0 where |x| is at most lambd, x elsewhere."""
    require_floating("hardshrink", input)
    return _hardshrink(input, lambd)


@composite(name="threshold")
def _threshold(x, threshold, value):
    return cast_to(ew.where(ew.le(x, threshold), value, x), x._meta.dtype)


@_in_place
@function(methods=False)
def threshold(input, threshold, value):
    """x where above the threshold, `value` elsewhere."""
    return _threshold(input, threshold, value)


@composite(name="elu")
def elu_op(x, alpha, scale, input_scale):
    """scale * x where positive, scale * alpha * (exp(input_scale * x) - 1) elsewhere."""
    require_floating("elu", x)
    wide = widen(x)
    # The minimum keeps exp from overflowing where its value is not used but its gradient would be.
    below = alpha * ew.expm1(pw.clamp(wide, max=0) * input_scale)
    return narrow(ew.where(ew.gt(wide, 0), wide, below) * scale, x)


@_in_place
@function(methods=False, out=False)
def selu(input):
    """scale * elu(x, alpha) with the constants of self-normalizing networks (arXiv:1706.02515)."""
    return elu_op(input, SELU_ALPHA, SELU_SCALE, 1.0)


@_in_place
@function(methods=False, out=False)
def celu(input, alpha=1.0):
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere. Raises RuntimeError for alpha 0."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu_op(input, alpha, 1.0, 1.0 / alpha)
