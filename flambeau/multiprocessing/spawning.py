"""Several processes that run one function, and what becomes of them."""

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from multiprocessing import connection

__all__ = [
    "ProcessContext",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "spawn",
    "start_processes",
]


class ProcessException(Exception):
    """The failure of one of several processes: its number, its pid and what happened."""

    def __init__(self, msg, error_index, pid):
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid
        self.error_pid = pid

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """A process ended by an exception, whose traceback is in the message."""


class ProcessExitedException(ProcessException):
    """A process ended by a signal, or by an exit code that is not 0."""

    def __init__(self, msg, error_index, error_pid, exit_code, signal_name=None):
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


class ProcessContext:
    """Processes that were started together; `processes` are they, in order."""

    def __init__(self, processes, error_files):
        self.processes, self.error_files = processes, error_files
        self.sentinels = {process.sentinel: k for k, process in enumerate(processes)}

    def pids(self):
        """Their process ids."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout=None, grace_period=None):
        """Wait until one of them ends, at most `timeout` seconds; True once all have ended well.

        When one fails the others are ended: they get `grace_period` seconds to end themselves,
        then SIGTERM, then SIGKILL. Raises ProcessRaisedException with the traceback of its
        exception, ProcessExitedException where there is none.
        """
        ready = connection.wait(self.sentinels, timeout) if self.sentinels else []
        failed = None
        for sentinel in ready:
            k = self.sentinels.pop(sentinel)
            self.processes[k].join()
            if self.processes[k].exitcode and failed is None:
                failed = k
        if failed is not None:
            self._end_all(grace_period)
            raise self._failure(failed)
        if not self.sentinels:
            self._forget_errors()
        return not self.sentinels

    def _end_all(self, grace_period):
        deadline = time.monotonic() + (grace_period or 0)
        for process in self.processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for end, patience in (("terminate", 30), ("kill", None)):
            late = [process for process in self.processes if process.is_alive()]
            for process in late:
                getattr(process, end)()
            deadline = time.monotonic() + (patience or 0)
            for process in late:
                process.join(patience and max(0.0, deadline - time.monotonic()))

    def _failure(self, k):
        process, pid = self.processes[k], self.processes[k].pid
        with open(self.error_files[k]) as file:
            told = file.read()
        self._forget_errors()
        if told:
            text = f"\n\n-- Process {k} terminated with the following error:\n{told}"
            return ProcessRaisedException(text, k, pid)
        code = process.exitcode
        if code < 0:
            name = signal.Signals(-code).name
            text = f"process {k} terminated with signal {name}"
            return ProcessExitedException(text, k, pid, code, name)
        return ProcessExitedException(f"process {k} terminated with exit code {code}", k, pid, code)

    def _forget_errors(self):
        for path in self.error_files:
            with contextlib.suppress(OSError):
                os.unlink(path)


class SpawnContext(ProcessContext):
    """What `spawn` returns where it does not wait."""


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """As `spawn`, for processes that are made by any start method."""
    return _start(ProcessContext, fn, args, nprocs, join, daemon, start_method)


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Run `fn(i, *args)` in `nprocs` fresh processes, where `i` is 0 to nprocs - 1.

    If one fails, the others are ended, and its error is raised here.

    Args: fn: must be at the top level of a module; join: whether to wait for all, and return None;
        otherwise the `ProcessContext` is returned, whose `join` waits; daemon: whether the
        processes end with this one.
    """
    if start_method != "spawn":
        warnings.warn(
            f"This method only supports start_method=spawn (got: {start_method}). To use another, "
            "call torch.multiprocessing.start_processes(...)",
            FutureWarning,
            stacklevel=2,
        )
    return _start(SpawnContext, fn, args, nprocs, join, daemon, start_method)


def _start(kind, fn, args, nprocs, join, daemon, start_method):
    context = multiprocessing.get_context(start_method)
    processes, error_files = [], []
    for k in range(nprocs):
        handle, path = tempfile.mkstemp(prefix="flambeau-error-")
        os.close(handle)
        process = context.Process(target=_run, args=(fn, k, args, path), daemon=daemon)
        process.start()
        processes.append(process)
        error_files.append(path)
    started = kind(processes, error_files)
    if not join:
        return started
    while not started.join():
        pass
    return None


def _run(fn, k, args, error_file):
    _end_with_parent()
    try:
        fn(k, *args)
    except KeyboardInterrupt:
        pass  # Ctrl-C goes to all processes
    except Exception:
        with open(error_file, "w") as file:
            file.write(traceback.format_exc())
        sys.exit(1)


def _end_with_parent():
    """Have the system send this process SIGINT when its parent is gone, where it can."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG
