"""`profile`: where the time of a program goes, by kernel, by line and by module."""

import enum
import gzip
import json
import os
import socket
import time

from .collect import Collector
from .events import EventList, region_names

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class ProfilerActivity(enum.Enum):
    """The devices whose work PyTorch's profiler can note; here all is done by the CPU."""

    CPU = 0
    CUDA = 1
    XPU = 2


class ProfilerAction(enum.Enum):
    """What a profile does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities():
    """The devices whose work can be noted."""
    return {ProfilerActivity.CPU}


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """What `profile` does in which step: a function of its number.

    Args: wait: steps in which nothing is noted; warmup: steps whose events are thrown away;
        active: steps that are noted. repeat: how often this goes round, 0 for ever;
        skip_first: steps before all that; skip_first_wait: unless 0, the first time without wait.
    Raises: AssertionError for negative numbers, or without an active step.

    >>> import flambeau as torch
    >>> plan = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, active, repeat, skip_first) < 0 or active < 1:
        raise AssertionError("Invalid profiler schedule arguments")

    def action(step):
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        around = wait + warmup + active
        if repeat and step >= repeat * around:
            return ProfilerAction.NONE
        place = step % around
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == around - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return action


_active = []  # the profile that is noting


class record_function:
    """A context, or a decorator, that gives what happens within a name in profiles.

    Its time is that of the block. Operations that it records may run later, at a sync point; the
    time of their kernels is under its name in `profile.modules()`.
    """

    def __init__(self, name, args=None):
        self.name, self.args = name, args

    def __enter__(self):
        if _active:
            _active[-1].collector.open_range(self.name)
        return self

    def __exit__(self, *_):
        if _active:
            _active[-1].collector.close_range()

    def __call__(self, function):
        def wrapped(*args, **kwargs):
            with record_function(self.name):
                return function(*args, **kwargs)

        return wrapped


class profile:
    """A context that notes where time goes: each kernel with its operations and their lines.

    Args:
        schedule: what to do in which step (see `schedule`), which `step()` counts; by default all
            is noted.
        on_trace_ready: called with the profile at the end of each active stretch.
        record_shapes: keep kernels of different shapes apart in `key_averages`.
        with_modules: note the modules of kernels; programs then are new, and compiled at once.
        activities, profile_memory, with_stack, with_flops, ...: accepted as in PyTorch; the lines,
            the bytes stored and the numbers computed are noted anyway.

    Programs are run call by call meanwhile, so that nothing but what is shown takes longer than
    usual. Besides kernels there are "Python and recording", the time between programs; "running a
    program", its overhead; and "planning and compiling".
    Raises: RuntimeError for a second profile at the same time.

    >>> import flambeau as torch
    >>> x = torch.ones(3, 3)
    >>> with torch.profiler.profile() as prof:
    ...     y = (x @ x).relu().sum().item()
    >>> "matmul" in prof.key_averages().table(sort_by="cpu_time_total")
    True
    """

    def __init__(
        self,
        *,
        activities=None,
        schedule=None,
        on_trace_ready=None,
        record_shapes=False,
        profile_memory=False,
        with_stack=False,
        with_flops=False,
        with_modules=True,
        experimental_config=None,
        execution_trace_observer=None,
        acc_events=False,
        use_cuda=None,
        custom_trace_id_callback=None,
    ):
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready, self.by_shape = on_trace_ready, record_shapes
        self.collector = Collector(with_modules)
        self.step_num, self.metadata = 0, {}
        self._steps = schedule is not None
        self._noted = []
        self.current_action = ProfilerAction.NONE

    def start(self):
        """Begin."""
        if _active:
            raise RuntimeError("another profile is active; there can be one at a time")
        _active.append(self)
        self.current_action = self.schedule(self.step_num)
        self._begin()

    def stop(self):
        """End: run what is recorded, and call `on_trace_ready` if a stretch was noted."""
        if self not in _active:
            return
        recording = self.current_action.value >= ProfilerAction.RECORD.value
        self._end()
        _active.remove(self)
        if recording and self.on_trace_ready is not None:
            self.on_trace_ready(self)
        self.current_action = ProfilerAction.NONE

    def step(self):
        """Say that the next step of the program begins."""
        before = self.current_action
        self._end()
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            if self.on_trace_ready is not None:
                self.on_trace_ready(self)
            if self.current_action is not ProfilerAction.NONE:
                self._noted = []
        elif before.value < self.current_action.value and before is ProfilerAction.NONE:
            self._noted = []
        self._begin()

    def _begin(self):
        if self.current_action is not ProfilerAction.NONE:
            self.collector.install()
            if self._steps:
                self.collector.open_range(f"ProfilerStep#{self.step_num}", "step")

    def _end(self):
        if self.current_action is ProfilerAction.NONE:
            return
        if self._steps:
            self.collector.close_range()
        self.collector.remove()
        events = self.collector.take()
        if self.current_action is not ProfilerAction.WARMUP:
            self._noted += events

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # What was noted

    def events(self):
        """All events, in the order in which they ended."""
        return EventList(self._noted)

    def key_averages(
        self,
        group_by_input_shape=False,
        group_by_stack_n=0,
        group_by_overload_name=False,
    ):
        """The averages of the events of each sort, whose `table` is a text."""
        return self.events().key_averages(group_by_input_shape or self.by_shape)

    def modules(self):
        """The averages of each module and range: the time of the kernels that they gave rise to.

        The time of a kernel that several share is divided by what they have in it.
        """
        return self.events().by_region()

    def export_chrome_trace(self, path):
        """Write the events as a file that chrome://tracing and Perfetto show; `.gz` compresses."""
        text = json.dumps({**self.metadata, "displayTimeUnit": "ms", "traceEvents": self._traced()})
        path = os.fspath(path)
        with gzip.open(path, "wt") if path.endswith(".gz") else open(path, "w") as f:
            f.write(text)

    def _traced(self):
        return [
            {
                "ph": "X",
                "cat": e.kind,
                "name": e.name,
                "pid": os.getpid(),
                "tid": e.thread,
                "ts": e.start / 1e3,
                "dur": e.cpu_time_total,
                "args": {} if e.label is None else _arguments(e.label),
            }
            for e in self._noted
        ]

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Write the time of each module and kernel as a file that flame graphs are made of."""
        if metric not in ("self_cpu_time_total", "self_cuda_time_total"):
            raise ValueError("metric should be one of: self_cpu_time_total, self_cuda_time_total")
        times = {}
        for e in self._noted:
            for region, share in e.label.shares.items() if e.label is not None else ():
                stack = ";".join((*region_names(region), e.name.replace(";", ",")))
                times[stack] = times.get(stack, 0) + e.self_cpu_time_total * share
        with open(path, "w") as f:
            f.writelines(f"{stack} {max(1, round(time))}\n" for stack, time in times.items())

    def add_metadata(self, key, value):
        """Note a text that `export_chrome_trace` writes."""
        self.metadata[key] = str(value)

    def add_metadata_json(self, key, value):
        """Note a JSON text that `export_chrome_trace` writes."""
        self.metadata[key] = json.loads(value)


def _arguments(label):
    return {
        "lines": [f"{file}:{line}" for file, line in label.lines],
        "modules": sorted({"/".join(region_names(region)) for region in label.shares} - {""}),
        "shape": list(label.shape),
        "bytes": label.nbytes,
    }


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False):
    """An `on_trace_ready` that writes each trace into a folder, where TensorBoard looks for it."""

    def handle(prof):
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        end = ".pt.trace.json.gz" if use_gzip else ".pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}{end}"))

    return handle
