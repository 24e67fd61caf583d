"""What is done at once with tensors that are in memory, with nothing recorded.

A batch drawn from a store of samples is made of other tensors each time, some of which take part
twice: as a record each draw would be a trace of its own. What is in memory, takes no part in
gradients and lies there without gaps needs no record, only its bytes. Nor does an index in memory
to which a number is added, only to be asked for: `data[i : i + n]` for each `i` of a tensor.
"""

import numpy as np

from ..backends.memory import Buffer
from ..dtypes import int64
from ..recorder.entering import is_in_memory, new_leaf
from ..recorder.handle import Tensor, intern

__all__ = ["MANY", "bytes_of", "join", "shifted"]

MANY = 16  # from so many tensors on, joining does without a record


def join(tensors, shape):
    """The tensors one behind the other in memory, as one of that shape; None if it can not be."""
    meta = tensors[0]._meta
    rest = meta.shape[1:] if len(meta.shape) == len(shape) else meta.shape
    parts = []
    for tensor in tensors:
        part = bytes_of(tensor)
        if part is None or tensor._meta.dtype != meta.dtype:
            return None
        if tensor._meta.shape[len(tensor._meta.shape) - len(rest) :] != rest:
            return None
        parts.append(part)
    meta = intern(shape, meta.dtype)
    buffer = Buffer.allocate(meta.numel * meta.dtype.itemsize)
    if meta.numel:
        np.concatenate(parts, out=buffer.numpy(np.dtype(np.uint8), buffer.nbytes))
    return new_leaf(meta, buffer)


def shifted(x, number):
    """x + number of one int64 in memory; None if it is not, or if the sum is no int64."""
    if x._meta.dtype is not int64:
        return None
    part = bytes_of(x)
    if part is None:
        return None
    total = int(part.view(np.int64)[0]) + number
    if not -(1 << 63) <= total < 1 << 63:
        return None
    buffer = Buffer.allocate(8)
    buffer.numpy(np.dtype(np.int64), 1)[0] = total
    return new_leaf(intern((), int64), buffer)


def bytes_of(tensor):
    """The bytes of a tensor in memory, as an array; None if it is not, or takes part in more."""
    if type(tensor) is not Tensor or tensor._inference:
        return None
    home, meta, storage = tensor._segment, tensor._meta, tensor._storage
    if (home is not None and not home.done) or meta.requires_grad or not meta.contiguous:
        return None
    if storage is None:
        buffer = tensor._buffer
    elif storage.patches or not is_in_memory(storage):
        return None
    else:
        buffer = storage.buffer
    size = meta.dtype.itemsize
    start = meta.offset * size
    return buffer.numpy(np.dtype(np.uint8), buffer.nbytes)[start : start + meta.numel * size]
