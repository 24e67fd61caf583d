"""Collects the events of a profile: it stands in the places where programs are run.

While it is installed each program is run call by call, so that every kernel is timed, and what is
recorded carries the region it belongs to.
"""

import threading
import time

from ..explain import described, name_of
from ..optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from ..recorder import sync, trace
from .events import Event, Label
from .regions import NOWHERE, Regions

__all__ = ["Collector"]

_now = time.perf_counter_ns
PYTHON = "Python and recording"
PROGRAM = "running a program"
COMPILE = "planning and compiling"


class _Thread(threading.local):
    """What a thread is within: open events, as [name, kind, start, time of events within].

    last: until when its time is accounted for.
    """

    def __init__(self):
        self.open, self.last = [], None


class Collector:
    """Notes events between `install` and `remove`.

    modules: whether what is recorded carries its region.
    """

    def __init__(self, modules=True):
        self.events, self.labels, self.threads = [], {}, _Thread()
        self.regions = Regions() if modules else None
        self.handles = ()

    def install(self):
        """Begin to note."""
        trace.flush()
        sync.timed, trace.run_segment = self._timed, self._run
        if self.regions is not None:
            self.regions.__enter__()
        self.handles = (
            register_optimizer_step_pre_hook(self._enter_step),
            register_optimizer_step_post_hook(self._leave_step),
        )
        self.threads.last = _now()

    def remove(self):
        """Run what is recorded, and end."""
        trace.flush()
        self._python_until(_now())
        self.threads.last = None
        sync.timed, trace.run_segment = None, sync.run
        if self.regions is not None:
            self.regions.__exit__()
        for handle in self.handles:
            handle.remove()

    def take(self):
        """The events so far; from here on there are new ones."""
        events, self.events = self.events, []
        return events

    def _enter_step(self, optimizer, args, kwargs):
        self.open_range(f"Optimizer.step#{type(optimizer).__name__}.step")

    def _leave_step(self, optimizer, args, kwargs):
        self.close_range()

    # Events

    def open_range(self, name, kind="range"):
        """Begin a range of time in this thread."""
        here, start = self.threads, _now()
        self._python_until(start)
        here.open.append([name, kind, start, 0])
        if kind == "range" and self.regions is not None:
            self.regions.open(name)

    def close_range(self):
        """End the innermost range of time, if it began here."""
        here, end = self.threads, _now()
        if not here.open:
            return
        self._python_until(end)
        if here.open[-1][1] == "range" and self.regions is not None:
            self.regions.close()
        self._close(end)

    def _python_until(self, end):
        """Account for the time since the last event in this thread."""
        here = self.threads
        if here.last is not None and end > here.last:
            self._add(PYTHON, "python", here.last, end)
        here.last = end

    def _add(self, name, kind, start, end, within=0, label=None):
        here = self.threads
        if here.open:
            here.open[-1][3] += end - start
        thread = threading.get_ident()
        self.events.append(Event(name, kind, start, end, end - start - within, thread, label))

    def _close(self, end):
        name, kind, start, within = self.threads.open.pop()
        self._add(name, kind, start, end, within)
        self.threads.last = end

    def _run(self, segment):
        """Run a segment, as recorder.sync does."""
        here, start = self.threads, _now()
        self._python_until(start)
        here.open.append([PROGRAM, "program", start, 0])
        try:
            sync.run(segment)
        finally:
            self._close(_now())
            regions = self.regions
            if segment.trace is trace.local.trace and regions and regions.current != NOWHERE:
                regions.changed()  # what is recorded next is in a segment of its own

    def _timed(self, executable):
        """What runs an executable, and times its parts.

        One that is new is compiled at once: only its regions are new, as a rule.
        """
        executable.runs = max(executable.runs, 1)

        def compute(leaves, scalars):
            return executable.run(leaves, scalars, _Timer(self))

        return compute


class _Timer:
    """What a program tells as it runs: each time something is done that began at the last."""

    def __init__(self, collector):
        self.collector, self.last = collector, _now()

    def begun(self):
        """The calls begin."""
        self.last = _now()

    def compiled(self):
        """The program was planned and compiled."""
        self._done(COMPILE, "compile", None)

    def called(self, call, part):
        """A call of a plan with the partition `part` is done."""
        label = self.collector.labels.get(call)
        kind = "numpy" if call.kind == "host" else "kernel"
        if label is None:
            now = _now()
            label = self.collector.labels[call] = _label_of_call(call, part)
            self.last += _now() - now
        self._done(label.name, kind, label)

    def evaluated(self, node):
        """A node was interpreted."""
        label = self.collector.labels.get(node)
        if label is None:
            label = self.collector.labels[node] = _label("interpreted", [node], node)
        self._done(label.name, "numpy", label)

    def _done(self, name, kind, label):
        now = _now()
        self.collector._add(name, kind, self.last, now, 0, label)
        self.last = _now()


def _label_of_call(call, part):
    fused = described(call, part)
    nodes = call.computed(part)[0]
    if call.epilogue is not None:
        nodes = nodes + call.epilogue.computed(part)[0]
    return _label(fused.kind, nodes, call.sinks[-1])


def _label(kind, nodes, last):
    weights = {}
    for node in nodes:
        weights[node.region] = weights.get(node.region, 0) + _work(node)
    names = [name_of(node) for node in nodes] or [name_of(last)]
    places = {node.line for node in nodes if node.line is not None} or {("?", 0)}
    nbytes = last.numel * last.dtype.itemsize
    return Label(kind, names, places, last.shape, weights, nbytes)


def _work(node):
    """About the number of operations on numbers of a node."""
    if node.kind == "matmul":
        return 2 * node.numel * node.inputs[0].shape[2]
    return max(node.numel, *(x.numel for x in node.inputs if x is not None), 1)
