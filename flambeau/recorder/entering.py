"""How memory from before a segment enters it: tensors, shared storages and views of them."""

import weakref
from sys import getrefcount
from threading import get_ident

from ..backends.memory import Part
from .handle import DEAD, Size, Storage, Tensor, intern
from .states import LEAF, VIEW, WRITE, add_state, made_in_inference_mode
from .trace import Taken, force, local, structural

__all__ = [
    "add_alias",
    "enter",
    "enter_all",
    "enter_storage",
    "family_content",
    "is_in_memory",
    "is_inference",
    "is_patched",
    "leaf_meta",
    "memory_of",
    "new_leaf",
    "part_of",
    "share",
    "take_over",
    "view_in_memory",
]


def enter(tensor, segment):
    """The position of a tensor's value in the segment, which it enters if it has not yet."""
    home = tensor._segment
    if home is segment:
        return tensor._pos
    if home is not None and not home.done:
        force(home)
        if segment.running:
            raise Taken
    if tensor._storage is not None and not take_over(tensor):
        return _enter_view(tensor, segment)
    return _enter_leaf(tensor, tensor._meta, tensor._buffer, segment)


def _enter_leaf(tensor, meta, buffer, segment):
    node = segment.node
    key = (LEAF, meta, "inference") if tensor._inference else (LEAF, meta)
    state = node.next.get(key)
    if state is None:
        grad = "leaf" if meta.requires_grad else None
        inferred = node.inferred or tensor._inference
        state = add_state(node, key, LEAF, (), {}, (meta,), grad, inferred=inferred)
    segment.node = state
    segment.leaves.append(buffer)
    segment.handles.append(tensor)
    tensor._segment, tensor._pos = segment, state.first
    if meta.requires_grad:
        segment.grad_leaves[state.first] = (tensor, tensor._history)
    if buffer.owner is not None or buffer.outside is not None:
        _respect_outside(buffer, segment)
    return state.first


def enter_all(tensors, segment):
    """The positions of many values; where such ones entered before, with no look at each state."""
    start = segment.node
    metas = tuple([t._meta for t in tensors])
    known = start.macros.get(metas)
    if known is None or not _are_in_memory(tensors):
        positions = [enter(t, segment) for t in tensors]
        if positions == list(range(start.end, segment.node.end)) and all(
            s.op is LEAF for s in segment.node.path()[-len(tensors) :]
        ):
            start.macros[metas] = segment.node, [k for k, m in enumerate(metas) if m.requires_grad]
        return positions
    segment.node, tracked = known
    segment.handles.extend(tensors)
    segment.leaves.extend([t._buffer for t in tensors])
    positions = list(range(start.end, start.end + len(tensors)))
    for t, position in zip(tensors, positions, strict=True):
        t._segment, t._pos = segment, position
    for k in tracked:
        segment.grad_leaves[positions[k]] = (tensors[k], tensors[k]._history)
    return positions


def _are_in_memory(tensors):
    """Whether all values are in memory that only their tensors know, each named once."""
    for t in tensors:
        home = t._segment
        if t._storage is not None or (home is not None and not home.done):
            return False
        buffer = t._buffer
        if buffer.owner is not None or buffer.outside is not None:
            return False
    return len(set(map(id, tensors))) == len(tensors)


def take_over(tensor):
    """If a tensor is the last that views a storage, and all of it, make the memory its own."""
    storage = tensor._storage
    if storage.segment is not None and not storage.segment.done:
        return False
    meta = tensor._meta
    if meta.numel != storage.meta.numel or not meta.is_dense or storage.buffer is None:
        return False
    base = tensor._view_of
    for alias in storage.aliases:
        other = alias()
        if other is not None and other is not tensor and other is not base:
            return False
    other = None
    if base is not None:
        if tensor._segment is None or getrefcount(base) > _KNOWN_TO_ONE:
            return False
        tensor._view_of = None
    tensor._storage, tensor._buffer, tensor._changes = None, storage.buffer, storage.version
    return True


_KNOWN_TO_ONE = 3  # references to the base of a view: by the view, a local name and getrefcount


def _respect_outside(buffer, segment):
    """Where somebody outside may change the memory, do not read it later than now."""
    if buffer.is_shared:
        segment.eager = segment.slow = True


def enter_storage(storage, segment):
    """The position of a shared storage's content in the segment."""
    if storage.segment is segment:
        return _settle(storage, segment) if storage.patches else storage.pos
    if storage.segment is not None and not storage.segment.done:
        force(storage.segment)
        if segment.running:
            raise Taken
    node = segment.node
    key = (LEAF, storage.meta)
    state = node.next.get(key) or add_state(node, key, LEAF, (), {}, (storage.meta,))
    segment.node = state
    segment.leaves.append(storage.buffer)
    segment.handles.append(DEAD)
    storage.segment, storage.pos = segment, state.first
    segment.storages.append(storage)
    _respect_outside(storage.buffer, segment)
    return state.first


def _is_beside_patches(tensor, segment):
    """Whether memory holds what a tensor sees, though the segment writes stretches beside it."""
    storage = tensor._storage
    return storage.patches and storage.segment is segment and not is_patched(tensor)


def is_patched(tensor):
    """Whether a patch of its storage, not yet in memory, writes what the tensor sees."""
    start, stop = tensor._meta.offset, tensor._meta.span
    patches = tensor._storage.patches
    return any(first < stop and start < first + p._meta.numel for p, first in patches)


def _settle(storage, segment):
    """Record the patches of a storage, whose content is read now, as writes of that content."""
    patches, storage.patches, storage.segment = storage.patches, (), None
    segment.storages.remove(storage)
    enter_storage(storage, segment)
    for patch, start in patches:
        meta = patch._meta
        geometry = intern(meta.shape, meta.dtype, meta.strides, start)
        attrs = (("geometry", geometry),)
        state = structural(WRITE, (storage.pos, patch._pos), attrs, (storage.meta,))
        segment.handles[patch._pos] = DEAD
        segment.handles.append(DEAD)
        storage.pos = state.first
    return storage.pos


def _enter_view(tensor, segment):
    meta = tensor._meta
    base = tensor._view_of
    if tensor._segment is None and base is not None and meta.requires_grad:
        # Its storage was written to: what it sees now depends on what the base is now.
        source, grad = family_content(base, segment), "op"
    elif is_in_memory(tensor._storage) or _is_beside_patches(tensor, segment):
        return _enter_part(tensor, segment)
    else:
        source = enter_storage(tensor._storage, segment)
        grad = "leaf" if meta.requires_grad else None
    node = segment.node
    key = (VIEW, source, meta, grad)
    state = node.next.get(key) or add_state(node, key, VIEW, (source,), {}, (meta,), grad)
    segment.node = state
    segment.handles.append(tensor)
    tensor._segment, tensor._pos = segment, state.first
    if grad == "leaf":
        segment.grad_leaves[state.first] = (tensor, tensor._history)
    return state.first


def family_content(base, segment):
    """The position of the content of a base's storage, tied to the gradient of the base."""
    storage = base._storage
    if not base._meta.requires_grad:
        return _without_gradient(enter_storage(storage, segment), segment)
    meta = base._meta
    if meta.numel == storage.meta.numel and meta.is_dense:
        return enter(base, segment)
    # The base sees part of the storage: lay it over the whole, which changes no number.
    part = enter(base, segment)
    whole = _without_gradient(enter_storage(storage, segment), segment)
    attrs = (("geometry", meta.with_grad(False)),)
    state = structural(WRITE, (whole, part), attrs, (storage.meta.with_grad(True),), "op")
    segment.handles.append(DEAD)
    return state.first


def _without_gradient(position, segment):
    """A position with the same value that no gradient passes."""
    state = segment.node
    while not state.first <= position < state.end:
        state = state.parent
    meta = state.metas[position - state.first]
    if not meta.requires_grad:
        return position
    state = structural(VIEW, (position,), (), (meta.with_grad(False),))
    segment.handles.append(DEAD)
    return state.first


def is_in_memory(storage):
    """Whether the content of a storage is what its memory holds now."""
    if storage.segment is not None and not storage.segment.done:
        return False
    return type(storage.buffer.nbytes) is int


def _enter_part(tensor, segment):
    """Enter a view of memory that nothing recorded has changed: a leaf, wherever it begins."""
    meta = tensor._meta
    buffer = part_of(tensor._storage, meta, segment, segment.node.end)
    if meta.offset:
        meta = intern(meta.shape, meta.dtype, meta.strides, 0, meta.requires_grad)
    return _enter_leaf(tensor, meta, buffer, segment)


def part_of(storage, meta, segment, position):
    """The part of a storage's memory that a view sees, which enters a segment at a position."""
    reader = storage.reader
    if reader is not segment:
        if reader is not None and not reader.done:  # of another thread: one is kept in mind
            force(reader)
            if segment.running:
                raise Taken
        storage.reader, storage.parts = segment, []
    storage.parts.append((meta.offset, meta.span, position))
    if not meta.offset and meta.numel == storage.meta.numel:
        return storage.buffer
    return Part(storage.buffer, meta.offset * meta.dtype.itemsize)


def view_in_memory(tensor, shape, strides, offset):
    """A view of a tensor that is in memory and takes no part in gradients: nothing to record.

    None where that is not so.
    """
    home = tensor._segment
    if home is not None and not home.done:
        return None
    if tensor._meta.requires_grad:
        return None
    storage = share(tensor)
    if not (storage.patches or is_in_memory(storage)):
        return None
    out = Tensor.__new__(Tensor)
    out._segment, out._pos, out._storage = None, 0, storage
    out._meta = intern(Size(shape), tensor._meta.dtype, tuple(strides), offset)
    if local.trace.segment.node.grad_mode:
        out._view_of = tensor if tensor._view_of is None else tensor._view_of
    else:
        out._untracked_view = True
        out._hides_history = tensor._hides_history
    if tensor._inference:
        out._inference = True
    add_alias(storage, out)
    return out


def add_alias(storage, tensor):
    """Note that a tensor views a storage."""
    aliases = storage.aliases
    if aliases and aliases[-1]() is None:  # as in a loop over what is looked at once
        aliases[-1] = weakref.ref(tensor)
        return
    aliases.append(weakref.ref(tensor))
    if len(aliases) > 64 and len(aliases) & 63 == 0:
        storage.aliases = [r for r in aliases if r() is not None]


def share(tensor):
    """The storage of a tensor, as an object that other tensors can view too."""
    storage = tensor._storage
    if storage is None:
        segment = tensor._segment
        pending = segment is not None and not segment.done
        if pending and (segment.running or segment.trace.thread != get_ident()):
            force(segment)  # another thread runs it, or may at any moment
            pending = False
        storage = Storage(
            tensor._meta.with_grad(False),
            segment if pending else None,
            tensor._pos if pending else 0,
            getattr(tensor, "_buffer", None),
        )
        if pending:
            segment.storages.append(storage)
        elif storage.buffer is not None:
            del tensor._buffer  # the storage may get other memory, and this would be kept
        storage.aliases.append(weakref.ref(tensor))
        tensor._storage = storage
        storage.version = tensor._changes
    return storage


def memory_of(tensor):
    """The memory of a tensor that is there, and that nothing recorded changes."""
    return tensor._buffer if tensor._storage is None else tensor._storage.buffer


def new_leaf(meta, buffer):
    """A tensor over memory that is there already."""
    out = Tensor.__new__(Tensor)
    out._segment, out._pos, out._meta, out._storage = None, 0, meta, None
    out._buffer = buffer
    if local.trace.segment.node.inference:
        out._inference = True
    return out


def is_inference(tensor):
    """Whether a tensor was made in inference mode."""
    if tensor._inference:
        return True
    segment = tensor._segment
    if segment is None or segment.done or not segment.node.inferred:
        return False
    node = segment.node

    def state_of(position):
        state = node
        while not state.first <= position < state.end:
            state = state.parent
        return state

    return made_in_inference_mode(state_of(tensor._pos), tensor._pos, state_of)


def leaf_meta(shape, dtype):
    """The meta of a new contiguous tensor that requires no gradient."""
    return intern(Size(shape), dtype)
