"""What is done at once with tensors that are in memory, with nothing recorded.

A batch drawn from a store of samples is made of other tensors each time, some of which take part
twice: as a record each draw would be a trace of its own. What is in memory, takes no part in
gradients and lies there without gaps needs no record, only its bytes. Nor does an index in memory
to which a number is added, only to be asked for: `data[i : i + n]` for each `i` of a tensor.
Nor do numbers that are written to a place in memory, or added there, where nobody needs what was
there before: `x[: len(word)] = word`, `count[i, j] += 1`. A constant that nothing has read yet,
such as the zeros a sample is written into, counts as memory.
"""

from sys import getrefcount

import numpy as np

from .. import dtypes
from ..backends.memory import Buffer
from ..dtypes import int64
from ..recorder.entering import is_in_memory, new_leaf
from ..recorder.handle import DEAD, Tensor, intern
from ..recorder.inplace import count_change
from ..recorder.trace import exclusive, local
from .creation import constant_op, full_op

__all__ = ["MANY", "add", "become_memory", "bytes_of", "join", "set_region", "shifted"]

MANY = 16  # from so many tensors on, joining does without a record
SMALL = 4096  # elements of a constant that becomes memory when it is written to
NEAR = 16  # records after that of a constant among which it is looked for
_FREE = 3  # references to memory: its tensor's, a local name and getrefcount
_PLAIN = {  # the dtypes that NumPy computes with as PyTorch does, by the numbers they can take
    **dict.fromkeys((dtypes.float32, dtypes.float64), (float, int)),
    **dict.fromkeys((dtypes.int64, dtypes.int32, dtypes.int16, dtypes.int8, dtypes.uint8), (int,)),
    dtypes.bool_: (bool,),
}
_WHOLE = {d: np.iinfo(d.numpy) for d, kinds in _PLAIN.items() if kinds == (int,)}
_LIMITS = {d: (int(info.min), int(info.max)) for d, info in _WHOLE.items()}
_LIMITS[dtypes.float32] = (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
_EXACT = 1 << 53  # up to this a whole number is one of float64


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


@exclusive
def set_region(tensor, index, value):
    """tensor[index] = value, if that can be done at once; returns whether it was.

    index: ints, slices and Ellipsis; value: a number, or a tensor of the region's shape.
    """
    items = index if type(index) is tuple else (index,)
    if not all(map(_is_plain, items)):
        return False
    meta = tensor._meta
    if isinstance(value, Tensor):
        number = None
        if value._meta.dtype is not meta.dtype or meta.dtype not in _PLAIN:
            return False
        part = bytes_of(value)
        if part is None:
            return False
    else:
        number = _as_element(value, meta.dtype)
        if number is None:
            return False
    array = _free_memory(tensor)
    if array is None:
        return False
    try:
        region = array[items if Ellipsis in items else (*items, Ellipsis)]
    except IndexError:
        return False
    if number is not None:
        region[...] = number
    elif value._meta.shape == region.shape:
        region[...] = part.view(array.dtype).reshape(region.shape)
    else:
        return False
    count_change(tensor)
    return True


@exclusive
def add(tensor, other):
    """tensor += other for a small part of memory; returns whether it was done.

    other: a number, or a tensor in memory of the same shape and dtype. What is a tensor of its own,
    such as a counter of steps, is recorded with the step.
    """
    meta, storage = tensor._meta, tensor._storage
    if storage is None or meta.numel > SMALL or meta.numel == storage.meta.numel:
        return False
    if isinstance(other, Tensor):
        given = other._meta
        if given.dtype is not meta.dtype or given.shape != meta.shape:
            return False
        other = bytes_of(other)
        if other is not None:
            other = other.view(meta.dtype.numpy).reshape(meta.shape)
    else:
        other = _as_element(other, meta.dtype)
    if other is None or meta.dtype is dtypes.bool_:
        return False
    array = _free_memory(tensor)
    if array is None:
        return False
    with np.errstate(all="ignore"):
        np.add(array, other, out=array)
    count_change(tensor)
    return True


def _is_plain(item):
    kind = type(item)
    if kind is slice:
        step = item.step
        bounds = (item.start, item.stop)
        if any(type(b) is not int and b is not None for b in bounds):
            return False
        return step is None or (type(step) is int and step > 0)
    return kind is int or item is Ellipsis


def _as_element(number, dtype):
    """A Python number as one of the dtype; None if it is not exactly such a number."""
    kinds = _PLAIN.get(dtype)
    if kinds is None or type(number) not in kinds:
        return None
    low, high = _LIMITS.get(dtype, (-_EXACT, _EXACT))
    if type(number) is float and dtype is dtypes.float64:
        return number
    return dtype.numpy.type(number) if low <= number <= high else None


def _free_memory(tensor):
    """The elements as an array that can be written at once; None if that can not be.

    Nobody else may need what is there: no record has read it and no graph has saved it.
    """
    trace = local.trace
    meta, storage, home = tensor._meta, tensor._storage, tensor._segment
    if meta.requires_grad or meta.overlaps or not meta.numel or meta.dtype not in _PLAIN:
        return None
    if type(tensor) is not Tensor:
        return None
    if tensor._inference or trace.segment.node.inference or trace.watch is not None:
        return None
    if trace.root is not None or trace.sampling or trace.hold or trace.exposed:
        return None
    if storage is None:
        if home is not None and not home.done and not become_memory(tensor):
            return None
        buffer = tensor._buffer
    else:
        if storage.patches or not is_in_memory(storage):
            return None
        for alias in storage.aliases:
            other = alias()
            if other is not None and (other._meta.requires_grad or other._inference):
                return None
        buffer = storage.buffer
    if buffer.owner is not None or buffer.outside is not None or getrefcount(buffer) > _FREE:
        return None
    kind = meta.dtype.numpy
    size, flat = kind.itemsize, buffer.numpy(kind, meta.span)
    return np.ndarray(meta.shape, kind, flat, meta.offset * size, [n * size for n in meta.strides])


def become_memory(tensor):
    """Give a small constant, which nothing has read yet, memory of its own; returns whether."""
    segment = tensor._segment
    return segment is not None and not segment.done and _become_memory(tensor, segment)


@exclusive
def _become_memory(tensor, segment):
    trace = local.trace
    if segment is not trace.segment or tensor._storage is not None or segment.running:
        return False
    if tensor._meta.numel > SMALL or trace.root is not None or trace.sampling or trace.exposed:
        return False
    state, position = segment.node, tensor._pos
    for _ in range(NEAR):
        if state.first <= position:
            break
        state = state.parent
    if state.op is constant_op:
        number = state.attrs["value"]
    elif state.op is full_op and type(state.operands[0]) is type:
        number = segment.scalars[state.parent.slots_end]
    else:
        return False
    meta = tensor._meta
    if meta.requires_grad:
        return False
    number = _as_element(bool(number) if meta.dtype is dtypes.bool_ else number, meta.dtype)
    if number is None:
        return False
    buffer = Buffer.allocate(meta.numel * meta.dtype.itemsize)
    buffer.numpy(meta.dtype.numpy, meta.numel)[...] = number
    segment.handles[position] = DEAD
    tensor._segment, tensor._buffer = None, buffer
    _drop_constants(segment)
    return True


def _drop_constants(segment):
    """Take back the last records of a segment where they are of constants that are gone.

    Else a segment would begin with as many as there were samples before it.
    """
    state, handles = segment.node, segment.handles
    if any(s.segment is segment for s in segment.storages):
        return  # the content of one may be such a constant
    while handles and handles[-1] is DEAD and state.op in (constant_op, full_op):
        handles.pop()
        state = state.parent
        del segment.scalars[state.slots_end :]
        segment.node = state
