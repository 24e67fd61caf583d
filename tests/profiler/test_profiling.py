"""`profile`: its schedule, what it exports, and its older form."""

import gzip
import json

import pytest

import flambeau
from flambeau.profiler import (
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)


@pytest.mark.parametrize(
    "plan",
    [
        {"wait": 1, "warmup": 1, "active": 2},
        {"wait": 0, "warmup": 0, "active": 1, "repeat": 2},
        {"wait": 2, "warmup": 0, "active": 1, "skip_first": 3},
        {"wait": 2, "warmup": 1, "active": 1, "repeat": 2, "skip_first": 1, "skip_first_wait": 1},
    ],
)
@pytest.mark.filterwarnings("ignore:Profiler won")
def test_schedule(torch, plan):
    """Actions are those of PyTorch."""
    ours, theirs = schedule(**plan), torch.profiler.schedule(**plan)
    assert [ours(k).name for k in range(20)] == [theirs(k).name for k in range(20)]


def test_wrong_schedules():
    """Arguments that make no sense."""
    for plan in ({"wait": -1, "warmup": 0, "active": 1}, {"wait": 0, "warmup": 0, "active": 0}):
        with pytest.raises(AssertionError, match="schedule arguments"):
            schedule(**plan)
    with pytest.raises(AssertionError, match="non-negative"):
        schedule(wait=0, warmup=0, active=1)(-1)


def test_steps():
    """Only active steps are noted, and handed over at the end of each stretch."""
    seen = []

    def ready(prof):
        names = {e.name for e in prof.events() if e.kind == "step"}
        seen.append((prof.step_num, sorted(names)))

    plan = schedule(wait=1, warmup=1, active=2, repeat=2)
    with profile(activities=[ProfilerActivity.CPU], schedule=plan, on_trace_ready=ready) as prof:
        for _ in range(10):
            flambeau.ones(3).exp().tolist()
            prof.step()
    assert seen == [
        (4, ["ProfilerStep#2", "ProfilerStep#3"]),
        (8, ["ProfilerStep#6", "ProfilerStep#7"]),
    ]
    assert "ProfilerStep*" in {a.key for a in prof.key_averages()}
    assert supported_activities() == {ProfilerActivity.CPU}


def test_ready_at_the_end():
    """Without a schedule everything is handed over at the end."""
    seen = []
    with profile(on_trace_ready=seen.append) as prof:
        flambeau.ones(3).exp().tolist()
    assert seen == [prof]
    prof.stop()
    assert seen == [prof]


def test_one_at_a_time():
    """A second profile is refused; a third after it is fine."""
    with profile(), pytest.raises(RuntimeError, match="one at a time"):
        profile().start()
    with profile():
        pass


def test_ranges():
    """Ranges are named also where they decorate, and cost nothing outside of a profile."""

    @record_function("inner")
    def work(x):
        return x.exp()

    with record_function("outside"):
        work(flambeau.ones(2))
    with profile() as prof, record_function("outer"):
        work(flambeau.ones(2)).tolist()
    found = {a.key: a for a in prof.modules()}
    assert found["outer"].cpu_time_total == found["inner"].cpu_time_total > 0
    assert [e.name for e in prof.events() if e.kind == "range"] == ["inner", "outer"]


def test_shapes():
    """Kernels of different shapes apart."""
    with profile(record_shapes=True) as prof:
        for n in (3, 4):
            flambeau.arange(float(n)).exp().tolist()
    shapes = {a.input_shapes for a in prof.key_averages() if a.kind == "kernel"}
    assert shapes == {"[3]", "[4]"}


def test_files(tmp_path):
    """Traces for Chrome and TensorBoard, and stacks for flame graphs."""
    net = flambeau.nn.Sequential(flambeau.nn.Linear(3, 2))
    with profile(on_trace_ready=tensorboard_trace_handler(tmp_path / "tb", "me", True)) as prof:
        net(flambeau.ones(2, 3)).tolist()
        prof.add_metadata("run", "first")
        prof.add_metadata_json("list", "[1, 2]")
    prof.export_chrome_trace(tmp_path / "trace.json")
    trace = json.loads((tmp_path / "trace.json").read_text())
    assert (trace["run"], trace["list"]) == ("first", [1, 2])
    kernels = [e for e in trace["traceEvents"] if e["cat"] == "kernel"]
    assert any("Sequential/Sequential.0" in e["args"]["modules"] for e in kernels)
    assert {"ph", "ts", "dur", "pid", "tid"} <= kernels[0].keys()
    (path,) = (tmp_path / "tb").iterdir()
    assert path.name.startswith("me.")
    with gzip.open(path, "rt") as f:
        assert json.load(f)["traceEvents"]
    prof.export_stacks(str(tmp_path / "stacks"))
    assert "Sequential;Sequential.0;" in (tmp_path / "stacks").read_text()
    with pytest.raises(ValueError, match="metric"):
        prof.export_stacks(str(tmp_path / "stacks"), "beauty")


def test_older_form():
    """`autograd.profiler.profile`, on and off."""
    older = flambeau.autograd.profiler
    with older.profile() as prof, older.record_function("part"):
        flambeau.ones(3).exp().tolist()
    assert "part" in prof.table(sort_by="cpu_time_total")
    assert prof.self_cpu_time_total > 0
    assert prof.total_average().count == len(prof.events())
    assert "Self CPU time total" in str(prof)
    assert "part" in prof.events().table(sort_by="flops")
    with older.profile(enabled=False) as prof:
        flambeau.ones(3).exp().tolist()
    assert len(prof.events()) == 0
