"""In-place changes: a write makes a new value the content of a tensor's memory.

Values never change, so what an earlier operation or a backward pass has read stays as it was.
Tensors that view the same memory see the write because they read through it afterwards.
"""

import weakref

from .handle import DEAD, Tensor
from .trace import (
    MARK,
    VIEW,
    WRITE,
    enter,
    enter_storage,
    flush,
    force,
    grad_enabled,
    local,
    share,
    structural,
)

__all__ = ["adopt", "check_writable", "detached", "is_leaf", "join", "mark", "write"]


def check_writable(tensor, name):
    """Raise RuntimeError where PyTorch refuses to change a tensor in place."""
    meta = tensor._meta
    if meta.requires_grad and grad_enabled():
        if is_leaf(tensor):
            raise RuntimeError(
                f"a leaf Variable that requires grad is being used in an in-place operation: {name}"
            )
        base = tensor._view_of
        if base is not None and is_leaf(base):
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                f"operation: {name}"
            )
    if meta.overlaps and meta.numel:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )


def is_leaf(tensor):
    """Whether the user made the tensor, rather than an operation that gradients pass through."""
    if not tensor._meta.requires_grad:
        return True
    segment = tensor._segment
    if segment is not None and not segment.done:
        return segment.grad_leaves.get(tensor._pos) is not None and tensor._history is None
    if segment is None and tensor._view_of is not None:
        return False
    return tensor._history is None


def write(tensor, value):
    """Make `value`, a tensor of the same shape, the content of `tensor`."""
    if value._meta.shape != tensor._meta.shape:
        raise RuntimeError(
            f"can not write {list(value._meta.shape)} into {list(tensor._meta.shape)}"
        )
    segment = local.trace.segment
    source = value._pos if value._segment is segment else enter(value, segment)
    tracked = (value._meta.requires_grad or tensor._meta.requires_grad) and grad_enabled()
    tensor._changes += 1
    if tensor._storage is None:
        _write_own(tensor, source, tracked, segment)
    else:
        _write_shared(tensor, source, tracked, segment)
    if segment.eager and not local.trace.hold and local.trace.root is None:
        flush()


def _write_own(tensor, source, tracked, segment):
    """The tensor alone views its memory: it moves to the position of the written value."""
    meta = tensor._meta
    before = tensor._pos if tensor._segment is segment else enter(tensor, segment)
    if tracked:
        grad, result = "op", meta.with_grad(True)
    elif meta.requires_grad:
        leaf = segment.grad_leaves.get(before)
        grad, result = ("leaf" if leaf is not None else "keep"), meta
        if leaf is not None:
            segment.grad_leaves[segment.node.end] = leaf
    else:
        grad, result = None, meta
    attrs = (("geometry", meta.with_grad(False)),)
    state = structural(WRITE, (before, source), attrs, (result,), grad)
    segment.handles[before] = DEAD
    segment.handles.append(tensor)
    tensor._pos, tensor._meta = state.first, result


def _write_shared(tensor, source, tracked, segment):
    storage = tensor._storage
    geometry = tensor._meta.with_grad(False)
    aliases = [a for a in (r() for r in storage.aliases) if a is not None]
    base = tensor._view_of if tensor._view_of is not None else tensor
    kept = [a for a in aliases if a._meta.requires_grad and not _follows(a, base, tracked)]
    before = {id(a): enter(a, segment) for a in kept}
    content = enter_storage(storage, segment)
    origin, grad, meta = content, None, storage.meta
    if tracked:
        origin = enter(base, segment) if _covers(base, storage) else content
        grad, meta = "op", meta.with_grad(True)
    attrs = (("geometry", geometry),)
    state = structural(WRITE, (origin, source), attrs, (meta,), grad)
    segment.handles.append(DEAD)
    storage.pos = state.first
    storage.version += 1
    for alias in aliases:
        if id(alias) in before:
            _rebind(alias, before[id(alias)], segment, storage)
        elif alias is base and tracked:
            segment.handles[alias._pos] = DEAD if alias._segment is segment else None
            _view_again(alias, meta, segment, storage)
        else:
            alias._segment = None
            if tracked and alias._view_of is base:
                alias._meta = alias._meta.with_grad(True)


def _follows(alias, base, tracked):
    """Whether the gradient of an alias comes from what is written now."""
    return tracked and (alias is base or alias._view_of is base)


def _covers(tensor, storage):
    meta = tensor._meta
    return meta.numel == storage.meta.numel and meta.is_dense and tensor._view_of is None


def _view_again(alias, meta, segment, storage):
    """The base of the views sees the written storage; gradients pass on to what was written."""
    target = alias._meta.with_grad(True)
    state = structural(VIEW, (storage.pos,), (), (target,), "op")
    segment.handles.append(alias)
    alias._segment, alias._pos, alias._meta = segment, state.first, target
    alias._history = None


def _rebind(alias, before, segment, storage):
    """An untracked write: the alias sees new numbers, its gradient goes where it went before."""
    leaf = segment.grad_leaves.get(before)
    grad = "leaf" if leaf is not None else "keep"
    seen = structural(VIEW, (storage.pos,), (), (alias._meta.with_grad(False),), None)
    segment.handles.append(DEAD)
    if leaf is not None:
        segment.grad_leaves[segment.node.end] = leaf
    state = structural(MARK, (seen.first, before), (), (alias._meta,), grad)
    segment.handles[before] = DEAD
    segment.handles.append(alias)
    alias._segment, alias._pos = segment, state.first


def mark(tensor, requires_grad):
    """Make a tensor a leaf that requires a gradient, or that does not."""
    segment = tensor._segment
    meta = tensor._meta.with_grad(requires_grad)
    if segment is not None and not segment.done and segment is local.trace.segment:
        before = tensor._pos
        grad = "leaf" if requires_grad else None
        state = structural(MARK, (before,), (), (meta,), grad)
        segment.handles[before] = DEAD
        segment.handles.append(tensor)
        tensor._pos = state.first
        if requires_grad:
            segment.grad_leaves[state.first] = tensor
    elif segment is not None and not segment.done:
        force(segment)
    tensor._meta = meta
    tensor._history = None
    tensor._view_of = None


def adopt(tensor, other):
    """Make `tensor` a view of what `other` views: `tensor.data = other`."""
    storage = share(other)
    home = tensor._segment
    if home is not None and not home.done:
        home.handles[tensor._pos] = DEAD
    if tensor._storage is not None:
        tensor._storage.aliases = [r for r in tensor._storage.aliases if r() is not tensor]
    tensor._meta = other._meta.with_grad(tensor._meta.requires_grad)
    tensor._segment, tensor._view_of = None, None
    join(tensor, storage)


def join(tensor, storage):
    """Make a tensor one of those that view a storage."""
    tensor._storage = storage
    storage.aliases.append(weakref.ref(tensor))


def detached(tensor):
    """A view of the whole tensor that takes no part in gradients."""
    out = Tensor.__new__(Tensor)
    out._segment, out._pos = None, 0
    out._meta = tensor._meta.with_grad(False)
    join(out, share(tensor))
    return out
