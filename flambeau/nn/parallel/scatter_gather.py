"""Batches cut into parts for devices, and results put together again."""

import flambeau

from ...tensor import Tensor
from ..functional.common import warn

__all__ = ["gather", "scatter"]


def scatter(inputs, target_gpus, dim=0):
    """The part of a structure of tensors for each device: chunks of tensors along a dim.

    What is not a tensor, a tuple, a list or a dict is the same for all devices.

    >>> import flambeau as torch
    >>> torch.nn.parallel.scatter((torch.arange(4), "a"), ["cpu", "cpu"])
    [(tensor([0, 1]), 'a'), (tensor([2, 3]), 'a')]
    """
    if isinstance(inputs, Tensor):
        parts = inputs.chunk(len(target_gpus), dim)
        return [part.to(device) for part, device in zip(parts, target_gpus, strict=False)]
    if isinstance(inputs, (tuple, list)) and inputs:
        columns = zip(*(scatter(x, target_gpus, dim) for x in inputs), strict=False)
        return [_like(inputs, column) for column in columns]
    if isinstance(inputs, dict) and inputs:
        columns = zip(*(scatter(x, target_gpus, dim) for x in inputs.values()), strict=False)
        return [type(inputs)(zip(inputs, column, strict=True)) for column in columns]
    return [inputs for _ in target_gpus]


def gather(outputs, target_device, dim=0):
    """Results of the same structure as one: tensors are joined along a dim, scalars stacked.

    Raises ValueError for dicts of different sizes.

    >>> import flambeau as torch
    >>> torch.nn.parallel.gather([torch.arange(2), torch.arange(2, 4)], "cpu")
    tensor([0, 1, 2, 3])
    """
    first = outputs[0]
    if first is None:
        return None
    if isinstance(first, Tensor):
        parts = [part.to(target_device) for part in outputs]
        if dim == 0 and all(part.dim() == 0 for part in parts):
            warn(
                "Was asked to gather along dimension 0, but all input tensors were scalars; will "
                "instead unsqueeze and return a vector."
            )
            return flambeau.stack(parts)
        return flambeau.cat(parts, dim)
    if isinstance(first, dict):
        if any(len(out) != len(first) for out in outputs):
            raise ValueError("All dicts must have the same number of keys")
        columns = ([out[key] for out in outputs] for key in first)
        made = (gather(column, target_device, dim) for column in columns)
        return type(first)(zip(first, made, strict=True))
    columns = zip(*outputs, strict=True)
    return _like(first, [gather(column, target_device, dim) for column in columns])


def _like(structure, items):
    """The items in a tuple, named tuple or list."""
    kind = type(structure)
    return kind(*items) if hasattr(structure, "_fields") else kind(items)
