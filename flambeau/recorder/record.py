"""Records: operations, and what changes the grad mode, are added to the current segment."""

from .cuts import is_cut
from .entering import add_alias, enter, is_inference, is_patched, share
from .handle import Meta, Tensor, intern
from .states import Scalar, add_state
from .trace import Taken, exclusive, flush, local
from .varying import note_ways, varies

__all__ = ["NUMBERS", "commit", "record"]


NUMBERS = (float, int, bool, complex)


def record(op, operands, attrs=()):
    """Record an operation: the path of every op that has no quicker one.

    Args: operands: tensors, numbers (run-time scalars), `Scalar`s and None; attrs: a tuple of
        (name, value) pairs of hashables.
    Returns: the tensor it makes, or a tuple of them if `op.multi`.
    """
    trace = local.trace
    if trace.watch is not None:
        return trace.watch(op, operands, attrs)
    trace.busy += 1
    try:
        if not trace.exposed:
            return _record(trace, op, operands, attrs)
    except Taken:
        pass
    finally:
        trace.busy -= 1
    return _record_alone(trace, op, operands, attrs)


@exclusive
def _record_alone(trace, op, operands, attrs):
    return _record(trace, op, operands, attrs)


def _record(trace, op, operands, attrs):
    segment = trace.segment
    if (segment.node.full or is_cut(segment.node)) and _may_flush(trace):
        flush()
        segment = trace.segment
    key = [op]
    numbers = ()
    for x in operands:
        if isinstance(x, Tensor):
            if x._segment is segment:
                key.append(x._pos)
                continue
            storage = x._storage
            if storage is not None and storage.patches and is_patched(x) and _may_flush(trace):
                flush()  # what was written of it is then in memory
                return _record(trace, op, operands, attrs)
            key.append(enter(x, segment))
        elif x is None or type(x) is Scalar:
            key.append(x)
        else:
            kind = type(x)
            if kind not in NUMBERS:
                kind = next((k for k in (bool, int, float, complex) if isinstance(x, k)), None)
                if kind is None:
                    x = _number(op, x)
                    kind = type(x)
            key.append(kind)
            numbers += (x,)
    if attrs:
        key.append(attrs)
    if segment.running:
        raise Taken
    key = tuple(key)
    node = segment.node
    state = node.next.get(key)
    if state is None:
        if op.at_run_time is not None and trace.root is None and not trace.sampling:
            note_ways(node, op, key[1])
            if varies():
                return op.at_run_time(*operands, **dict(attrs))
        places = key[1 : 1 + len(operands)]
        state = _add_op(node, key, op, places, dict(attrs), operands, segment)
    return commit(trace, segment, state, numbers, operands)


def _may_flush(trace):
    return not trace.hold and trace.root is None


def _number(op, x):
    item = getattr(x, "item", None)  # a NumPy scalar
    if item is None or getattr(x, "ndim", 0):
        raise TypeError(f"{op.name}(): expected a Tensor or a number, but got {type(x).__name__}")
    return item()


def commit(trace, segment, state, numbers, operands):
    """Move the segment on to `state`, and make the handles of its results."""
    op = state.op
    if op.multi:
        out = []
        for position, meta in enumerate(state.metas, state.first):
            made = Tensor.__new__(Tensor)
            made._segment, made._pos, made._meta, made._storage = segment, position, meta, None
            out.append(made)
        segment.node = state
        segment.handles.extend(out)
        out = tuple(out)
    else:
        out = Tensor.__new__(Tensor)
        out._segment, out._pos, out._meta, out._storage = segment, state.first, state.meta, None
        segment.node = state
        segment.handles.append(out)
    if numbers:
        segment.scalars.extend(numbers)
    if op.view:
        _attach(out, operands, state)
    if segment.eager and _may_flush(trace):
        flush()
    return out


def _attach(out, operands, state):
    """Make the result of a view operation a view of the storage of its operand."""
    base, op = operands[0], state.op
    shift = base._meta.offset - state.expansion
    if op.displacement is not None:
        shift += op.displacement(*operands, **state.attrs)
    if shift:
        out._meta = _shifted(out._meta, shift)
    storage = base._storage
    out._storage = storage = share(base) if storage is None else storage
    add_alias(storage, out)
    if state.grad_mode:
        root = base._view_of
        out._view_of = base if root is None else root
        if base._untracked_view:
            _note_untracked(out, base)
    else:
        _note_untracked(out, base)


def _note_untracked(out, base):
    """Note that a view was made, or is a view of one that was made, without gradients."""
    out._untracked_view = True
    if base._meta.requires_grad or base._hides_history:
        out._hides_history = True


def _add_op(node, key, op, places, attrs, operands, segment):
    """Check the operands of an operation and add its state: the slow path."""
    described = []
    tracked = False
    for x, place in zip(operands, places, strict=True):
        if type(place) is int:
            meta = x._meta
            tracked = tracked or meta.requires_grad
            described.append(meta)
        else:
            described.append(place.kind if type(place) is Scalar else place)
    if node.autocast is not None:
        op = op.autocast_form(node.autocast)
    if any(x.__class__ is Meta and x.dtype.limited for x in described):
        op.check_limited(described)
    metas, expansion = op.infer_all(described, attrs)
    tracked = tracked and node.grad_mode and op.differentiable
    metas = tuple(
        m.with_grad(tracked and (m.dtype.is_floating_point or m.dtype.is_complex)) for m in metas
    )
    if not any(m.requires_grad for m in metas):
        tracked = False
    if tracked and node.inferred:
        _check_saved(op, operands, tuple(described), tuple(attrs.items()), metas)
    if op.view:  # it is known by what it views, wherever in its storage that begins (_enter_part)
        expansion = operands[0]._meta.offset
    grad = "op" if tracked else None
    return add_state(node, key, op, places, attrs, metas, grad, expansion=expansion)


# Set by flambeau.autograd: the operands and results that a derivative rule uses.
needs_of = None


def _check_saved(op, operands, described, attrs, metas):
    """Raise RuntimeError if the derivative of an operation uses an inference tensor."""
    places = [k for k, x in enumerate(operands) if isinstance(x, Tensor) and is_inference(x)]
    if places and not set(places).isdisjoint(needs_of(op, described, attrs, metas)):
        raise RuntimeError(SAVED)


SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
    "inference mode in computation tracked by autograd. To work around this, you can make a clone "
    "to get a normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
    "`torch.inference_mode()`."
)


def _shifted(meta, shift):
    return intern(meta.shape, meta.dtype, meta.strides, meta.offset + shift, meta.requires_grad)
