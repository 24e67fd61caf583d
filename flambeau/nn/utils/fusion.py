"""A layer and the batch normalisation after it as one layer, for models that are only used."""

import copy

import flambeau

from ...ops.core import composite
from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


@composite(multi=True)
def _fused(weight, bias, mean, var, eps, scale, shift, *, shape):
    factor = (var + eps).rsqrt() * scale
    return weight * factor.reshape(shape), (bias - mean) * factor + shift


def _fuse(weight, bias, mean, var, eps, scale, shift, shape):
    """(weight, bias) of the fused layer; the dim of `shape` that is -1 counts channels."""
    trained = (weight.requires_grad, bias is not None and bias.requires_grad)
    dtypes = (weight.dtype, weight.dtype if bias is None else bias.dtype)
    bias = flambeau.zeros_like(mean) if bias is None else bias
    scale = flambeau.ones_like(mean) if scale is None else scale
    shift = flambeau.zeros_like(mean) if shift is None else shift
    with flambeau.no_grad():
        fused = _fused(weight, bias, mean, var, float(eps), scale, shift, shape=shape)
    parts = zip(fused, dtypes, trained, strict=True)
    return tuple(Parameter(x.to(dtype), requires) for x, dtype, requires in parts)


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    r"""Weight and bias of a convolution followed by a batch normalisation, as those of one.

    .. math:: w' = w \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}, \quad
        b' = (b - \mu) \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} + \beta

    Args:
        conv_w, conv_b: weight and bias of the convolution; the bias may be None.
        bn_rm, bn_rv, bn_eps: running mean and variance, and epsilon.
        bn_w, bn_b: weight and bias of the normalisation; each may be None.
        transpose: whether the convolution is a transposed one.
    Returns: two parameters.
    """
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    return _fuse(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, tuple(shape))


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A convolution that does what `conv` and then `bn` do, both in evaluation mode.

    Args: transpose: whether `conv` is a transposed convolution.

    Raises AssertionError for modules in training mode, or without running statistics.

    >>> import flambeau as torch
    >>> conv, bn = torch.nn.Conv2d(3, 4, 2).eval(), torch.nn.BatchNorm2d(4).eval()
    >>> fused = torch.nn.utils.fuse_conv_bn_eval(conv, bn)
    >>> x = torch.randn(2, 3, 5, 5)
    >>> torch.allclose(fused(x), bn(conv(x)), atol=1e-6)
    True
    """
    fused = _copy_for_fusion(conv, bn)
    statistics = (bn.running_mean, bn.running_var, bn.eps)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, *statistics, bn.weight, bn.bias, transpose
    )
    return fused


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """Weight and bias of a linear layer followed by a batch normalisation, as those of one.

    The arguments are as those of `fuse_conv_bn_weights`. Returns: two parameters.
    """
    return _fuse(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, (-1, 1))


def fuse_linear_bn_eval(linear, bn):
    """A linear layer that does what `linear` and then `bn` do, both in evaluation mode.

    Raises AssertionError for modules in training mode, without running statistics, or of numbers
    of features that do not fit.
    """
    fused = _copy_for_fusion(linear, bn)
    if bn.num_features not in (linear.out_features, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={linear.out_features} and bn.num_features={bn.num_features}"
        )
    statistics = (bn.running_mean, bn.running_var, bn.eps)
    fused.weight, fused.bias = fuse_linear_bn_weights(
        fused.weight, fused.bias, *statistics, bn.weight, bn.bias
    )
    return fused


def _copy_for_fusion(layer, bn):
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return copy.deepcopy(layer)
