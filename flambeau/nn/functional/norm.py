"""Normalisation: over the last dims, over groups of channels, over the batch.

All but `rms_norm`, `normalize` and `local_response_norm` are (x - mean) / sqrt(var + eps) over
some dims, times a weight, plus a bias. `standardize` and `standardize_vjp` are that common core.
"""

import math

import flambeau

from ...ops.core import composite
from .common import narrow, widen

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "normalize",
    "rms_norm",
]


def standardize(x, dims, eps):
    """x less its mean over dims, by its deviation; the mean; the variance; 1 / the deviation."""
    mean = x.mean(dims, keepdim=True)
    centred = x - mean
    var = (centred * centred).mean(dims, keepdim=True)
    scale = (var + eps).rsqrt()
    return centred * scale, mean, var, scale


def standardize_vjp(g, normal, scale, dims):
    """The gradient through `standardize`, of its first result `normal`."""
    along = (g * normal).mean(dims, keepdim=True)
    return scale * (g - g.mean(dims, keepdim=True) - normal * along)


def _sum(x, dims):
    """The sum over dims, which may be none."""
    return x.sum(dims) if dims else x


def _affine(x, weight, bias):
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias


# Over the last dims.


def _check_normalized(x, shape, **parameters):
    if not shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, parameter in parameters.items():
        if parameter is None:
            continue
        if tuple(parameter.shape) != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(parameter.shape)} and normalized_shape = {list(shape)}"
            )
        if parameter.dtype not in (x.dtype, widen(x).dtype):
            raise RuntimeError(
                f"mixed dtype (CPU): expect {name} to have the input's dtype {x.dtype}, but it has "
                f"{parameter.dtype}"
            )
    if tuple(x.shape[-len(shape) :]) != shape:
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(x.shape)}"
        )


def _last_dims(shape):
    return tuple(range(-len(shape), 0))


@composite
def _layer_norm(x, weight, bias, eps, *, shape):
    _check_normalized(x, shape, weight=weight, bias=bias)
    normal = standardize(widen(x), _last_dims(shape), eps)[0]
    return narrow(_affine(normal, weight, bias), x).contiguous()


@_layer_norm.vjp
def _(g, out, x, weight, bias, eps, *, shape):
    dims = _last_dims(shape)
    rows = tuple(range(x.dim() - len(shape)))
    normal, _, _, scale = standardize(widen(x), dims, eps)
    g = widen(g)
    gx = standardize_vjp(g if weight is None else g * weight, normal, scale, dims)
    return gx, _sum(g * normal, rows), _sum(g, rows), None


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """(x - mean) / sqrt(var + eps) * weight + bias, over the last dims (arXiv:1607.06450).

    Args:
        normalized_shape: the sizes of these dims, a tuple.
        weight, bias: of that shape, or None.

    Raises RuntimeError if the input does not end in these sizes.
    """
    return _layer_norm(input, weight, bias, eps, shape=tuple(normalized_shape))


@composite
def _rms_norm(x, weight, eps, *, shape):
    _check_normalized(x, shape, weight=weight)
    wide = widen(x)
    scale = ((wide * wide).mean(_last_dims(shape), keepdim=True) + eps).rsqrt()
    return narrow(_affine(wide * scale, weight, None), x)


@_rms_norm.vjp
def _(g, out, x, weight, eps, *, shape):
    dims = _last_dims(shape)
    rows = tuple(range(x.dim() - len(shape)))
    wide, g = widen(x), widen(g)
    scale = ((wide * wide).mean(dims, keepdim=True) + eps).rsqrt()
    normal = (wide * scale).conj()
    scaled = g if weight is None else g * weight.conj()
    gx = scale.conj() * (scaled - normal * (scaled * normal).mean(dims, keepdim=True))
    return gx, _sum(g * normal, rows), None


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x * x) + eps) * weight, over the last dims (arXiv:1910.07467).

    Args:
        normalized_shape: the sizes of these dims, a tuple.
        weight: of that shape, or None.
        eps: by default the distance from 1 to the next number of the dtype of the computation,
            which is float32 for 16-bit inputs.

    Raises RuntimeError if the input does not end in these sizes.
    """
    if eps is None:
        double = input.dtype == flambeau.float64
        eps = flambeau.finfo(flambeau.float64 if double else flambeau.float32).eps
    return _rms_norm(input, weight, eps, shape=tuple(normalized_shape))


# Over groups of channels.


def _per_channel(parameter, x):
    """A vector over the channels, dim 1, shaped to broadcast against `x`."""
    return None if parameter is None else parameter.reshape(1, -1, *(1,) * (x.dim() - 2))


def _check_channels(x, **parameters):
    for name, parameter in parameters.items():
        if parameter is not None and tuple(parameter.shape) != (x.shape[1],):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(parameter.shape)} and input of shape "
                f"{list(x.shape)}"
            )


def _grouped_shape(x, groups):
    return x.shape[0], groups, x.shape[1] // groups * math.prod(x.shape[2:])


@composite(name="group_norm")
def group_norm_op(x, weight, bias, eps, *, groups):
    _check_channels(x, weight=weight, bias=bias)
    grouped = widen(x).reshape(_grouped_shape(x, groups))
    normal = standardize(grouped, (2,), eps)[0].reshape(x.shape)
    return narrow(_affine(normal, _per_channel(weight, x), _per_channel(bias, x)), x)


@group_norm_op.vjp
def _(g, out, x, weight, bias, eps, *, groups):
    others = (0, *range(2, x.dim()))
    shape = _grouped_shape(x, groups)
    grouped, _, _, scale = standardize(widen(x).reshape(shape), (2,), eps)
    normal, g = grouped.reshape(x.shape), widen(g)
    scaled = (g if weight is None else g * _per_channel(weight, x)).reshape(shape)
    gx = standardize_vjp(scaled, grouped, scale, (2,)).reshape(x.shape)
    return gx, (g * normal).sum(others), g.sum(others), None


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """(x - mean) / sqrt(var + eps) * weight + bias, over groups of channels (arXiv:1803.08494).

    Args:
        input: of shape (N, channels, *).
        num_groups: the number of groups, which divides the channels.
        weight, bias: of shape (channels), or None.

    Raises RuntimeError if the shapes do not fit, ValueError for one value per group.
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.dim()}"
        )
    if input.shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input.shape)} and num_groups={num_groups}"
        )
    if input.shape[0] * input.shape[1] // num_groups * math.prod(input.shape[2:]) == 1:
        _refuse_single_value(input)
    return group_norm_op(input, weight, bias, eps, groups=num_groups)


def _refuse_single_value(input):
    raise ValueError(
        f"Expected more than 1 value per channel when training, got input size {input.shape}"
    )


# Over the batch.


def _batch_dims(x):
    return (0, *range(2, x.dim()))


def _check_batch_norm(x, **vectors):
    if x.dim() < 2:
        raise IndexError(
            f"batch_norm(): input {list(x.shape)} must have at least 2 dims: batch and channels"
        )
    for name, vector in vectors.items():
        if vector is not None and vector.numel() != x.shape[1]:
            raise RuntimeError(
                f"{name} should contain {x.shape[1]} elements not {vector.numel()}; batch_norm() "
                f"got an input of shape {list(x.shape)}, whose dim 1 is the channels"
            )


@composite(multi=True)
def _batch_norm_training(x, weight, bias, eps):
    """(the result, the mean and the unbiased variance per channel)."""
    _check_batch_norm(x, weight=weight, bias=bias)
    dims = _batch_dims(x)
    normal, mean, var, _ = standardize(widen(x), dims, eps)
    out = narrow(_affine(normal, _per_channel(weight, x), _per_channel(bias, x)), x)
    count = x.numel() // max(x.shape[1], 1)
    unbiased = var * (count / max(count - 1, 1))
    return out, mean.reshape(-1), unbiased.reshape(-1)


@_batch_norm_training.vjp
def _(gs, outs, x, weight, bias, eps):
    dims = _batch_dims(x)
    normal, _, _, scale = standardize(widen(x), dims, eps)
    g = widen(gs[0])
    scaled = g if weight is None else g * _per_channel(weight, x)
    gx = standardize_vjp(scaled, normal, scale, dims)
    return gx, (g * normal).sum(dims), g.sum(dims), None


@composite(derivative="NativeBatchNormBackward0")
def _batch_norm_inference(x, mean, var, weight, bias, eps):
    _check_batch_norm(x, running_mean=mean, running_var=var, weight=weight, bias=bias)
    scale = (var + eps).rsqrt()
    if weight is not None:
        scale = scale * weight
    centred = widen(x) - _per_channel(mean, x)
    return narrow(_affine(centred, _per_channel(scale, x), _per_channel(bias, x)), x)


@composite
def _blend(running, new, momentum):
    return running * (1 - momentum) + new * momentum


def batch_norm(
    input,
    running_mean,
    running_var,
    weight=None,
    bias=None,
    training=False,
    momentum=0.1,
    eps=1e-05,
):
    """(x - mean) / sqrt(var + eps) * weight + bias, per channel (arXiv:1502.03167).

    Args:
        input: of shape (N, channels, *).
        running_mean, running_var: the statistics that are used outside of training; in training
            those of the batch are used, and blended into these in place. May be None in training.
        weight, bias: of shape (channels), or None.
        momentum: the share of the batch in the running statistics.

    Raises ValueError for one value per channel in training, or an eps that is not positive,
    RuntimeError if the shapes do not fit.
    """
    if eps < 0 or (training and eps == 0):
        kind = "positive during training" if training else "non-negative"
        raise ValueError(f"batch_norm eps must be {kind}, but got {eps}")
    shape = input.shape
    if len(shape) < 2 and 0 in shape:
        return input.clone()
    if not training:
        if running_mean is None or running_var is None:
            missing = "running_mean" if running_mean is None else "running_var"
            raise RuntimeError(f"{missing} must be defined in evaluation mode")
        return _batch_norm_inference(input, running_mean, running_var, weight, bias, eps)
    if 0 in shape:  # no statistics: the running ones stay
        return _scale_channels(input, weight, bias)
    if len(shape) > 1 and shape[0] * math.prod(shape[2:]) == 1:
        _refuse_single_value(input)
    out, mean, var = _batch_norm_training(input, weight, bias, eps)
    if running_mean is not None:
        _check_batch_norm(input, running_mean=running_mean, running_var=running_var)
        with flambeau.no_grad():
            running_mean.copy_(_blend(running_mean, mean, momentum))
            running_var.copy_(_blend(running_var, var, momentum))
    return out


def instance_norm(
    input,
    running_mean=None,
    running_var=None,
    weight=None,
    bias=None,
    use_input_stats=True,
    momentum=0.1,
    eps=1e-05,
):
    """`batch_norm` of each sample by itself (arXiv:1607.08022).

    Args:
        input: of shape (N, channels, *).
        running_mean, running_var: used if not `use_input_stats`; else the mean over the batch of
            each sample's statistics is blended into them in place.
        weight, bias: of shape (channels), or None.

    Raises ValueError for a single element per channel, RuntimeError if the shapes do not fit.
    """
    shape = input.shape
    if use_input_stats:
        if math.prod(shape[2:]) == 1:
            raise ValueError(
                f"Expected more than 1 spatial element when training, got input size {shape}"
            )
    elif running_mean is None or running_var is None:
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    else:
        return _batch_norm_inference(input, running_mean, running_var, weight, bias, eps)
    _check_batch_norm(
        *(input,), running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )
    samples, channels = shape[:2]
    rows = input.reshape(1, samples * channels, *shape[2:])
    out, mean, var = _batch_norm_training(rows, None, None, eps)
    if running_mean is not None:
        with flambeau.no_grad():
            for running, new in ((running_mean, mean), (running_var, var)):
                running.copy_(_blend(running, new.reshape(samples, channels).mean(0), momentum))
    return _scale_channels(out.reshape(shape), weight, bias)


@composite
def _scale_channels(x, weight, bias):
    return narrow(_affine(widen(x), _per_channel(weight, x), _per_channel(bias, x)), x)


# Others.


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """x / max(||x||_p, eps) along a dim, or a tuple of dims.

    >>> import flambeau as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    dim = tuple(dim) if isinstance(dim, (tuple, list)) else dim
    result = _normalize(input, eps, p=float(p), dim=dim)
    return result if out is None else out.resize_(result.shape).copy_(result)


@composite
def _normalize(x, eps, *, p, dim):
    return x / x.norm(p, dim, keepdim=True).clamp(min=eps)


@composite
def _local_response_norm(x, alpha, beta, k, *, size):
    squares = x * x
    before, after = size // 2, (size - 1) // 2
    pads = []
    for count in (before, after):
        pads.append(squares.new_zeros(x.shape[0], count, *x.shape[2:]))
    padded = flambeau.cat([pads[0], squares, pads[1]], 1)
    total = squares * 0
    for shift in range(size):
        total = total + padded.narrow(1, shift, x.shape[1])
    if not x.is_floating_point():  # PyTorch rounds the mean of whole numbers down
        return x / ((total // size) * alpha + k).pow(beta)
    return x / (total * (alpha / size) + k).pow(beta)


def local_response_norm(input, size, alpha=0.0001, beta=0.75, k=1.0):
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels) ** beta.

    Raises ValueError for an input of less than 3 dims.
    """
    if input.dim() < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality                          input (got "
            f"{input.dim()} dimensions)"
        )
    if input.numel() == 0:
        return input
    return _local_response_norm(input, alpha, beta, k, size=size)
