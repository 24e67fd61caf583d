"""What the functions of this folder share: checks, reductions, precision, warnings."""

import os
import sys
import warnings

from ...ops.precision import narrow, require_floating, widen

__all__ = [
    "legacy_reduction",
    "narrow",
    "reduce",
    "require_constant",
    "require_floating",
    "require_reduction",
    "warn",
    "widen",
    "write",
]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
REDUCTIONS = ("none", "mean", "sum")


def warn(message, category=UserWarning):
    """Warn at the line of the user's program that called, however deep in flambeau."""
    level, frame = 2, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def require_constant(**tensors):
    """Raise RuntimeError if a tensor (or None) requires a gradient, which is not defined."""
    for name, tensor in tensors.items():
        if tensor is not None and tensor.requires_grad:
            raise RuntimeError(f"the derivative for '{name}' is not implemented")


def require_reduction(reduction):
    """Raise ValueError unless `reduction` is "none", "mean" or "sum"."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy_reduction(size_average, reduce, reduction):
    """The reduction that is asked for, maybe by the two flags that came before it; checked."""
    if size_average is not None or reduce is not None:
        averages = size_average is None or size_average
        reduction = "none" if reduce is False else "mean" if averages else "sum"
        warn(
            "size_average and reduce args will be deprecated, please use "
            f"reduction='{reduction}' instead."
        )
    require_reduction(reduction)
    return reduction


def reduce(losses, reduction):
    """Losses as they are, their mean or their sum."""
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def write(input, result):
    """Make `result` the value of `input`: how a function works in place. Returns the input."""
    return input.copy_(result)
