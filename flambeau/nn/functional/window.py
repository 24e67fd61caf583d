"""What convolutions and pooling share: sizes of windows, one number per dim, checks of them."""

import operator

from ...recorder.handle import Tensor

__all__ = ["as_batch", "numbers", "require_tensor", "whole"]

_COUNT = {1: "one", 2: "two", 3: "three"}


def whole(name, argument, value):
    """An int, or a tuple of ints, as a tuple. Raises TypeError for anything else."""
    values = value if isinstance(value, (tuple, list)) else (value,)
    try:
        return tuple(map(operator.index, values))
    except TypeError:
        raise TypeError(
            f"{name}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}"
        ) from None


def numbers(name, argument, value, n):
    """An int, or a tuple of one or n of them, as a tuple of n. Raises RuntimeError for others."""
    values = whole(name, argument, value)
    if len(values) not in (1, n):
        raise RuntimeError(
            f"{name}: {argument} must either be a single int, or a tuple of {_COUNT[n]} ints, but "
            f"got {list(values)}"
        )
    return values * n if len(values) == 1 else values


def require_tensor(name, **arguments):
    """Raise TypeError unless these arguments are tensors."""
    for position, (argument, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, Tensor):
            raise TypeError(
                f"{name}(): argument '{argument}' (position {position}) must be Tensor, not "
                f"{type(value).__name__}"
            )


def as_batch(x, n):
    """(`x` with a batch dim, whether it had none), for samples of n dims behind the channels."""
    return (x.unsqueeze(0), True) if x.dim() == n + 1 else (x, False)
