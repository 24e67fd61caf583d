"""What a profile notes: `Event`s, and their averages in a table."""

from collections import Counter

__all__ = ["Average", "Event", "EventList", "Label", "region_names"]

_SHOWN = 4  # operations in the name of a kernel
_KEYS = ("cpu_time", "cpu_time_total", "self_cpu_time_total", "count", "cpu_memory_usage", "flops")


class Label:
    """What there is to say of a call, or of a node that was interpreted, the same in every run.

    name: its operations and lines. shares: {region: its part of the time}. shape: of the result.
    lines: sorted (file, line) pairs. nbytes, flops: what it stores and computes.
    """

    __slots__ = ("flops", "lines", "name", "nbytes", "shape", "shares")

    def __init__(self, kind, names, lines, shape, weights, nbytes):
        counts = Counter(names)
        if len(counts) > 1:
            del counts["cast"]
        shown = [name if n == 1 else f"{n} {name}" for name, n in counts.items()]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        self.lines = sorted(lines)
        self.name = f"{kind}: {', '.join(shown[:_SHOWN])}{more} ({_places(self.lines)})"
        self.shape, self.nbytes, self.flops = tuple(shape), nbytes, sum(weights.values())
        whole = self.flops or 1
        self.shares = {region: weight / whole for region, weight in weights.items()}


def _places(lines):
    """'train.py:12,14 model.py:3' of (file, line) pairs."""
    by_file = {}
    for file, line in lines:
        by_file.setdefault(file.replace("\\", "/").rpartition("/")[2], []).append(str(line))
    return " ".join(f"{file}:{','.join(found[:3])}" for file, found in by_file.items())


def region_names(region):
    """The ranges and modules of a region, outermost first."""
    return (*region[0], *region[1]) if region else ()


class Event:
    """Something that took time: from `start` to `end`, in nanoseconds of a clock.

    kind: "kernel", "numpy" (a call, or a node that was interpreted), "python", "program",
        "compile", "range" (of `record_function`) or "step". own: the time outside of events within.
    """

    __slots__ = ("end", "kind", "label", "name", "own", "start", "thread")
    count, input_shapes = 1, ""  # what tables show of averages

    def __init__(self, name, kind, start, end, own, thread, label=None):
        self.name, self.kind, self.start, self.end = name, kind, start, end
        self.own, self.thread, self.label = own, thread, label

    @property
    def cpu_time_total(self):
        """How long it took, in microseconds."""
        return (self.end - self.start) / 1e3

    @property
    def self_cpu_time_total(self):
        """How long it took, without what happened within, in microseconds."""
        return self.own / 1e3

    @property
    def cpu_time(self):
        """How long it took: as of averages."""
        return self.cpu_time_total

    @property
    def cpu_memory_usage(self):
        """How many bytes it stored."""
        return 0 if self.label is None else self.label.nbytes

    @property
    def flops(self):
        """How many numbers it computed."""
        return 0 if self.label is None else self.label.flops

    @property
    def key(self):
        """What events of the same sort have in common."""
        return "ProfilerStep*" if self.kind == "step" else self.name

    def __repr__(self):
        return f"<Event {self.kind} {self.name!r} {_time_text(self.cpu_time_total)}>"


class Average:
    """Events of the same sort together. Times are in microseconds."""

    def __init__(self, key, kind):
        self.key, self.kind, self.count = key, kind, 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.flops = 0
        self.input_shapes, self.stack = "", []

    def add(self, total, own, label=None):
        """Count an event."""
        self.count += 1
        self.cpu_time_total += total
        self.self_cpu_time_total += own
        if label is not None:
            self.cpu_memory_usage += label.nbytes
            self.flops += label.flops
            self.stack = [f"{file}({line})" for file, line in label.lines]

    @property
    def cpu_time(self):
        """The average time."""
        return self.cpu_time_total / self.count

    def __repr__(self):
        total = _time_text(self.cpu_time_total)
        return f"<Average {self.key!r} cpu_time={_time_text(self.cpu_time)} total={total}>"


class EventList(list):
    """Events, or averages, with the time of all of them."""

    def __init__(self, items=(), whole=None):
        super().__init__(items)
        self._whole = whole

    @property
    def self_cpu_time_total(self):
        """The time of all, each moment counted once, in microseconds."""
        if self._whole is not None:
            return self._whole
        return sum(e.self_cpu_time_total for e in self)

    def key_averages(self, by_shape=False):
        """The averages of the events of each sort, and of each shape if `by_shape`."""
        found = {}
        for e in self:
            shape = e.label.shape if by_shape and e.label is not None else ""
            average = found.get((e.key, shape))
            if average is None:
                average = found[e.key, shape] = Average(e.key, e.kind)
                average.input_shapes = str(list(shape)) if by_shape and shape else ""
            average.add(e.cpu_time_total, e.self_cpu_time_total, e.label)
        return EventList(found.values(), self.self_cpu_time_total)

    def by_region(self):
        """The averages of each range and module: the time of the kernels whose operations it made.

        `self_cpu_time_total` is without those of the modules in it. `count` is that of kernels.
        """
        found = {}
        for e in self:
            for region, share in e.label.shares.items() if e.label is not None else ():
                names = region_names(region) or ("outside of modules",)
                for name in names:
                    average = found.setdefault(name, Average(name, "module"))
                    time = e.cpu_time_total * share
                    average.add(time, time if name == names[-1] else 0.0)
        whole = sum(a.self_cpu_time_total for a in found.values())
        return EventList(found.values(), whole)

    def total_average(self):
        """All events together."""
        total = Average("Total", "total")
        for e in self:
            total.add(e.cpu_time_total, e.self_cpu_time_total, getattr(e, "label", None))
        return total

    def table(
        self,
        sort_by=None,
        row_limit=100,
        max_src_column_width=75,
        max_name_column_width=55,
        max_shapes_column_width=80,
        header=None,
        top_level_events_only=False,
    ):
        """The averages as a text.

        Args: sort_by: "cpu_time_total", "self_cpu_time_total", "cpu_time", "count",
            "cpu_memory_usage" or "flops"; names of CUDA's times mean those of the CPU.
            row_limit: rows at most; -1 for all. max_name_column_width: longer names are cut.
        Raises: ValueError for something else to sort by.
        """
        rows = list(self)
        if sort_by is not None:
            sort_by = sort_by.replace("cuda", "cpu").replace("device", "cpu")
            if sort_by not in _KEYS:
                raise ValueError(f"sort_by={sort_by!r}: expected one of {', '.join(_KEYS)}")
            rows.sort(key=lambda a: getattr(a, sort_by), reverse=True)
        hidden = len(rows) - row_limit if 0 <= row_limit < len(rows) else 0
        rows = rows[: len(rows) - hidden]
        whole = self.self_cpu_time_total
        lines = [_HEAD, *(_row(a, whole, max_name_column_width) for a in rows)]
        if any(a.input_shapes for a in rows):
            lines = [[*line, s] for line, s in zip(lines, _shapes(rows), strict=True)]
        text = _aligned(lines)
        if header is not None:
            text = f"{header}\n{text}"
        if hidden:
            text += f"\n{hidden} more rows"
        return f"{text}\nSelf CPU time total: {_time_text(whole)}"

    def __str__(self):
        return self.table()


_HEAD = [
    "Name",
    "Self CPU %",
    "Self CPU",
    "CPU total %",
    "CPU total",
    "CPU time avg",
    "# of Calls",
]


def _row(a, whole, width):
    name = a.key if width is None or len(a.key) <= width else a.key[: width - 3] + "..."
    times = a.self_cpu_time_total, a.cpu_time_total
    cells = [name]
    for time in times:
        cells += [f"{100 * time / whole if whole else 0:.2f}%", _time_text(time)]
    return [*cells, _time_text(a.cpu_time), str(a.count)]


def _shapes(rows):
    return ["Result shape", *(a.input_shapes for a in rows)]


def _time_text(microseconds):
    """A time in the unit that suits it.

    >>> _time_text(1500.0)
    '1.500ms'
    """
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    return f"{microseconds / 1e3:.3f}ms" if microseconds >= 1e3 else f"{microseconds:.3f}us"


def _aligned(lines):
    """Rows of cells as columns between rules, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("-" * w for w in widths)
    made = [
        "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(pairs)).rstrip()
        for pairs in (list(zip(line, widths, strict=True)) for line in lines)
    ]
    return "\n".join([rule, made[0], rule, *made[1:], rule])
