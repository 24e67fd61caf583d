"""The segment that a thread is recording, and who may run it.

A *segment* is what a thread has recorded since its last sync point. Its records walk the trie: the
`State` a segment has reached stands for everything recorded in it, so a known record costs one
dict lookup. Only an unknown one is checked, typed and given a new State.
"""

import functools
import threading
import time

from .states import MODE, REGION, WRITE, add_state, root_of
from .varying import note_ways

__all__ = [
    "QUIET",
    "Segment",
    "Taken",
    "Trace",
    "autocast_dtype",
    "exclusive",
    "flush",
    "force",
    "grad_enabled",
    "local",
    "run_segment",
    "set_autocast",
    "set_grad_mode",
    "set_inference",
    "set_region",
    "structural",
    "together",
]


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
        self.slow = trace.exposed or trace.watch is not None


class Trace:
    """A thread's recording: its current segment. `hold` keeps it from being run by itself.

    It is `exposed` once another thread needed a value that was only recorded here: each of its
    steps then holds the lock `together`, and the quick paths are off. After `quiet` segments that
    nobody else ran this ends. Without the lock it is `busy` during a step. While it is held nobody
    else takes the segment, unless it is `open`.

    sampling: for each `vmap` that is recording the function of one sample, what random numbers
        are to it: such values are never computed.
    last: how its last segment was computed (see flambeau.why).
    watch: what is called instead of recording an operation, or None (see autograd.watch).
    """

    __slots__ = (
        *("busy", "exposed", "hold", "last", "open", "quiet", "root", "sampling", "segment"),
        *("thread", "watch"),
    )

    def __init__(self, root=None):
        self.root, self.thread = root, threading.get_ident()
        self.busy = self.hold = self.quiet = 0
        self.exposed = self.open = False
        self.sampling, self.watch, self.last = [], None, None
        self.segment = Segment(self, root or root_of(True, None))

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
        node = segment.node
        fresh = Segment(self, root_of(node.grad_mode, node.autocast, node.inference))
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


class Taken(Exception):
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
        except Taken:
            pass
        finally:
            trace.busy -= 1
        while True:
            try:
                with together:
                    return f(*args, **kwargs)
            except Taken:
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


SAMPLING = (
    "vmap: the function looks at the value of a tensor (by .item(), a condition, print or NumPy), "
    "but under vmap it is recorded once for all samples, whose values differ. Use torch.where for "
    "a choice that depends on data."
)


def force(segment):
    """Run a segment, of whatever thread, unless that is done."""
    trace = segment.trace
    if trace.sampling and trace.segment is segment:
        raise RuntimeError(SAMPLING)
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


def structural(op, operands, attrs, metas, grad=None):
    """Record a structure (a write, a mark, a change of mode); returns its state.

    Adds no handles: the caller appends one for each of `metas`.
    """
    segment = local.trace.segment
    node = segment.node
    key = (op, operands, attrs, metas, grad)
    state = node.next.get(key)
    if state is None:
        attrs = dict(attrs)
        modes = {}
        if op is WRITE:
            note_ways(node, op, operands)
        elif op is MODE:
            modes = {"grad_mode": attrs["grad"], "autocast": attrs["autocast"]}
            modes["inference"] = attrs.get("inference", node.inference)
        state = add_state(node, key, op, operands, attrs, metas, grad, **modes)
    segment.node = state
    return state


def grad_enabled():
    """Whether operations recorded now take part in gradients."""
    return local.trace.segment.node.grad_mode


@exclusive
def set_grad_mode(enabled):
    """Make operations of this thread take part in gradients from here on, or not."""
    node = local.trace.segment.node
    if node.grad_mode is not enabled:
        structural(MODE, (), (("grad", enabled), ("autocast", node.autocast)), ())


@exclusive
def set_inference(enabled):
    """Make what this thread creates from here on inference tensors, or not."""
    node = local.trace.segment.node
    if node.inference is not enabled:
        modes = (("grad", node.grad_mode), ("autocast", node.autocast), ("inference", enabled))
        structural(MODE, (), modes, ())


def autocast_dtype():
    """The dtype that operations which gain by it are computed in now, or None."""
    return local.trace.segment.node.autocast


@exclusive
def set_autocast(dtype):
    """Compute what gains by it in `dtype` from here on in this thread; None: as it is."""
    node = local.trace.segment.node
    if node.autocast is not dtype:
        structural(MODE, (), (("grad", node.grad_mode), ("autocast", dtype)), ())


@exclusive
def set_region(region):
    """Note where in the program what is recorded from here on belongs (see flambeau.profiler)."""
    trace = local.trace
    if trace.root is None and not trace.sampling:
        structural(REGION, (), (("region", region),), ())
