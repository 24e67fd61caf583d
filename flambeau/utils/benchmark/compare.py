"""Tables of measurements: a row for each task, a column for each description."""

import enum
import math

from .measurement import (
    Measurement,
    ordered_unique,
    select_unit,
    trim_sigfig,
    unit_to_english,
)

__all__ = ["Colorize", "Compare"]

BEST, GOOD, BAD, VERY_BAD = "\033[92m", "\033[34m", "\033[2m\033[91m", "\033[31m"
BOLD, END = "\033[1m", "\033[0m"


class Colorize(enum.Enum):
    """What a time is compared with for its colour."""

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """A table of measurements.

    A table for each `label`; a row for each `sub_label` (or statement), number of threads and
    `env`; a column for each `description`. Measurements of one task are merged.

    Args: results: measurements.

    Raises ValueError for anything else.

    >>> from flambeau.utils.benchmark import Compare, Measurement, TaskSpec
    >>> tasks = [TaskSpec("f(x)", "pass", label="f", description=d) for d in ("old", "new")]
    >>> Compare([Measurement(1, [k * 2e-3], tasks[k - 1]) for k in (1, 2)]).print()
    [---------- f -----------]
                |  old  |  new
    1 threads: ---------------
          f(x)  |  2.0  |  4.0
    <BLANKLINE>
    Times are in milliseconds (ms).
    <BLANKLINE>
    """

    def __init__(self, results):
        self._results = []
        self.extend_results(results)
        self._trim_significant_figures = False
        self._colorize = Colorize.NONE
        self._highlight_warnings = False

    def extend_results(self, results):
        """Add measurements. Raises ValueError for anything else."""
        for result in results:
            if not isinstance(result, Measurement):
                raise ValueError(
                    f"Expected an instance of `Measurement`, got {type(result)} instead."
                )
        self._results.extend(results)

    def trim_significant_figures(self):
        """Show no more figures than can be trusted."""
        self._trim_significant_figures = True

    def colorize(self, rowwise=False):
        """Show by colours what is fast and slow, within columns or within rows."""
        self._colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self):
        """Show how much times vary, where they do so much."""
        self._highlight_warnings = True

    def print(self):
        """Print the tables."""
        print(str(self))

    def __str__(self):
        groups = {}
        for m in Measurement.merge(self._results):
            groups.setdefault(m.label, []).append(m)
        options = (self._trim_significant_figures, self._colorize, self._highlight_warnings)
        return "\n".join(_Table(group, *options).render() for group in groups.values())


class _Column:
    """How the times of a column are written."""

    def __init__(self, times, scale, trim, warn):
        times = [m for m in times if m is not None]
        self.trim, self.warn = trim, warn and any(m.has_warnings for m in times)
        digits = [math.ceil(math.log10(m.median / scale)) for m in times]
        decimals = 1
        if trim:
            pairs = zip(times, digits, strict=True)
            decimals = min(max(m.significant_figures - d, 0) for m, d in pairs)
        width = max(digits) + decimals + bool(decimals)
        self.scale = scale
        self.template = f"{{:>{width}.{decimals}f}}{{:>{7 if self.warn else 0}}}"

    def write(self, m):
        """The text of a measurement; blanks where there is none."""
        if m is None:
            return " " * len(self.template.format(1, ""))
        value, spread = m.median / self.scale, ""
        if self.trim:
            value = trim_sigfig(value, m.significant_figures)
        if self.warn and m.has_warnings:
            spread = f" (! {m.iqr / m.median * 100:.0f}%)"
        return self.template.format(value, spread)


class _Table:
    """The measurements of one label."""

    def __init__(self, results, trim, colorize, warn):
        self.results, self.colorize, self.warn = results, colorize, warn
        self.unit, scale = select_unit(min(m.median for m in results))
        keys = ordered_unique((m.num_threads, m.env, m.as_row_name) for m in results)
        self.keys = sorted(keys, key=lambda key: (key[0], key[1] or ""))
        self.names = ordered_unique(m.description for m in results)
        cells = {(m.num_threads, m.env, m.as_row_name, m.description): m for m in results}
        self.rows = [[cells.get((*key, name)) for name in self.names] for key in self.keys]
        self.columns = [_Column(times, scale, trim, warn) for times in zip(*self.rows, strict=True)]

    def render(self):
        """The table as text."""
        texts = [["", *(name or "" for name in self.names)]]
        for first, row in zip(self._row_names(), self.rows, strict=True):
            cells = (column.write(m) for column, m in zip(self.columns, row, strict=True))
            texts.append([first, *cells])
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        lines = ["  |  ".join(t.center(w) for t, w in zip(texts[0], widths, strict=True))]
        width, threads = len(lines[0]), None
        for key, row, text in zip(self.keys, self.rows, texts[1:], strict=True):
            if key[0] != threads:
                threads = key[0]
                lines.append(f"{threads} threads: ".ljust(width, "-"))
            lines.append("  |  ".join(self._painted(threads, row, text, widths)))
        title = f" {self.results[0].label or ''} ".center(width - 2, "-")
        lines = [f"[{title}]", *lines, "", f"Times are in {unit_to_english(self.unit)}s "]
        lines[-1] += f"({self.unit})."
        if self.warn and any(m.has_warnings for m in self.results):
            lines.append(
                "(! XX%) Measurement has high variance, where XX is the IQR / median * 100."
            )
        return "\n".join([*lines, ""])

    def _row_names(self):
        """What each row begins with: its `env` if that is new, and its name."""
        envs = {key[1] for key in self.keys}
        show = len(envs) > 1
        width = (max(len(str(env)) for env in envs) if show else 0) + 4
        before = None
        for threads, env, name in self.keys:
            is_new, before = before != (threads, env), (threads, env)
            yield "  " + (f"({env})" if show and is_new else "").ljust(width) + name

    def _painted(self, threads, row, text, widths):
        """The cells of a row, as wide as their columns and in their colours."""
        yield text[0].ljust(widths[0])
        for i, m in enumerate(row):
            cell = text[i + 1].center(widths[i + 1])
            if self.colorize is Colorize.NONE or m is None:
                yield cell
                continue
            rivals = row
            if self.colorize is Colorize.COLUMNWISE:
                pairs = zip(self.keys, self.rows, strict=True)
                rivals = [other[i] for key, other in pairs if key[0] == threads]
            yield _paint(cell, m.median, min(r.median for r in rivals if r is not None))


def _paint(text, value, best):
    if value <= best * 1.01 or value <= best + 100e-9:
        return BEST + BOLD + text + END * 2
    if value <= best * 1.1:
        return GOOD + BOLD + text + END * 2
    if value >= best * 5:
        return VERY_BAD + BOLD + text + END * 2
    return BAD + text + END * 2 if value >= best * 2 else text
