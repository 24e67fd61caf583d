"""New processes in turn: how long `import` takes, and a start up to the first step."""

import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter

from .compare import LIBRARIES, ROOT, Failed, Result, environment

__all__ = ["measure"]

PIN = """
import os, sys, time
os.sched_setaffinity(0, [int(cpu) for cpu in sys.argv[2].split(",")])
"""
IMPORT = """
start = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - start)
"""
START = """
from benchmarks.worker import sync_of
from benchmarks.workloads import WORKLOADS
library = __import__(sys.argv[1])
call = WORKLOADS["iris_step"].setup(library)
for _ in range(int(sys.argv[3])):
    call()
    sync_of(library)()
print("done", flush=True)
"""


def measure(workload, cpus, rounds):
    """The `Result` of a workload that is a new process, the median of so many of each library."""
    result = Result(workload.name, len(cpus))
    times = {library: [] for library in LIBRARIES}
    try:
        with tempfile.TemporaryDirectory() as filled:
            for library in LIBRARIES:  # so that all bytecode is there, and kernels if wanted
                _run(IMPORT if workload.fresh == "import" else START, library, cpus, filled, 5)
            for _ in range(rounds):
                for library in LIBRARIES:
                    with tempfile.TemporaryDirectory() as empty:
                        cache = filled if workload.fresh == "warm" else empty
                        times[library].append(_once(workload, library, cpus, cache))
    except Failed as error:
        result.error = str(error)
        return result
    result.seconds = {library: median(times[library]) for library in LIBRARIES}
    pairs = zip(times["torch"], times["flambeau"], strict=True)
    result.ratio = median(a / b for a, b in pairs)
    return result


def _once(workload, library, cpus, cache):
    if workload.fresh == "import":
        return float(_run(IMPORT, library, cpus, cache)[1])
    return _run(START, library, cpus, cache, 1)[0]


def _run(program, library, cpus, cache, *arguments):
    """(seconds up to the line that a program prints, the line). Raises Failed."""
    command = [sys.executable, "-c", PIN + program, library, ",".join(map(str, cpus))]
    with tempfile.TemporaryFile("w+") as errors:
        start = perf_counter()
        process = subprocess.Popen(
            [*command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(len(cpus), cache),
            cwd=ROOT,
        )
        line = process.stdout.readline()
        seconds = perf_counter() - start
        process.stdout.close()
        if process.wait() or not line:
            errors.seek(0)
            raise Failed(f"{library}: {(errors.read().strip() or 'no output').splitlines()[-1]}")
    return seconds, line
