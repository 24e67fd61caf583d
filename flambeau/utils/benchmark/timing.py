"""The stopwatch. What flambeau records is run before each look at it."""

import ast
import enum
import textwrap
import timeit

import numpy as np

import flambeau

from .measurement import Measurement, TaskSpec, set_torch_threads

__all__ = ["Language", "Timer", "timer"]

RESULT, SYNCHRONIZE = "_result_of_stmt", "_synchronize"


def timer():
    """The time in seconds, once all that is recorded has run."""
    flambeau.synchronize()
    return timeit.default_timer()


class Language(enum.Enum):
    """The language of a statement."""

    PYTHON = 0
    CPP = 1


class Timer:
    """Measures how long a statement takes.

    Each run of the statement is followed by `flambeau.synchronize()` and keeps its result until
    then, so that all of it is computed and timed.

    Args:
        stmt: the statement, or several lines.
        setup: what runs before, without being timed.
        global_setup: for C++ only, hence empty.
        timer: the clock, a function.
        globals: the names that the statement knows, besides `torch`.
        label, sub_label, description, env: what the measurements are called in a `Compare`.
        num_threads: how many threads flambeau uses meanwhile.
        language: "python".

    Raises ValueError for what is no string, and for C++.

    >>> import flambeau as torch
    >>> from flambeau.utils.benchmark import Timer
    >>> measured = Timer("x + 1", globals={"x": torch.ones(10)}).timeit(100)
    >>> measured.number_per_run, measured.median > 0
    (100, True)
    """

    def __init__(
        self,
        stmt="pass",
        setup="pass",
        global_setup="",
        timer=timer,
        globals=None,
        label=None,
        sub_label=None,
        description=None,
        env=None,
        num_threads=1,
        language=Language.PYTHON,
    ):
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`: flambeau runs Python only.")
        if global_setup:
            raise ValueError(
                f"global_setup is C++ only, got `{global_setup}`. Most likely this code can simply "
                "be moved to `setup`."
            )
        stmt, setup = _dedented(stmt), _dedented(setup)
        names = {"torch": flambeau, **(globals or {}), SYNCHRONIZE: flambeau.synchronize}
        self._timer = timeit.Timer(_synchronized(stmt), setup, timer, names)
        self._task_spec = TaskSpec(
            *(stmt, setup, global_setup, label, sub_label, description, env, num_threads)
        )

    def _timeit(self, number):
        return max(self._timer.timeit(number), 1e-9)

    def _measured(self, number, times):
        return Measurement(number_per_run=number, raw_times=times, task_spec=self._task_spec)

    def timeit(self, number=1000000):
        """Measure `number` runs as a whole, after some to warm up; returns a Measurement."""
        with set_torch_threads(self._task_spec.num_threads):
            self._timeit(max(number // 100, 2))
            return self._measured(number, [self._timeit(number)])

    def blocked_autorange(self, callback=None, min_run_time=0.2):
        """Measure blocks of runs, so large that the clock does not matter, for some time.

        Args:
            callback: called with the number of runs and the seconds of each block.
            min_run_time: the least seconds to measure.
        Returns: a Measurement with a time for each block.
        """
        number = self._block_size(min_run_time)
        return self._measured(number, self._blocks(number, min_run_time, None, callback))

    def adaptive_autorange(
        self, threshold=0.1, *, min_run_time=0.01, max_run_time=10.0, callback=None
    ):
        """As `blocked_autorange`, until the interquartile range is small.

        Args:
            threshold: the part of the median that it has to be less than.
            max_run_time: the seconds after which it ends in any case.
        """
        number = self._block_size(0.05)

        def is_enough(times):
            return len(times) > 3 and self._measured(number, times).meets_confidence(threshold)

        times = self._blocks(number, min_run_time, max_run_time, callback, is_enough)
        return self._measured(number, times)

    def _blocks(self, number, least, most, callback, is_enough=lambda times: True):
        """The seconds of each block."""
        times, total, done = [], 0.0, False
        with set_torch_threads(self._task_spec.num_threads):
            while total < least or not done:
                times.append(self._timeit(number))
                total += times[-1]
                if callback is not None:
                    callback(number, times[-1])
                done = is_enough(times)
                if most and total > most:
                    break
        return times

    def _block_size(self, min_run_time):
        """How many runs make a block next to which the clock itself takes no time."""
        with set_torch_threads(self._task_spec.num_threads):
            overhead = float(np.median([self._timeit(0) for _ in range(5)]))
            number = 1
            while True:
                taken = self._timeit(number)
                if overhead / taken <= 1e-4 and taken >= min_run_time / 1000:
                    return number
                if taken > min_run_time:
                    return number
                number *= 10


def _dedented(text):
    return textwrap.dedent(text).removeprefix("\n").rstrip()


def _synchronized(stmt):
    """The statement, with its last value kept until all that was recorded has run."""
    tree = ast.parse(stmt)
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        target = ast.Name(RESULT, ast.Store())
        tree.body[-1] = ast.Assign([target], tree.body[-1].value)
    ending = ast.parse(f"{SYNCHRONIZE}()").body
    return ast.unparse(ast.fix_missing_locations(ast.Module([*tree.body, *ending], [])))
