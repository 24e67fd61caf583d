"""Writes of a stretch of memory, which go there without a copy of the rest.

A write makes a new value of the whole content of a storage. Where that is large, or the stretch is
another each time the same line runs, and nothing else in the segment needs the content, a *patch*
is recorded instead: a tensor over the stretch alone, which is written as any other. An operation
that then reads what a patch writes runs the segment first; where that can not be, the patches are
recorded as writes of the content.
"""

from sys import getrefcount

from .entering import is_in_memory, is_patched, new_leaf, part_of
from .handle import intern
from .trace import flush, local
from .varying import varies

__all__ = ["add_patch", "apply", "patch_for"]

LARGE = 4096  # elements of memory that are worth it wherever the stretch is
MANY = 48  # stretches of one storage that a segment reads and writes: each is compared with others
_ALONE = 3  # references to the memory of a storage: its own, a local name and getrefcount


def patch_for(tensor):
    """The tensor to write in place of a view, or None where the view itself must be."""
    storage, meta, trace = tensor._storage, tensor._meta, local.trace
    whole = storage.meta.numel
    if not 0 < meta.numel <= whole // 2 or not meta.contiguous:
        return None
    if whole < LARGE and not varies():
        return None
    if trace.root is not None or any(a._meta.requires_grad for a in _aliases(storage)):
        return None
    if not _is_free(storage, tensor):
        if trace.hold or (storage.segment is not None and storage.segment is not trace.segment):
            return None
        flush()  # then what was read is read
        if not _is_free(storage, tensor):
            return None
    if tensor._segment is trace.segment:
        return _patch_over(tensor, trace.segment)
    part = part_of(storage, meta, trace.segment, None)
    return new_leaf(intern(meta.shape, meta.dtype), part)


def _patch_over(tensor, segment):
    """The patch for a stretch that has entered the segment, as what it read: the same leaf."""
    position, tensor._segment = tensor._pos, None
    state = segment.node
    while position < state.first:
        state = state.parent
    patch = new_leaf(state.meta, segment.leaves[state.leaves_end - 1])
    patch._segment, patch._pos = segment, position
    return patch


def add_patch(storage, patch, start, segment):
    """Note that a patch, which has been written, is what a storage holds from `start` on."""
    if not storage.patches:
        storage.segment, storage.pos = segment, None
        segment.storages.append(storage)
    storage.patches = (*storage.patches, (patch, start))


def _aliases(storage):
    return [a for a in (r() for r in storage.aliases) if a is not None]


def _is_free(storage, tensor):
    """Whether nobody needs the memory of a storage as it is, or the stretch a tensor views.

    The tensor may have entered the segment itself, to be read before it is written.
    """
    if storage.patches:
        if storage.segment is not local.trace.segment or is_patched(tensor):
            return False
    elif not is_in_memory(storage):
        return False
    buffer = storage.buffer
    if buffer.owner is not None or buffer.outside is not None:
        return False
    start, stop = tensor._meta.offset, tensor._meta.span
    segment = local.trace.segment
    mine = tensor._pos if tensor._segment is segment else None
    parts = storage.parts if storage.reader is segment else ()
    if len(parts) > MANY:
        return False
    if any(a < stop and start < b and at != mine for a, b, at in parts):
        return False
    return getrefcount(buffer) == _ALONE + len(parts)


def apply(storage):
    """After the segment has run: the memory holds what was written."""
    patches, storage.patches, storage.segment = storage.patches, (), None
    for patch, start in patches:
        made, size = patch._buffer, patch._meta.numel * patch._meta.dtype.itemsize
        first = start * patch._meta.dtype.itemsize
        if made.ptr != storage.buffer.ptr + first:
            storage.buffer.array[first : first + size] = made.array[:size]
