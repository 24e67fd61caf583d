"""The trie of all traces, and the segment that a thread is recording.

A *segment* is what a thread has recorded since its last sync point. Its records walk the trie: the
`State` a segment has reached stands for everything recorded in it, so a known record costs one
dict lookup. Only an unknown one is checked, typed and given a new State.
"""

import functools
import itertools
import os
import sys
import threading
import time
import weakref
from operator import attrgetter
from sys import getrefcount

from .. import config
from ..backends.memory import Part
from .handle import DEAD, Size, Storage, Tensor, intern

__all__ = ["LEAF", "VIEW", "Scalar", "Segment", "State", "Trace", "local", "record"]

NUMBERS = (float, int, bool, complex)
MAX_STATES = 400_000
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class State:
    """A node of the trie: one record, and what is known once it has been made.

    op, operands, attrs: the record. An operand is a position, the type of a number (which is then
        the next scalar slot), a `Scalar` (an earlier slot) or None.
    metas: of the results, which stand at positions `first` to `end`.
    grad: how gradients pass: "op" by the operation's rule, "leaf" to a tensor, "keep" to what
        the first operand was before an untracked write; None where none do.
    """

    __slots__ = (
        *("attrs", "end", "expansion", "first", "full", "grad", "grad_mode", "key", "leaves_end"),
        *("line", "macros", "meta", "metas", "next", "op", "operands", "parent", "pending"),
        *("programs", "slots_end", "stamp", "views"),
    )

    def __init__(self, parent, key, op, operands, attrs, metas, grad=None):
        self.parent, self.key, self.op = parent, key, op
        self.operands, self.attrs, self.metas, self.grad = operands, attrs, metas, grad
        self.meta = metas[0] if metas else None
        self.next, self.programs, self.macros = {}, {}, {}
        self.line = self.expansion = None
        self.stamp = 0
        if parent is None:
            self.first = self.end = self.slots_end = self.leaves_end = self.pending = 0
            self.grad_mode, self.views = True, False
        else:
            self.first = parent.end
            self.end = parent.end + len(metas)
            self.slots_end = parent.slots_end + sum(type(x) is type for x in operands)
            self.leaves_end = parent.leaves_end
            self.grad_mode, self.views = parent.grad_mode, parent.views
            self.pending = parent.pending
        self.full = False

    def path(self):
        """The states from the first record of the trace to this one."""
        states = []
        node = self
        while node.parent is not None:
            states.append(node)
            node = node.parent
        states.reverse()
        return states

    def slots(self):
        """The scalar slot of each operand that is a number, by the operand's index."""
        first = self.parent.slots_end
        found = {}
        for index, operand in enumerate(self.operands):
            if type(operand) is type:
                found[index] = first
                first += 1
            elif type(operand) is Scalar:
                found[index] = operand.slot
        return found

    def __repr__(self):
        return f"<State {self.first}: {self.op} {self.operands} {self.attrs or ''} -> {self.metas}>"


class Scalar:
    """A reference to an earlier scalar slot of the same segment, and the type of its number."""

    __slots__ = ("kind", "slot")
    _known = {}

    def __new__(cls, slot, kind):
        found = cls._known.get((slot, kind))
        if found is None:
            found = cls._known[slot, kind] = object.__new__(cls)
            found.slot, found.kind = slot, kind
        return found

    def __repr__(self):
        return f"slot {self.slot}"


class Structure:
    """The `op` of records that are not operations: what enters, views, writes and marks."""

    composite = False

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


LEAF = Structure("leaf")  # memory from before the segment
VIEW = Structure("view")  # operand 0, a storage's content, seen with another geometry
WRITE = Structure("write")  # operand 0 with operand 1 written over the region `geometry`
MARK = Structure("mark")  # operand 0 as a tensor that starts, or does not take part in, gradients
MODE = Structure("mode")  # grad mode changes
FREE = Structure("free")  # the graphs that end in the operands have been walked and freed


def _new_root(grad_mode):
    root = State(None, None, None, (), {}, ())
    root.grad_mode = grad_mode
    return root


ROOTS = {True: _new_root(True), False: _new_root(False)}
_lock = threading.RLock()
_states = 0
_serial = itertools.count(1)


class Segment:
    """What a thread records between two sync points.

    handles: a tensor, or DEAD, for each position.
    scalars, leaves: the numbers in the slots; the buffers of the leaves, in the order of entry.
    storages: the shared storages whose content is a value of this segment.
    grad_leaves: (the tensor that entered, its history then) where gradients end, by position.
    contexts: the custom function at a position, hooks under other keys (see autograd.hooks).
    retained: weak references to the tensors that keep their gradient, by position.
    """

    __slots__ = (
        *("contexts", "done", "eager", "grad_leaves", "handles", "leaves", "node", "retained"),
        *("running", "scalars", "slow", "storages", "trace", "writes"),
    )

    def __init__(self, trace, root):
        self.trace, self.node = trace, root
        self.handles, self.scalars, self.leaves, self.storages = [], [], [], []
        self.grad_leaves, self.contexts = {}, {}
        self.retained = None
        self.done = self.eager = self.running = False
        self.slow = trace.exposed


class Trace:
    """A thread's recording: its current segment. `hold` keeps it from being run by itself.

    It is `exposed` once another thread needed a value that was only recorded here: each of its
    steps then holds the lock `together`, and the quick paths are off. After `quiet` segments that
    nobody else ran this ends. Without the lock it is `busy` during a step. While it is held nobody
    else takes the segment, unless it is `open`.
    """

    __slots__ = ("busy", "exposed", "hold", "open", "quiet", "root", "segment", "thread")

    def __init__(self, root=None):
        self.root, self.thread = root, threading.get_ident()
        self.busy = self.hold = self.quiet = 0
        self.exposed = self.open = False
        self.segment = Segment(self, root or ROOTS[True])

    @property
    def is_free(self):
        """Whether another thread may take the segment now."""
        return not self.busy and (self.open or not self.hold)

    def take(self):
        """End the current segment and return it; recording goes on in a new one."""
        segment = self.segment
        if self.thread != threading.get_ident():
            while len(segment.handles) != segment.node.end:  # its thread is between two steps
                time.sleep(1e-5)
        fresh = Segment(self, ROOTS[segment.node.grad_mode])
        self.segment = fresh
        return segment


class _Local(threading.local):
    def __init__(self):
        self.trace = Trace()


local = _Local()

together = threading.RLock()  # held by each step of exposed traces
QUIET = 64

# Set by recorder.sync: runs a segment that was taken from its trace.
run_segment = None


class _Taken(Exception):
    """Another thread has run the segment that a step was to extend: it starts again."""


def exclusive(f):
    """A decorator of functions that change the current segment: nobody takes it meanwhile."""

    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        trace = local.trace
        trace.busy += 1
        try:
            if not trace.exposed:
                return f(*args, **kwargs)
        except _Taken:
            pass
        finally:
            trace.busy -= 1
        while True:
            try:
                with together:
                    return f(*args, **kwargs)
            except _Taken:
                continue

    return wrapper


@exclusive
def flush():
    """Run what this thread has recorded; every tensor it made is then in memory."""
    trace = local.trace
    if trace.segment.handles and trace.root is None:
        if trace.exposed:
            trace.quiet += 1
            trace.exposed = trace.quiet < QUIET
        run_segment(trace.take())


def force(segment):
    """Run a segment, of whatever thread, unless that is done."""
    trace = segment.trace
    if trace.thread != threading.get_ident():
        _force_foreign(segment, trace)
    elif not segment.done and trace.segment is segment and not segment.running:
        _force_own(segment)
    while not segment.done:  # another thread is running it
        time.sleep(1e-5)


@exclusive
def _force_own(segment):
    if not segment.done and segment.trace.segment is segment and not segment.running:
        run_segment(segment.trace.take())


def _force_foreign(segment, trace):
    """Run what another thread has recorded, when it is between two steps.

    Meanwhile others may take what this thread has recorded, lest two wait for one another.
    """
    mine = local.trace
    busy, mine.busy = mine.busy, 0
    trace.quiet = 0
    trace.exposed = segment.slow = True
    patience = 2000
    while not segment.done and trace.segment is segment and not segment.running:
        patience -= 1
        if trace.is_free or patience < 0:
            with together:
                ready = not segment.done and trace.segment is segment and not segment.running
                if ready and (trace.is_free or patience < 0):
                    run_segment(trace.take())
        else:
            time.sleep(0.001)
    while not segment.done:
        time.sleep(1e-4)
    mine.busy = busy


def user_line():
    """(file, line) of the innermost frame outside of flambeau."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("?", 0)


def add_state(node, key, op, operands, attrs, metas, grad=None):
    """Extend the trie below `node` by a record seen for the first time."""
    global _states
    with _lock:
        state = State(node, key, op, operands, attrs, metas, grad)
        state.line = user_line()
        if op is LEAF:
            state.leaves_end += 1
        else:
            state.pending += sum(m.numel * m.dtype.itemsize for m in metas)
        state.views = node.views or op is VIEW or getattr(op, "view", False)
        if state.end > config.max_trace or state.pending > config.max_pending:
            state.full = True
        node.next[key] = state
        _states += 1
        if _states > MAX_STATES:
            _prune()
    return state


def _prune():
    """Forget the half of the traces that were walked least recently."""
    global _states
    ends, stack = [], list(ROOTS.values())
    while stack:
        node = stack.pop()
        stack.extend(node.next.values())
        if node.programs:
            ends.append(node)
    ends.sort(key=attrgetter("stamp"))
    for node in ends[: len(ends) // 2 + 1]:
        node.programs.clear()
        while node.parent is not None and not node.next and not node.programs:
            node.parent.next.pop(node.key, None)
            node = node.parent
    count, stack = 0, list(ROOTS.values())
    while stack:
        node = stack.pop()
        count += len(node.next)
        stack.extend(node.next.values())
    _states = count


def enter(tensor, segment):
    """The position of a tensor's value in the segment, which it enters if it has not yet."""
    home = tensor._segment
    if home is segment:
        return tensor._pos
    if home is not None and not home.done:
        force(home)
        if segment.running:
            raise _Taken
    if tensor._storage is not None and not _take_over(tensor):
        return _enter_view(tensor, segment)
    meta = tensor._meta
    node = segment.node
    key = (LEAF, meta)
    state = node.next.get(key)
    if state is None:
        grad = "leaf" if meta.requires_grad else None
        state = add_state(node, key, LEAF, (), {}, (meta,), grad)
    buffer = tensor._buffer
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


def _take_over(tensor):
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
        return storage.pos
    if storage.segment is not None and not storage.segment.done:
        force(storage.segment)
        if segment.running:
            raise _Taken
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


def _enter_view(tensor, segment):
    meta = tensor._meta
    base = tensor._view_of
    if tensor._segment is None and base is not None and meta.requires_grad:
        # Its storage was written to: what it sees now depends on what the base is now.
        source, grad = family_content(base, segment), "op"
    elif _is_in_memory(tensor._storage):
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


def _is_in_memory(storage):
    if storage.segment is not None and not storage.segment.done:
        return False
    return type(storage.buffer.nbytes) is int


def _enter_part(tensor, segment):
    """Enter a view of memory that nothing recorded has changed: a leaf, wherever it begins."""
    meta, buffer = tensor._meta, tensor._storage.buffer
    tensor._storage.reader = segment
    start = meta.offset
    if start:
        buffer = Part(buffer, start * meta.dtype.itemsize)
        meta = intern(meta.shape, meta.dtype, meta.strides, 0, meta.requires_grad)
    node = segment.node
    key = (LEAF, meta)
    state = node.next.get(key)
    if state is None:
        grad = "leaf" if meta.requires_grad else None
        state = add_state(node, key, LEAF, (), {}, (meta,), grad)
    segment.node = state
    segment.leaves.append(buffer)
    segment.handles.append(tensor)
    tensor._segment, tensor._pos = segment, state.first
    if meta.requires_grad:
        segment.grad_leaves[state.first] = (tensor, tensor._history)
    if buffer.owner is not None or buffer.outside is not None:
        _respect_outside(buffer, segment)
    return state.first


def view_in_memory(tensor, shape, strides, offset):
    """A view of a tensor that is in memory and takes no part in gradients: nothing to record.

    None where that is not so.
    """
    home = tensor._segment
    if home is not None and not home.done:
        return None
    if tensor._meta.requires_grad or (tensor._storage is None and tensor._buffer is None):
        return None
    storage = share(tensor)
    if not _is_in_memory(storage):
        return None
    out = Tensor.__new__(Tensor)
    out._segment, out._pos, out._storage = None, 0, storage
    out._meta = intern(Size(shape), tensor._meta.dtype, tuple(strides), offset)
    if local.trace.segment.node.grad_mode:
        out._view_of = tensor if tensor._view_of is None else tensor._view_of
    else:
        out._untracked_view = True
    add_alias(storage, out)
    return out


def add_alias(storage, tensor):
    """Note that a tensor views a storage."""
    aliases = storage.aliases
    aliases.append(weakref.ref(tensor))
    if len(aliases) > 64 and len(aliases) & 63 == 0:
        storage.aliases = [r for r in aliases if r() is not None]


def share(tensor):
    """The storage of a tensor, as an object that other tensors can view too."""
    storage = tensor._storage
    if storage is None:
        segment = tensor._segment
        pending = segment is not None and not segment.done
        storage = Storage(
            tensor._meta.with_grad(False),
            segment if pending else None,
            tensor._pos if pending else 0,
            getattr(tensor, "_buffer", None),
        )
        if pending:
            segment.storages.append(storage)
        storage.aliases.append(weakref.ref(tensor))
        tensor._storage = storage
        storage.version = tensor._changes
    return storage


def record(op, operands, attrs=()):
    """Record an operation: the path of every op that has no quicker one.

    Args: operands: tensors, numbers (run-time scalars), `Scalar`s and None; attrs: a tuple of
        (name, value) pairs of hashables.
    Returns: the tensor it makes, or a tuple of them if `op.multi`.
    """
    trace = local.trace
    trace.busy += 1
    try:
        if not trace.exposed:
            return _record(trace, op, operands, attrs)
    except _Taken:
        pass
    finally:
        trace.busy -= 1
    return _record_alone(trace, op, operands, attrs)


@exclusive
def _record_alone(trace, op, operands, attrs):
    return _record(trace, op, operands, attrs)


def _record(trace, op, operands, attrs):
    segment = trace.segment
    if segment.node.full and not trace.hold and trace.root is None:
        flush()
        segment = trace.segment
    key = [op]
    numbers = ()
    for x in operands:
        if isinstance(x, Tensor):
            key.append(x._pos if x._segment is segment else enter(x, segment))
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
        raise _Taken
    key = tuple(key)
    node = segment.node
    state = node.next.get(key)
    if state is None:
        places = key[1 : 1 + len(operands)]
        state = _add_op(node, key, op, places, dict(attrs), operands, segment)
    return commit(trace, segment, state, numbers, operands)


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
        _attach(out, operands[0], state)
    if segment.eager and not trace.hold and trace.root is None:
        flush()
    return out


def _attach(out, base, state):
    """Make the result of a view operation a view of the storage of its operand."""
    shift = base._meta.offset - state.expansion
    if shift:
        out._meta = _shifted(out._meta, shift)
    storage = base._storage
    out._storage = storage = share(base) if storage is None else storage
    add_alias(storage, out)
    if state.grad_mode:
        root = base._view_of
        out._view_of = base if root is None else root
    else:
        out._untracked_view = True


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
    metas, expansion = op.infer_all(described, attrs)
    tracked = tracked and node.grad_mode and op.differentiable
    metas = tuple(
        m.with_grad(tracked and (m.dtype.is_floating_point or m.dtype.is_complex)) for m in metas
    )
    if not any(m.requires_grad for m in metas):
        tracked = False
    state = add_state(node, key, op, places, attrs, metas, "op" if tracked else None)
    # A view is known by what it views, wherever in its storage that begins (see _enter_part).
    state.expansion = operands[0]._meta.offset if op.view else expansion
    return state


def _shifted(meta, shift):
    return intern(meta.shape, meta.dtype, meta.strides, meta.offset + shift, meta.requires_grad)


def structural(op, operands, attrs, metas, grad=None, extra=()):
    """Record a structure (a write, a mark, a change of mode); returns its state.

    Adds no handles: the caller appends one for each of `metas`.
    """
    segment = local.trace.segment
    node = segment.node
    key = (op, operands, attrs, metas, grad)
    state = node.next.get(key)
    if state is None:
        state = add_state(node, key, op, operands, dict(attrs), metas, grad)
        if op is MODE:
            state.grad_mode = state.attrs["enabled"]
    segment.node = state
    return state


def grad_enabled():
    """Whether operations recorded now take part in gradients."""
    return local.trace.segment.node.grad_mode


@exclusive
def set_grad_mode(enabled):
    """Make operations of this thread take part in gradients from here on, or not."""
    if local.trace.segment.node.grad_mode is not enabled:
        structural(MODE, (), (("enabled", enabled),), ())


def new_leaf(meta, buffer):
    """A tensor over memory that is there already."""
    out = Tensor.__new__(Tensor)
    out._segment, out._pos, out._meta, out._storage = None, 0, meta, None
    out._buffer = buffer
    return out


def leaf_meta(shape, dtype):
    """The meta of a new contiguous tensor that requires no gradient."""
    return intern(Size(shape), dtype)
