"""The cross entropy of a linear layer's scores, layer and loss in one."""

import math

from .linear import linear
from .loss_classification import cross_entropy

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """`cross_entropy` of the scores input @ linear_weight.T + linear_bias.

    Args:
        input: of shape (N, in_features), or (in_features).
        linear_weight: of shape (C, d1, ..., in_features).
        target: class indices of shape (N, d1, ...), or probabilities of shape (N, C, d1, ...).
        linear_bias: of shape (C, d1, ...).
        weight, reduction, ignore_index, label_smoothing: as for `cross_entropy`.
        options: accepted, and of no effect: how the scores are cut up in memory is planned anyway.

    Raises RuntimeError if the shapes do not fit.
    """
    _check(input, linear_weight, linear_bias)
    shape = (*input.shape[:-1], *linear_weight.shape[:-1])
    if target.shape == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    flat = linear_weight.reshape(math.prod(linear_weight.shape[:-1]), linear_weight.shape[-1])
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    return cross_entropy(
        *(linear(input, flat, bias).reshape(shape), target, weight),
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )


def _check(input, linear_weight, linear_bias):
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(
            f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}"
        )
    if input.shape[-1] != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {linear_weight.shape[-1]}, respectively"
        )
    scores = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != scores:
        raise RuntimeError(f"expected linear_bias shape {scores}, got {tuple(linear_bias.shape)}")
    if len(scores) > 1 and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} "
            f"requires batched input, (N, {input.shape[-1]}), got unbatched input with shape "
            f"{tuple(input.shape)}"
        )
