"""Dropout: zeros at random, so that no unit can rely on another."""

import flambeau

from ...ops.core import composite
from ...ops.dropout import dropout as drop
from .common import warn, write

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

# What SELU saturates at: -scale * alpha, the value of dropped units in alpha dropout.
SATURATION = -1.7580993408473766


def _check_probability(p):
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input, p=0.5, training=True, inplace=False):
    """Zero each element with probability p and scale the others by 1 / (1 - p), in training.

    Raises ValueError for a p outside [0, 1].
    """
    _check_probability(p)
    if not training or p == 0:
        return input
    result = input * 0 if p == 1 else drop(input, p)
    return write(input, result) if inplace else result


def _feature_mask(input, p):
    """Ones scaled by 1 / (1 - p), or zeros, for each sample (dim 0) and channel (dim 1)."""
    ones = input.new_ones(*input.shape[:2], *(1,) * (input.dim() - 2))
    return ones * 0 if p == 1 else drop(ones, p)


def _feature_dropout(input, p, training, inplace):
    if not training or p == 0:
        return input
    if input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    result = input * _feature_mask(input, p)
    return write(input, result) if inplace else result


def _without_batch(function, input, *args):
    """A function of batches applied to one sample."""
    return function(input.unsqueeze(0), *args).squeeze(0)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Zero each channel of (N, C, L), or (C, L), with probability p, in training.

    Raises ValueError for a p outside [0, 1], RuntimeError for another number of dims.
    """
    _check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    if input.dim() == 2:
        return _without_batch(_feature_dropout, input, p, training, inplace)
    return _feature_dropout(input, p, training, inplace)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Zero each channel of (N, C, H, W) with probability p, in training.

    Raises ValueError for a p outside [0, 1]. Warns for another number of dims.
    """
    _check_probability(p)
    if input.dim() == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead."
        )
    elif input.dim() != 4:
        _warn_dims("dropout2d", input, 2)
    return _feature_dropout(input, p, training, inplace)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Zero each channel of (N, C, D, H, W), or (C, D, H, W), with probability p, in training.

    Raises ValueError for a p outside [0, 1]. Warns for another number of dims.
    """
    _check_probability(p)
    if input.dim() not in (4, 5):
        _warn_dims("dropout3d", input, 3)
    if input.dim() != 5:
        return _without_batch(_feature_dropout, input, p, training, inplace)
    return _feature_dropout(input, p, training, inplace)


def _warn_dims(name, input, spatial):
    warn(
        f"{name}: Received a {input.dim()}-D input to {name}, which is deprecated and will result "
        "in an error in a future release. To retain the behavior and silence this warning, please "
        f"use dropout instead. Note that {name} exists to provide channel-wise dropout on inputs "
        f"with {spatial} spatial dimensions, a channel dimension, and an optional batch dimension "
        f"(i.e. {spatial + 1}D or {spatial + 2}D inputs)."
    )


@composite
def _alpha_mix(x, kept, p):
    """x where `kept` is not 0, saturation elsewhere, made zero mean and unit variance again."""
    a = ((1 - p) * (1 + p * SATURATION**2)).rsqrt()
    b = -a * p * SATURATION
    return a * flambeau.where(kept != 0, x, SATURATION) + b


def _alpha_dropout(input, kept_of, p, training, inplace):
    if not training or p == 0:
        return input
    result = input * 0 if p == 1 else _alpha_mix(input, kept_of(input, p), p)
    return write(input, result) if inplace else result


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Dropout for SELU networks: keeps mean and variance (arXiv:1706.02515), in training.

    Raises ValueError for a p outside [0, 1].
    """
    _check_probability(p)
    return _alpha_dropout(
        *(input, lambda x, p: drop(flambeau.ones_like(x), p), p, training, inplace)
    )


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """`alpha_dropout` of whole channels. Raises ValueError for a p outside [0, 1]."""
    _check_probability(p)
    return _alpha_dropout(input, _feature_mask, p, training, inplace)
