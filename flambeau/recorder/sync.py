"""Sync points: what is recorded is run, for the values that somebody can still see.

The state that a segment has reached and the positions of what is still alive are the key of the
program that computes it.
"""

import itertools
from sys import getrefcount
from threading import get_ident

from .. import config
from ..backends import Executable
from ..backends.memory import Buffer
from ..backends.numpy.nans import watched
from ..compiler.program import Builder, Program, flatten
from ..compiler.show import show_trace
from . import trace
from .cuts import note_end
from .entering import is_in_memory
from .growth import EVERY, note_growth
from .handle import DEAD, Tensor
from .patches import apply
from .states import LEAF, VIEW, WRITE, made_in_inference_mode

__all__ = ["Task", "planned", "run"]

NEAR = 64  # records after that of a tensor among which it is looked for
_serial = itertools.count(1)


def _references(count):
    """What getrefcount says, below, of an object in a list that nothing else refers to."""
    items = [object() for _ in range(count)]
    item = items.pop()
    return getrefcount(item)


_ALONE = _references(2)

# Set by flambeau.autograd: what a later backward pass needs of the values of a segment.
# graph_spec(state, roots) -> spec with `saved` positions; new_graph(spec, segment, saved tensors).
graph_spec = new_graph = None

# Set by flambeau.profiler while it is active: what is called in place of `executable.run`, given
# the executable.
timed = None


TORN = (
    "an exception from outside, such as KeyboardInterrupt, came in the middle of recording an "
    "operation: what was computed since the last sync point is lost, and what was in memory then "
    "is unchanged"
)


class Task:
    """How the values that are alive at a state are computed, and whose memory they become.

    targets, storage_targets: which of the alive tensors, then storages, the first outputs are
        for; the rest are the values at `saved`.
    roots: (index among the alive tensors, position) of those that a backward may start from.
    inferred: which of the alive tensors were made in inference mode.
    saved: the positions of the saved values that are computed; kept: (position, leaf) of those
        that are the memory of a leaf, which the program does not write.
    """

    __slots__ = (
        *("executable", "inferred", "kept", "roots", "saved", "spec", "storage_targets"),
        "targets",
    )

    def __init__(self, state, alive, tensors, storages):
        path = state.path()
        if config.show & {"trace", "all"}:
            show_trace(path)
        by_position = {}
        leaf_of, leaves = {}, 0
        for s in path:
            for p in range(s.first, s.end):
                by_position[p] = s
            if s.op is LEAF:
                leaf_of[s.first] = leaves
                leaves += 1
        outputs = []
        self.targets, self.storage_targets, self.roots = [], [], []
        self.inferred = ()
        if state.inferred:
            of = by_position.__getitem__
            self.inferred = [k for k, p in enumerate(alive) if made_in_inference_mode(of(p), p, of)]
        for k, (position, tensor) in enumerate(zip(alive, tensors, strict=True)):
            s = by_position[position]
            if s.meta is not None and tensor._meta.requires_grad and s.grad in ("op", "keep"):
                self.roots.append((k, position))
            if s.op is LEAF or tensor._storage is not None or tensor._segment is None:
                continue
            outputs.append((position, tensor._meta, _leaf_below(position, by_position, leaf_of)))
            self.targets.append(k)
        for k, storage in enumerate(storages):
            if by_position[storage.pos].op is not LEAF:
                alias = _leaf_below(storage.pos, by_position, leaf_of)
                outputs.append((storage.pos, storage.meta, alias))
                self.storage_targets.append(k)
        self.spec, self.saved, self.kept = None, [], []
        if self.roots:
            self.spec = graph_spec(state, path, [p for _, p in self.roots])
            written = {alias for *_, alias in outputs}
            for position in self.spec.saved:
                s = by_position[position]
                meta = s.metas[position - s.first]
                leaf = leaf_of.get(position)
                if leaf is not None and leaf not in written and meta.is_dense:
                    self.kept.append((position, leaf))
                else:
                    outputs.append((position, meta, None))
                    self.saved.append(position)
        self.executable = Executable(_program(path, outputs, leaves, state.slots_end))


def _program(path, outputs, leaves, slots):
    build = Builder()
    values = flatten(build, path)
    nodes = []
    for position, meta, _ in outputs:
        value = values[position]
        nodes.append(build.storage(value, meta) if meta.is_dense else _pack(build, value))
    return Program(build.nodes, nodes, [alias for *_, alias in outputs], leaves, slots)


def _pack(build, value):
    return build.reshape(value, (value.numel,))


def _leaf_below(position, by_position, leaf_of):
    """The leaf whose memory a chain of writes ends in, if the value is one."""
    state = by_position[position]
    if state.op is not WRITE:
        return None
    while state.op is WRITE or _sees_all(state, by_position):
        position = state.operands[0]
        state = by_position[position]
    return leaf_of.get(position)


def _sees_all(state, by_position):
    """Whether a state is a view of a whole storage: its memory is the storage's."""
    if state.op is not VIEW:
        return False
    below = by_position[state.operands[0]]
    whole = below.metas[state.operands[0] - below.first]
    return state.meta.is_dense and state.meta.numel == whole.numel


def run(segment):
    """Run a segment; its tensors that are alive are in memory afterwards."""
    segment.running = True
    handles, segment.handles = segment.handles, None
    state = segment.node
    if segment.trace.thread != get_ident():
        while state.end > len(handles):  # a quick path of that thread, which now starts again
            state = state.parent
    sizes = len(handles), len(segment.scalars), len(segment.leaves)
    torn = sizes != (state.end, state.slots_end, state.leaves_end)
    alive, tensors = [], []
    position = len(handles)
    item = None
    while handles:
        item = handles.pop()
        position -= 1
        if item is not DEAD and getrefcount(item) > _ALONE:
            alive.append(position)
            tensors.append(item)
    item = None
    storages = _alive_storages(segment) if segment.storages else ()
    patched = [s for s in storages if s.patches]
    if patched:
        storages = [s for s in storages if not s.patches]
    # A view needs no memory of its own, but a gradient at its position may have another handle.
    own = tuple([t._storage is None for t in tensors]) if state.views else None
    key = (tuple(alive), tuple([s.pos for s in storages]), own)
    task = None
    try:
        if torn:
            raise RuntimeError(TORN)
        task = state.programs.get(key)
        if task is None:
            task = state.programs[key] = Task(state, alive, tensors, storages)
            note_end(state)
        state.stamp = next(_serial)
        segment.trace.last = task.executable
        _finish(task, segment, tensors, storages)
        for storage in patched:
            apply(storage)
    except BaseException as error:
        if not torn and task is not None and not _has_written(task):
            for position, tensor in zip(alive, tensors, strict=True):
                _compute_alone(state, [position], [tensor], (), segment)
            for storage in storages:
                _compute_alone(state, (), (), [storage], segment)
        _lose(tensors, storages, segment, error)
        for storage in patched:
            storage.patches, storage.segment = (), None
        raise
    finally:
        segment.done = True
        segment.leaves = segment.scalars = segment.grad_leaves = segment.contexts = None


def _alive_storages(segment):
    pending, segment.storages = segment.storages, None
    storages = []
    while pending:
        item = pending.pop()
        if getrefcount(item) > _ALONE and item.segment is segment:
            storages.append(item)
        item = None
    return storages


def planned(segment):
    """The task that running a segment now would be: nothing is run, and the segment goes on."""
    alive, tensors = [], []
    for position in reversed(range(len(segment.handles))):
        item = segment.handles[position]
        if item is not DEAD and getrefcount(item) > _ALONE + 1:  # the list refers to it
            alive.append(position)
            tensors.append(item)
    storages, item = [], None
    for k in range(len(segment.storages)):
        item = segment.storages[k]
        if getrefcount(item) > _ALONE + 1 and item.segment is segment and not item.patches:
            storages.append(item)
    return Task(segment.node, alive, tensors, storages)


def _finish(task, segment, tensors, storages):
    if timed is not None:
        compute = timed(task.executable)
    else:
        compute = watched(task.executable) if config.nans else task.executable.run
    buffers = compute(segment.leaves, segment.scalars)
    for k, buffer in zip(task.targets, buffers, strict=False):
        tensors[k]._buffer = buffer
    rest = len(task.targets)
    for k in task.storage_targets:
        storages[k].buffer = buffers[rest]
        rest += 1
    for storage in storages:
        storage.segment = None
    for k in task.inferred:
        tensors[k]._inference = True
    if task.spec is not None:
        saved = dict(zip(task.saved, buffers[rest:], strict=True))
        for position, leaf in task.kept:
            saved[position] = _lasting(segment.leaves[leaf])
        graph = new_graph(task.spec, segment, saved)
        for k, position in task.roots:
            tensors[k]._history = (graph, position)
        if not graph.serial % EVERY:
            note_growth(graph)


def _lasting(buffer):
    """Memory of a leaf that stays as it is: what others refer to is not written in place."""
    if not buffer.is_shared:
        return buffer
    copied = Buffer.allocate(buffer.nbytes)
    copied.array[: buffer.nbytes] = buffer.array[: buffer.nbytes]
    return copied


def _has_written(task):
    """Whether a program that failed may have changed memory: the interpreter does so at the end."""
    executable = task.executable
    return executable.native is not None and any(a is not None for a in executable.program.aliases)


def _compute_alone(state, alive, tensors, storages, segment):
    """After a failure: compute a value that does not depend on what failed, into new memory."""
    try:
        task = Task(state, alive, tensors, storages)
        program, leaves = task.executable.program, segment.leaves
        if any(a is not None and leaves[a].is_shared for a in program.aliases):
            return  # others see that memory, which stays as it was
        program.aliases = [None] * len(program.aliases)
        buffers = task.executable.run(leaves, segment.scalars)
        for k, buffer in zip(task.targets, buffers, strict=False):
            tensors[k]._buffer = buffer
        for k, buffer in zip(task.storage_targets, buffers[len(task.targets) :], strict=False):
            storages[k].buffer = buffer
    except (ArithmeticError, IndexError, RuntimeError, ValueError):
        pass  # it does depend on it: `_lose` takes note


def _lose(tensors, storages, segment, error):
    """After a failure: what has no memory yet says why when it is used."""
    for tensor in tensors:
        if (
            tensor._segment is segment
            and tensor._storage is None
            and not hasattr(tensor, "_buffer")
        ):
            tensor._buffer = _Lost(error)
    for storage in storages:
        storage.segment = None
        if storage.buffer is None:
            storage.buffer = _Lost(error)


class _Lost:
    """Stands for the memory of a tensor whose computation failed."""

    owner = True

    def __init__(self, error):
        self.error = error

    @property
    def is_shared(self):
        """Raises: any use of the tensor asks this first."""
        raise RuntimeError(f"this tensor was never computed: {self.error}") from self.error

    nbytes = numpy = ptr = is_shared


def realize(tensor):
    """Make sure that a tensor is in memory, and return (buffer, meta)."""
    home = tensor._segment
    if home is not None and not home.done:
        trace.force(home)
    storage = tensor._storage
    if storage is None:
        return tensor._buffer, tensor._meta
    if storage.segment is not None and not storage.segment.done:
        trace.force(storage.segment)
    return storage.buffer, tensor._meta


def read(tensor):
    """As `realize`, to look at the numbers now: what is there already needs no run.

    So it is with a tensor that recorded operations only read, and with a view that was recorded of
    memory that nothing has written to.
    """
    home = tensor._segment
    if home is not None and not home.done and _is_there(tensor, home):
        storage = tensor._storage
        return (tensor._buffer if storage is None else storage.buffer), tensor._meta
    return realize(tensor)


def _is_there(tensor, home):
    storage, position = tensor._storage, tensor._pos
    if storage is not None:
        if storage.patches or storage.buffer is None:
            return False
        if is_in_memory(storage):
            return True
        home, position = storage.segment, storage.pos
    if home is not trace.local.trace.segment:
        return False
    state = home.node
    for _ in range(NEAR):
        if state.first <= position:
            return state.op is LEAF
        state = state.parent
    return False


def export(tensor):
    """As `realize`, for somebody outside who may change the memory: nothing recorded reads it."""
    found = realize(tensor)
    storage = tensor._storage
    if storage is not None and storage.reader is not None:
        trace.force(storage.reader)
        storage.reader = None
    return found


def to_array(tensor):
    """The elements as a NumPy array of the storage dtype that shares the tensor's memory."""
    from ..backends.numpy.interpret import strided_view

    buffer, meta = read(tensor)
    flat = buffer.numpy(meta.dtype.numpy, max(meta.span, 0))
    return strided_view(flat, meta.shape, meta.strides, meta.offset)


def is_tensor(x):
    """Whether `x` is a flambeau tensor."""
    return isinstance(x, Tensor)


trace.run_segment = run
