"""Batches of tensors that are in memory: copied at once, with nothing recorded.

What is recorded would keep every sample until the batch is used. So each function returns None
where a tensor is still to be computed, takes part in gradients or is not a plain, contiguous one;
then the operations of the same name are the way.
"""

import numpy as np

from ...backends.memory import Buffer
from ...ops.at_once import bytes_of
from ...recorder.entering import new_leaf
from ...recorder.handle import intern

__all__ = ["new", "stack", "take"]

# The C library gives freed memory back to the system at once, and has it cleared page by page when
# the next sample asks for it, until it has seen a block of this size come and go.
np.empty(1 << 24, np.uint8)


def new(shape, dtype):
    """(tensor, its elements as an array of that shape), the elements still to be filled in."""
    meta = intern(shape, dtype)
    buffer = Buffer.allocate(meta.numel * dtype.itemsize)
    return new_leaf(meta, buffer), buffer.numpy(dtype.numpy, meta.numel).reshape(shape)


def stack(tensors):
    """The tensors along a new first dimension."""
    first = tensors[0]
    meta = getattr(first, "_meta", None)
    parts = []
    for tensor in tensors:
        part = bytes_of(tensor)
        if part is None or tensor._meta.shape != meta.shape or tensor._meta.dtype != meta.dtype:
            return None
        parts.append(part)
    out, elements = new((len(parts), *meta.shape), meta.dtype)
    if meta.numel:
        np.concatenate(parts, out=elements.reshape(-1).view(np.uint8))
    return out


def take(tensor, rows):
    """The rows of a tensor that an array of ints, all within its first size, names."""
    part = bytes_of(tensor)
    if part is None or not tensor._meta.numel:
        return None
    meta = tensor._meta
    out, elements = new((rows.size, *meta.shape[1:]), meta.dtype)
    # Nothing is clipped: the mode that raises would work in a copy.
    part.view(meta.dtype.numpy).reshape(meta.shape).take(rows, 0, elements, "clip")
    return out
