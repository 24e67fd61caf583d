"""What PyTorch calls beneath `nn.functional`: the norms with their statistics, `convolution`."""

import flambeau

from ..ops.core import composite
from . import functional as F
from .functional import norm
from .functional.common import widen

__all__ = [
    "conv_tbc",
    "convolution",
    "native_batch_norm",
    "native_group_norm",
    "native_layer_norm",
]


def _statistics(x, dims, eps, kind):
    """The mean over dims and 1 / sqrt(variance + eps)."""
    _, mean, _, scale = norm.standardize(widen(x), dims, eps)
    return mean.to(kind), scale.to(kind)


def native_layer_norm(input, normalized_shape, weight, bias, eps):
    """(`nn.functional.layer_norm`, the mean, 1 / the deviation), these two of the last dims.

    >>> import flambeau as torch
    >>> torch.native_layer_norm(torch.tensor([[1.0, 3.0]]), [2], None, None, 0.0)[1:]
    (tensor([[2.]]), tensor([[1.]]))
    """
    out = F.layer_norm(input, normalized_shape, weight, bias, eps)
    dims = tuple(range(-len(normalized_shape), 0))
    kind = input.dtype if weight is None else weight.dtype
    with flambeau.no_grad():
        return out, *_statistics(input, dims, eps, kind)


@composite(multi=True)
def _native_group_norm(x, weight, bias, eps, *, groups):
    out = norm.group_norm_op(x, weight, bias, eps, groups=groups)
    kind = x.dtype if weight is None else weight.dtype
    grouped = x.reshape(x.shape[0], groups, x.shape[1] // groups * x.shape[2])
    mean, scale = _statistics(grouped, (2,), eps, kind)
    return out, mean.squeeze(2), scale.squeeze(2)


def native_group_norm(input, weight, bias, N, C, HxW, group, eps):
    """(`nn.functional.group_norm`, the mean, 1 / the deviation), these two of shape (N, group).

    The input has N * C * HxW elements. Raises RuntimeError where it has not.
    """
    if C % group or input.numel() != N * C * HxW:
        raise RuntimeError(
            f"native_group_norm(): an input of shape {list(input.shape)} does not hold {N} x {C} x "
            f"{HxW} elements in {group} groups"
        )
    out, *statistics = _native_group_norm(input.reshape(N, C, HxW), weight, bias, eps, groups=group)
    return out.reshape(input.shape), *statistics


def native_batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps):
    """(`nn.functional.batch_norm`, the mean, 1 / the deviation), these two of the channels.

    Outside of training they have no elements.
    """
    out = F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)
    kind = input.dtype if weight is None else weight.dtype
    if not training:
        return out, input.new_empty(0, dtype=kind), input.new_empty(0, dtype=kind)
    dims = (0, *range(2, input.dim()))
    with flambeau.no_grad():
        mean, scale = _statistics(input, dims, eps, kind)
    return out, mean.reshape(-1), scale.reshape(-1)


def convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """`nn.functional.conv2d` or `conv_transpose2d`, or those of as many dims as the weight has."""
    n = weight.dim() - 2
    if not 1 <= n <= 3:
        raise RuntimeError(f"convolution(): a weight of {weight.dim()} dims has no window")
    if transposed:
        transpose = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[n - 1]
        return transpose(input, weight, bias, stride, padding, output_padding, groups, dilation)
    forward = (F.conv1d, F.conv2d, F.conv3d)[n - 1]
    return forward(input, weight, bias, stride, padding, dilation, groups)


def conv_tbc(input, weight, bias, pad=0):
    """`nn.functional.conv1d` of (time, batch, channels) by a weight of (time, in, out).

    Raises RuntimeError if the dims do not fit.
    """
    if input.dim() != 3 or weight.dim() != 3 or bias.dim() != 1:
        raise RuntimeError("conv_tbc(): input and weight must have 3 dims, bias 1")
    out = F.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return out.permute(2, 0, 1).contiguous()
