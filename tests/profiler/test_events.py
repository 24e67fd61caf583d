"""Averages of events, and their table."""

import pytest

from flambeau.profiler.events import Event, EventList, Label

REGION = (("train",), ("Net", "Net.head"))


def label(shape=(2, 3), region=REGION):
    return Label(
        "row", ["exp", "sum", "cast"], {("/a/b.py", 3), ("/a/b.py", 1)}, shape, {region: 4}, 24
    )


@pytest.fixture
def events():
    """Two runs of a kernel, in two shapes, within a program."""
    first = Event(label().name, "kernel", 1000, 4000, 3000, 1, label())
    second = Event(first.name, "kernel", 5000, 6000, 1000, 1, label((4,), None))
    return EventList([first, second, Event("running a program", "program", 0, 10_000, 6000, 1)])


def test_averages(events):
    """Events of one name are counted together, of one shape if asked."""
    kernel, program = events.key_averages()
    assert kernel.key == "row: exp, sum (b.py:1,3)"
    assert (kernel.count, kernel.cpu_time_total, kernel.cpu_time) == (2, 4.0, 2.0)
    assert (kernel.cpu_memory_usage, kernel.flops) == (48, 8)
    assert kernel.stack == ["/a/b.py(1)", "/a/b.py(3)"]
    assert (program.cpu_time_total, program.self_cpu_time_total) == (10.0, 6.0)
    assert [a.input_shapes for a in events.key_averages(True)] == ["[2, 3]", "[4]", ""]
    assert events.self_cpu_time_total == 10.0
    assert "Average 'row" in repr(kernel)
    assert "Event kernel" in repr(events[0])


def test_regions(events):
    """The time of a kernel belongs to all regions around its operations."""
    found = {a.key: (a.cpu_time_total, a.self_cpu_time_total) for a in events.by_region()}
    assert found == {
        "train": (3.0, 0.0),
        "Net": (3.0, 0.0),
        "Net.head": (3.0, 3.0),
        "outside of modules": (1.0, 1.0),
    }


def test_shared():
    """What two modules have in one kernel is divided."""
    weights = {((), ("A",)): 1, ((), ("B",)): 3}
    both = Label("row", ["add"], {("x.py", 1)}, (1,), weights, 4)
    found = EventList([Event("k", "kernel", 0, 4000, 4000, 1, both)]).by_region()
    assert {a.key: a.cpu_time_total for a in found} == {"A": 1.0, "B": 3.0}
    assert found.total_average().count == 2


def test_table(events):
    """Rows are sorted, cut and counted."""
    averages = events.key_averages()
    text = averages.table(sort_by="self_cpu_time_total", max_name_column_width=10)
    lines = text.splitlines()
    assert lines[1].split()[:3] == ["Name", "Self", "CPU"]
    assert lines[3].startswith("running...")
    assert lines[-1] == "Self CPU time total: 10.000us"
    assert "1 more row" in averages.table(row_limit=1, header="Title")
    assert averages.table(header="Title").startswith("Title\n")
    assert "[2, 3]" in events.key_averages(True).table(sort_by="cuda_time_total")
    assert str(averages) == averages.table()
    with pytest.raises(ValueError, match="expected one of"):
        averages.table(sort_by="beauty")
