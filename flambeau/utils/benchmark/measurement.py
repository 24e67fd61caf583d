"""What a timer measured, and what was measured; numbers and units of times."""

import contextlib
import dataclasses
import functools
import math
import textwrap
from typing import Any

import numpy as np

import flambeau

__all__ = [
    "Measurement",
    "TaskSpec",
    "ordered_unique",
    "select_unit",
    "set_torch_threads",
    "trim_sigfig",
    "unit_to_english",
]

UNITS = {"ns": (1e-9, "nanosecond"), "us": (1e-6, "microsecond"), "ms": (1e-3, "millisecond")}
UNITS["s"] = (1, "second")

MOST_FIGURES = 4  # no time is known better
LEAST_INTERVAL = 25e-9  # seconds; of confidence in a median
WARN_AT, WARN_LOUDLY_AT = 0.1, 0.25  # the interquartile range over the median


@dataclasses.dataclass(frozen=True, repr=False)
class TaskSpec:
    """What is measured, and what it is called."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self):
        """The label or, without one, the statement."""
        more = self.sub_label
        if self.label is None and "\n" in self.stmt:
            return f"stmt:{f' ({more})' if more else ''}\n{textwrap.indent(self.stmt, '  ')}"
        return (self.stmt if self.label is None else self.label) + (f": {more}" if more else "")

    def setup_str(self):
        """The setup, for people; empty if there is none."""
        if self.setup in ("", "pass"):
            return ""
        if "\n" in self.setup:
            return f"setup:\n{textwrap.indent(self.setup, '  ')}"
        return f"setup: {self.setup}"

    def summarize(self):
        """Title, description and setup, a line or a paragraph each."""
        sections = (self.title, self.description or "", self.setup_str())
        return "\n".join(f"{text}\n" if "\n" in text else text for text in sections if text)


_FIELDS = tuple(field.name for field in dataclasses.fields(TaskSpec))


@dataclasses.dataclass(repr=False)
class Measurement:
    """What a `Timer` measured.

    Attributes:
        number_per_run: how often the statement ran between two looks at the clock.
        raw_times: the seconds between them.
        task_spec: what was measured; its fields can be read from here too.
        metadata: for the user.

    >>> from flambeau.utils.benchmark import Measurement, TaskSpec
    >>> m = Measurement(10, [0.1, 0.2, 0.4], TaskSpec("f(x)", "pass"))
    >>> m.median, m.times
    (0.02, [0.01, 0.02, 0.04])
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name):
        if name in _FIELDS:
            return getattr(self.task_spec, name)
        raise AttributeError(f"'Measurement' object has no attribute '{name}'")

    @property
    def times(self):
        """The seconds for each run of the statement."""
        return [time / self.number_per_run for time in self.raw_times]

    @functools.cached_property
    def _quartiles(self):
        return tuple(np.quantile(self.times, (0.25, 0.5, 0.75)).tolist())

    @property
    def median(self):
        """The median of `times`."""
        return self._quartiles[1]

    @property
    def mean(self):
        """The mean of `times`."""
        return float(np.mean(self.times))

    @property
    def iqr(self):
        """The interquartile range of `times`."""
        return self._quartiles[2] - self._quartiles[0]

    @property
    def significant_figures(self):
        """How many figures of the median can be trusted, roughly: 1 to 4."""
        times, n = sorted(self.times), len(self.raw_times)
        middle = times[n // 4 : math.ceil(3 * n / 4)]
        interval = max(1.645 * float(np.std(middle)) / math.sqrt(len(middle)), LEAST_INTERVAL)
        return min(max(math.floor(math.log10(self.median / interval)), 1), MOST_FIGURES)

    def meets_confidence(self, threshold=WARN_AT):
        """Whether the interquartile range is less than this part of the median."""
        return self.iqr / self.median < threshold

    @property
    def _warning(self):
        """What to think of times that vary much; empty where they do not."""
        if self.meets_confidence(WARN_AT):
            return ""
        cause = "This could indicate system fluctuation."
        if not self.meets_confidence(WARN_LOUDLY_AT):
            cause = "This suggests significant environmental influence."
        return (
            f"  WARNING: Interquartile range is {self.iqr / self.median * 100:.1f}% of the median "
            f"measurement.\n           {cause}"
        )

    @property
    def has_warnings(self):
        """Whether the times vary much."""
        return bool(self._warning)

    @property
    def title(self):
        """The title of what was measured."""
        return self.task_spec.title

    @property
    def as_row_name(self):
        """What a row of a table is called."""
        return self.sub_label or self.stmt or "[Unknown]"

    def __repr__(self):
        n, runs, threads = len(self.raw_times), self.number_per_run, self.num_threads
        unit, scale = select_unit(self.median)
        low, median, high = (x / scale for x in self._quartiles)
        lines = [object.__repr__(self), self.task_spec.summarize()]
        lines.append(f"  {'Median: ' if n > 1 else ''}{median:.2f} {unit}")
        if n >= 4:
            spread = self.iqr / scale
            lines.append(f"  IQR:    {spread:.2f} {unit} ({low:.2f} to {high:.2f})")
        each = "per measurement," if n > 1 else ","
        lines.append(
            f"  {n} measurement{'s' if n > 1 else ''}, {runs} runs {each} {threads} "
            f"thread{'s' if threads > 1 else ''}"
        )
        return "\n".join(filter(None, [*lines, self._warning]))

    @staticmethod
    def merge(measurements):
        """Those of equal tasks as one each, in order of appearance."""
        groups = {}
        for m in measurements:
            groups.setdefault(m.task_spec, []).extend(m.times)
        return [Measurement(1, times, task) for task, times in groups.items()]


def select_unit(t):
    """(unit, its seconds) to write a time in.

    >>> from flambeau.utils.benchmark import select_unit
    >>> select_unit(0.025)
    ('ms', 0.001)
    """
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(math.floor(math.log10(t) / 3), "s")
    return unit, UNITS[unit][0]


def unit_to_english(u):
    """The word for a unit."""
    return UNITS[u][1]


def trim_sigfig(x, n):
    """`x` rounded to n significant figures. Raises AssertionError unless n is whole.

    >>> from flambeau.utils.benchmark import trim_sigfig
    >>> trim_sigfig(3.14159, 2)
    3.1
    """
    if n != int(n):
        raise AssertionError("Number of significant figures must be an integer")
    scale = 10.0 ** (math.ceil(math.log10(abs(x))) - n)
    return round(x / scale) * scale


def ordered_unique(elements):
    """A list of the elements, each once, in order of appearance."""
    return list(dict.fromkeys(elements))


@contextlib.contextmanager
def set_torch_threads(n):
    """A context in which flambeau uses n threads."""
    before = flambeau.get_num_threads()
    try:
        flambeau.set_num_threads(n)
        yield
    finally:
        flambeau.set_num_threads(before)
