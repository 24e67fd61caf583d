"""In-place changes: a write makes a new value the content of a tensor's memory.

Values never change, so what an earlier operation or a backward pass has read stays as it was.
Tensors that view the same memory see the write because they read through it afterwards.
"""

from .entering import (
    add_alias,
    enter,
    enter_storage,
    family_content,
    is_inference,
    share,
    take_over,
)
from .handle import DEAD, Tensor, intern
from .patches import add_patch, patch_for
from .states import MARK, VIEW, WRITE
from .trace import exclusive, flush, force, grad_enabled, local, structural

__all__ = [
    "adopt",
    "become",
    "check_trackable",
    "check_writable",
    "count_change",
    "data_of",
    "detached",
    "is_leaf",
    "join",
    "mark",
    "snapshot",
    "with_value",
    "write",
]


def check_writable(tensor, name, overlap=False):
    """Raise RuntimeError where PyTorch refuses to change a tensor in place.

    `overlap` allows elements that lie in one place, where all are written with one number.
    """
    meta, node = tensor._meta, local.trace.segment.node
    if not node.inference and (tensor._inference or node.inferred) and is_inference(tensor):
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
            "a clone to get a normal tensor before doing inplace update."
        )
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
        if tensor._refuses_writes is not None:
            raise RuntimeError(tensor._refuses_writes)
    if meta.overlaps and meta.numel and not overlap:
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
        found = segment.grad_leaves.get(tensor._pos)
        return found is not None and found[1] is None
    if segment is None and tensor._view_of is not None:
        return False
    return tensor._history is None


@exclusive
def write(tensor, value):
    """Make `value`, a tensor of the same shape, the content of `tensor`."""
    if value._meta.shape != tensor._meta.shape:
        raise RuntimeError(
            f"can not write {list(value._meta.shape)} into {list(tensor._meta.shape)}"
        )
    tracked = (value._meta.requires_grad or tensor._meta.requires_grad) and grad_enabled()
    patch = None
    if tensor._storage is not None and not tracked:
        if value._storage is not tensor._storage:
            patch = patch_for(tensor)
        elif value._meta is tensor._meta:
            return  # its own content
    segment = local.trace.segment
    source = value._pos if value._segment is segment else enter(value, segment)
    if patch is not None:
        _write_own(patch, source, False, segment)
        add_patch(tensor._storage, patch, tensor._meta.offset, segment)
        count_change(tensor)
    else:
        _write_all(tensor, source, tracked, segment)
    if segment.eager and not local.trace.hold and local.trace.root is None:
        flush()


def _write_all(tensor, source, tracked, segment):
    home = tensor._segment
    if tensor._storage is not None and home is not segment:
        if home is None or home.done:
            take_over(tensor)  # if nobody else views the storage any more
        else:
            enter(tensor, segment)
    if tensor._storage is None:
        _write_own(tensor, source, tracked, segment)
        tensor._changes += 1
    else:
        if tensor._untracked_view and (tracked or (tensor._hides_history and grad_enabled())):
            raise RuntimeError(UNTRACKED)
        _write_shared(tensor, source, tracked, segment)
        count_change(tensor)
    if tracked:
        for changed in {tensor, tensor._view_of} - {None}:
            if changed._retains_grad:
                changed.retain_grad()  # of what it is now


UNTRACKED = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. "
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your "
    "code by moving both the view and the inplace either both inside the no_grad block (if you "
    "don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)


def count_change(tensor):
    """Count a write in the version that the tensor shares with those it is a view of."""
    base = tensor if tensor._view_of is None else tensor._view_of
    if base._own_version or tensor._storage is None:
        base._changes += 1
    else:
        tensor._storage.version += 1


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
    """Write a new content of the storage, and say of each tensor that views it what it is now.

    A tracked write changes the gradient of the base and of its views. Other tensors, and all of
    them if the write is not tracked, see new numbers, but their gradients go where they went.
    """
    storage = tensor._storage
    base = tensor if tensor._view_of is None else tensor._view_of
    aliases = [a for a in (r() for r in storage.aliases) if a is not None]
    if len(aliases) < len(storage.aliases):
        storage.aliases = [r for r in storage.aliases if r() is not None]
    kept = {
        id(a): enter(a, segment)
        for a in aliases
        if a._meta.requires_grad and not (tracked and (a is base or a._view_of is base))
    }
    if tracked:
        origin, grad = family_content(base, segment), "op"
    else:
        origin, grad = enter_storage(storage, segment), None
    attrs = (("geometry", tensor._meta.with_grad(False)),)
    result = storage.meta.with_grad(tracked)
    state = structural(WRITE, (origin, source), attrs, (result,), grad)
    segment.handles.append(DEAD)
    if storage.segment is not segment:
        storage.segment = segment
        segment.storages.append(storage)
    storage.pos = state.first
    for alias in aliases:
        if id(alias) in kept:
            _rebind(alias, kept[id(alias)], segment, storage)
            continue
        if alias._segment is segment:
            segment.handles[alias._pos] = DEAD
        if alias is base and tracked:
            _view_again(alias, segment, storage)
        else:
            if segment.node.inferred and is_inference(alias):
                alias._inference = True
            alias._segment = None
            if tracked and alias._view_of is base:
                alias._meta = alias._meta.with_grad(True)


def _view_again(alias, segment, storage):
    """The base of the views sees the written storage; gradients pass on to what was written."""
    target = alias._meta.with_grad(True)
    state = structural(VIEW, (storage.pos,), (), (target,), "op")
    segment.handles.append(alias)
    alias._segment, alias._pos, alias._meta = segment, state.first, target


def _rebind(alias, before, segment, storage):
    """An untracked write: the alias sees new numbers, its gradient goes where it went before."""
    seen = structural(VIEW, (storage.pos,), (), (alias._meta.with_grad(False),), None)
    segment.handles.append(DEAD)
    _keep_gradient(alias, seen.first, before, segment)


def _keep_gradient(tensor, seen, before, segment):
    """The tensor has the numbers at `seen`, but its gradient goes where that at `before` goes."""
    leaf = segment.grad_leaves.get(before)
    grad = "leaf" if leaf is not None else "keep"
    if leaf is not None:
        segment.grad_leaves[segment.node.end] = leaf
    meta = tensor._meta.with_grad(True)
    state = structural(MARK, (seen, before), (), (meta,), grad)
    segment.handles[before] = DEAD
    segment.handles.append(tensor)
    tensor._segment, tensor._pos = segment, state.first


def check_trackable(tensor, requires_grad=True):
    """Raise RuntimeError if a tensor is to require a gradient, and inference mode forbids it."""
    if requires_grad and not local.trace.segment.node.inference and is_inference(tensor):
        raise RuntimeError(
            "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
        )


@exclusive
def mark(tensor, requires_grad):
    """Make a tensor a leaf that requires a gradient, or that does not.

    Raises: RuntimeError for one that was made in inference mode, outside of it.
    """
    check_trackable(tensor, requires_grad)
    if tensor._segment is None and tensor._view_of is not None:
        enter(tensor, local.trace.segment)
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
            segment.grad_leaves[state.first] = (tensor, None)
    elif segment is not None and not segment.done:
        force(segment)
    tensor._meta = meta
    tensor._history = None


@exclusive
def adopt(tensor, other):
    """Make `tensor` a view of what `other` views: `tensor.data = other`."""
    segment = local.trace.segment
    if tensor._storage is not None:
        _leave(tensor, segment)
    storage = share(other)
    tracked = tensor._meta.requires_grad
    if tracked and not is_leaf(tensor) and tensor._meta.shape == other._meta.shape:
        before, seen = enter(tensor, segment), enter(other, segment)
        tensor._meta = other._meta
        _keep_gradient(tensor, seen, before, segment)
    else:
        home = tensor._segment
        if home is not None and not home.done:
            home.handles[tensor._pos] = DEAD
        tensor._segment = None
    tensor._meta = other._meta.with_grad(tracked)
    tensor._view_of = None
    join(tensor, storage)


def _leave(tensor, segment):
    """Take a tensor out of the storage that it views; views of it stay there on their own."""
    storage = tensor._storage
    storage.aliases = [r for r in storage.aliases if r() is not None and r() is not tensor]
    for alias in (r() for r in storage.aliases):
        if alias is not None and alias._view_of is tensor:
            enter(alias, segment)
            alias._view_of = None


def join(tensor, storage):
    """Make a tensor one of those that view a storage."""
    tensor._storage = storage
    add_alias(storage, tensor)


def become(tensor, view):
    """Give `tensor` the geometry, and the place in the graph, of a view of it."""
    home, target = tensor._segment, view._segment
    if home is not None and not home.done:
        home.handles[tensor._pos] = DEAD
    if target is not None and not target.done:
        target.handles[view._pos] = tensor
    tensor._segment, tensor._pos, tensor._meta = target, view._pos, view._meta
    tensor._history = view._history
    tensor._changes += 1


@exclusive
def detached(tensor):
    """A view of the whole tensor that takes no part in gradients."""
    out = Tensor.__new__(Tensor)
    out._segment, out._pos = None, 0
    out._meta = tensor._meta.with_grad(False)
    if is_inference(tensor):
        out._inference = True
    join(out, share(tensor))
    return out


@exclusive
def snapshot(tensor, keep_gradient=False):
    """A tensor with the value that another has now, whatever is written into that.

    It has no gradient, or its gradient goes where that of the other goes now.
    """
    segment = local.trace.segment
    position = enter(tensor, segment)
    meta = tensor._meta.with_grad(False)
    meta = meta if meta.is_dense else intern(meta.shape, meta.dtype)
    out = Tensor.__new__(Tensor)
    out._meta = meta.with_grad(keep_gradient)
    state = structural(
        MARK, (position, position), (), (out._meta,), "keep" if keep_gradient else None
    )
    out._segment, out._pos, out._storage = segment, state.first, None
    segment.handles.append(out)
    return out


@exclusive
def with_value(tensor, value):
    """`tensor`, just made by an operation, with the numbers of `value`: its gradient stays.

    What the operation would have computed is then not needed.
    """
    segment = local.trace.segment
    seen = enter(value, segment)
    if tensor._meta.requires_grad:
        _keep_gradient(tensor, seen, tensor._pos, segment)
        return tensor
    return snapshot(value)


def data_of(tensor):
    """`tensor.data`: as `detached`, but writes to it do not count as changes of the tensor."""
    out = detached(tensor)
    out._own_version = True
    return out
