"""How weights start: functions that fill a tensor in place, with the draws of PyTorch.

All work without recording gradients and return the tensor. Those that draw take a `generator`.
"""

import functools
import math
import warnings

import flambeau

from .functional.common import warn

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

GAINS = {
    **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), 1.0),
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity, param=None):
    """The factor by which weights before a nonlinearity should be larger than before none.

    1 for "linear", "conv1d" and the like and "sigmoid", 5/3 for "tanh", sqrt(2) for "relu", 3/4
    for "selu", sqrt(2 / (1 + param^2)) for "leaky_relu" of slope `param` (0.01 by default).
    Raises ValueError for others.

    >>> import flambeau as torch
    >>> torch.nn.init.calculate_gain("leaky_relu", 1.0)
    1.0
    """
    if nonlinearity in GAINS:
        return GAINS[nonlinearity]
    if nonlinearity != "leaky_relu":
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    if param is None:
        param = 0.01
    if isinstance(param, bool) or not isinstance(param, (int, float)):
        raise ValueError(f"negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + param**2))


def _calculate_fan_in_and_fan_out(tensor):
    """How many inputs an output has, and outputs an input, for a weight (out, in, *kernel)."""
    if tensor.dim() < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor, mode):
    """The fan in or out, as `mode` ("fan_in" or "fan_out") asks; raises ValueError for others."""
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


def _untracked(fill):
    """Make a function that fills a tensor do so without gradients, and return the tensor."""

    @functools.wraps(fill)
    def filled(tensor, *args, **kwargs):
        with flambeau.no_grad():
            fill(tensor, *args, **kwargs)
        return tensor

    return filled


# Constants.


@_untracked
def constant_(tensor, val):
    """Fill with a number."""
    tensor.fill_(val)


@_untracked
def ones_(tensor):
    """Fill with ones."""
    tensor.fill_(1.0)


@_untracked
def zeros_(tensor):
    """Fill with zeros."""
    tensor.zero_()


@_untracked
def eye_(tensor):
    """Fill a matrix with the identity. Raises ValueError unless it has 2 dims."""
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    tensor.copy_(flambeau.eye(*tensor.shape, dtype=tensor.dtype, device=tensor.device))


@_untracked
def dirac_(tensor, groups=1):
    """Fill the kernels of a convolution so that it returns its input, in each of the groups.

    Raises ValueError unless it has 3 to 5 dims and the groups divide the first.
    """
    if tensor.dim() not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    tensor.zero_()
    size = tensor.shape[0] // groups
    centre = tuple(n // 2 for n in tensor.shape[2:])
    channels = list(range(min(size, tensor.shape[1])))
    rows = [group * size + channel for group in range(groups) for channel in channels]
    tensor[(rows, channels * groups, *centre)] = 1


# Draws.


@_untracked
def uniform_(tensor, a=0.0, b=1.0, generator=None):
    """Draw from the uniform distribution on [a, b)."""
    tensor.uniform_(a, b, generator=generator)


@_untracked
def normal_(tensor, mean=0.0, std=1.0, generator=None):
    """Draw from the normal distribution."""
    tensor.normal_(mean, std, generator=generator)


@_untracked
def trunc_normal_(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None):
    """Draw from the normal distribution, again where the number is outside [a, b]."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
            "values may be incorrect."
        )
    if _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std) > 0.3:
        _redraw_normal(tensor, mean, std, a, b, generator)
    else:
        _redraw_uniform(tensor, mean, std, a, b, generator)


def _normal_cdf(x):
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def _redraw_normal(tensor, mean, std, a, b, generator):
    tensor.normal_(mean, std, generator=generator)
    low, high = tensor.new_tensor(a), tensor.new_tensor(b)
    while True:
        outside = (tensor < low) | (tensor > high)
        if not outside.any():
            return
        fresh = flambeau.empty_like(tensor).normal_(mean, std, generator=generator)
        tensor.copy_(flambeau.where(outside, fresh, tensor))


def _redraw_uniform(tensor, mean, std, a, b, generator):
    """Draw from [a, b], and keep a number with the probability density there."""
    log_peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    pending = flambeau.ones_like(tensor, dtype=flambeau.bool)
    while pending.any():
        fresh = flambeau.empty_like(tensor).uniform_(a, b, generator=generator)
        chance = flambeau.empty_like(tensor).uniform_(generator=generator).log()
        tensor.copy_(flambeau.where(pending, fresh, tensor))
        refused = chance > ((fresh - mean) / std) ** 2 * -0.5 - log_peak
        pending = pending & refused


@_untracked
def xavier_uniform_(tensor, gain=1.0, generator=None):
    """Draw from +-gain * sqrt(6 / (fan_in + fan_out)), after Glorot and Bengio (2010).

    Raises ValueError for less than 2 dims.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    tensor.uniform_(-bound, bound, generator=generator)


@_untracked
def xavier_normal_(tensor, gain=1.0, generator=None):
    """Draw normally with deviation gain * sqrt(2 / (fan_in + fan_out)).

    Raises ValueError for less than 2 dims.
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    tensor.normal_(0.0, gain * math.sqrt(2.0 / float(fan_in + fan_out)), generator=generator)


def _kaiming_std(tensor, a, mode, nonlinearity):
    """gain / sqrt(fan), or None, with a warning, for a tensor without elements."""
    if 0 in tensor.shape:
        warn("Initializing zero-element tensors is a no-op")
        return None
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


@_untracked
def kaiming_uniform_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Draw from +-gain * sqrt(3 / fan), after He et al. (2015).

    Args:
        a: the slope of the leaky rectifier that follows.
        mode: "fan_in" keeps the variance going forward, "fan_out" going backward.
        nonlinearity: what follows; see `calculate_gain`.

    Raises ValueError for less than 2 dims.
    """
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is not None:
        bound = math.sqrt(3.0) * std
        tensor.uniform_(-bound, bound, generator=generator)


@_untracked
def kaiming_normal_(tensor, a=0, mode="fan_in", nonlinearity="leaky_relu", generator=None):
    """Draw normally with deviation gain / sqrt(fan); see `kaiming_uniform_`."""
    std = _kaiming_std(tensor, a, mode, nonlinearity)
    if std is not None:
        tensor.normal_(0, std, generator=generator)


@_untracked
def orthogonal_(tensor, gain=1, generator=None):
    """Draw a (semi-)orthogonal matrix of (first dim, all others), times gain.

    After Saxe et al. (2013). Raises ValueError for less than 2 dims.
    """
    if tensor.dim() < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    flat = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
    q, r = flambeau.linalg.qr(flat.t() if rows < columns else flat)
    q = q * r.diagonal().sign()  # makes the distribution uniform
    tensor.copy_((q.t() if rows < columns else q).reshape(tensor.shape) * gain)


@_untracked
def sparse_(tensor, sparsity, std=0.01, generator=None):
    """Draw a matrix normally, and zero the share `sparsity` of each column.

    After Martens (2010). Raises ValueError unless it has 2 dims.
    """
    if tensor.dim() != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        chosen = flambeau.randperm(rows)[:zeros]
        tensor[chosen, column] = 0


def _deprecated(new):
    """The function under its name of before 0.4, which had no underscore."""
    old = new.__name__.removesuffix("_")

    @functools.wraps(new)
    def function(*args, **kwargs):
        warnings.warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new.__name__}`.",
            FutureWarning,
            stacklevel=2,
        )
        return new(*args, **kwargs)

    function.__name__ = function.__qualname__ = old
    function.__doc__ = f"The old name of `{new.__name__}`."
    return function


uniform = _deprecated(uniform_)
normal = _deprecated(normal_)
constant = _deprecated(constant_)
eye = _deprecated(eye_)
dirac = _deprecated(dirac_)
xavier_uniform = _deprecated(xavier_uniform_)
xavier_normal = _deprecated(xavier_normal_)
kaiming_uniform = _deprecated(kaiming_uniform_)
kaiming_normal = _deprecated(kaiming_normal_)
orthogonal = _deprecated(orthogonal_)
sparse = _deprecated(sparse_)
