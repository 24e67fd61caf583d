"""Two workers that take turns, one with each library, and what that tells."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

__all__ = ["LIBRARIES", "Failed", "Result", "Worker", "compare", "environment"]

LIBRARIES = ("torch", "flambeau")
ROOT = Path(__file__).parents[1]
FIRST = 3  # calls that are told apart: flambeau interprets the first and compiles at the second
WARM = 12  # calls before what counts: small programs are interpreted up to eight times
PAUSE = 0.01  # seconds between turns, in which the other library's threads go to sleep


class Failed(Exception):
    """A worker ended; the text is the last line that it wrote."""


@dataclass
class Result:
    """What was measured: seconds, and bytes, by library.

    seconds: per operation, of a median round; ratio: the median of the rounds' ratios.
    first: of the first calls, also by "flambeau, kernels on disk"; peak: bytes since the import.
    compiled: kernels that flambeau compiled in the rounds; error: why there is nothing.
    """

    name: str
    cores: int
    seconds: dict = field(default_factory=dict)
    ratio: float | None = None
    first: dict = field(default_factory=dict)
    peak: dict = field(default_factory=dict)
    compiled: int = 0
    error: str | None = None


def environment(cores, cache):
    """The environment variables of a measured process, which may keep its bytecode."""
    names = ("FLAMBEAU_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    numbers = dict.fromkeys(names, str(cores))
    known = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**known, **numbers, "FLAMBEAU_CACHE": str(cache), "PYTHONPATH": path}


class Worker:
    """A process that runs a workload with a library; a context manager that ends it."""

    def __init__(self, library, workload, cpus, cache):
        self.library = library
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed by __exit__
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", library, workload.name]
            + [",".join(map(str, cpus))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment(len(cpus), cache),
            cwd=ROOT,
        )

    def run(self, calls=1):
        """The worker's answer to a number of calls. Raises Failed."""
        try:
            print(calls, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.wait()
            self.errors.seek(0)
            text = self.errors.read().strip() or f"exit status {self.process.returncode}"
            raise Failed(f"{self.library}: {text.splitlines()[-1]}")
        return json.loads(line)

    def calls_for(self, seconds):
        """How many calls take so long, found by running some."""
        calls, took = 1, 0.0
        while True:
            took = self.run(calls)["seconds"]
            if took > seconds / 4:
                return max(1, round(calls * seconds / took))
            calls *= 2

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):  # it may have ended by itself
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


def compare(workload, cpus, rounds, seconds):
    """The `Result` of a workload on some cpus: so many rounds, of some seconds per library."""
    result = Result(workload.name, len(cpus))
    with tempfile.TemporaryDirectory() as cache:
        try:
            _take_turns(result, workload, cpus, cache, rounds, seconds)
            with Worker("flambeau", workload, cpus, cache) as worker:
                result.first["flambeau, kernels on disk"] = _first(worker)
        except Failed as error:
            result.error = str(error)
    return result


def _first(worker):
    return [worker.run()["seconds"] for _ in range(FIRST)]


def _take_turns(result, workload, cpus, cache, rounds, seconds):
    theirs, ours = (Worker(library, workload, cpus, cache) for library in LIBRARIES)
    with theirs, ours:
        pair = (theirs, ours)
        calls = {}
        for worker in pair:
            result.first[worker.library] = _first(worker)
            worker.run(WARM - FIRST)
            calls[worker] = workload.calls or worker.calls_for(seconds)
        before = ours.run()["compiled"]
        times = {worker: [] for worker in pair}
        for number in range(rounds):
            for worker in pair if number % 2 else reversed(pair):
                time.sleep(PAUSE)
                answer = worker.run(calls[worker])
                times[worker].append(answer["seconds"] / calls[worker] / workload.per)
                result.peak[worker.library] = answer["peak"]
                if worker is ours:
                    result.compiled = answer["compiled"] - before
        ratios = [a / b for a, b in zip(times[theirs], times[ours], strict=True)]
        result.ratio = median(ratios)
        result.seconds = {worker.library: median(times[worker]) for worker in pair}
