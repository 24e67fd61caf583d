"""A process that runs one workload with one library, so many calls whenever it is told to.

`python -m benchmarks.worker LIBRARY WORKLOAD CPUS`: each line on stdin is a number of calls; the
answer is a line of JSON with the seconds they took, the peak of memory since the import in bytes,
and how many kernels the process has compiled so far.
"""

import importlib
import json
import os
import resource
import sys
from time import perf_counter

from .workloads import WORKLOADS

__all__ = ["main", "sync_of"]


def sync_of(library):
    """The function that makes results real: PyTorch's are already."""
    if library.__name__ == "torch":
        return lambda: None
    found = getattr(library, "synchronize", None)
    if found is None:
        found = importlib.import_module(f"{library.__name__}.recorder.trace").flush
    return found


def compiled_count(library):
    """How many kernels this process has compiled."""
    jit = sys.modules.get(f"{library.__name__}.backends.llvm.jit")
    return jit.compiled_count if jit else 0


def resident():
    """Bytes of this process that are in memory now."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def forget_peak():
    """Let the peak of memory be what is in use now, where the system allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass  # then the peak may be one of the setup


def timed(call, sync, calls):
    """The seconds that some calls take, each up to the moment when its result is real."""
    start = perf_counter()
    for _ in range(calls):
        result = call()  # kept until it is computed: what nobody holds is not
        sync()
    seconds = perf_counter() - start
    del result
    return seconds


def main(argv):
    """Answer each number of calls on stdin, until that ends."""
    name, workload, cpus = argv
    cpus = [int(cpu) for cpu in cpus.split(",")]
    os.sched_setaffinity(0, cpus)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    library = importlib.import_module(name)
    library.set_num_threads(len(cpus))
    base, sync = resident(), sync_of(library)
    call = WORKLOADS[workload].setup(library)
    sync()
    forget_peak()
    for line in sys.stdin:
        seconds = timed(call, sync, int(line))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - base
        answer = {"seconds": seconds, "peak": peak, "compiled": compiled_count(library)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
