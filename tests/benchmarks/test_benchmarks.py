"""The benchmarks run: tiny rounds, and no look at the clock."""

import json
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.__main__
    import benchmarks.report

    return benchmarks


def test_two_workloads(torch, benchmarks):
    results = list(benchmarks.__main__.measure(["record", "matmul_64"], [1], 2, 1e-3, 1))
    assert [r.error for r in results] == [None, None]
    for result in results:
        assert result.ratio > 0
        assert set(result.seconds) == {"torch", "flambeau"}
        assert len(result.first["flambeau, kernels on disk"]) == 3
    text = benchmarks.report.table(results)
    assert text.splitlines()[1].startswith("record")
    assert benchmarks.report.table(results, markdown=True).startswith("| workload | cores |")
    assert len(json.loads(benchmarks.report.as_json(results))["results"]) == 2


def test_a_failure_is_a_row(torch, benchmarks, monkeypatch):
    workload = benchmarks.workloads.WORKLOADS["record"]
    broken = type(workload)("no such workload", workload.setup)
    result = benchmarks.compare.compare(broken, [min(_cpus())], 1, 1e-3)
    assert "no such workload" in result.error
    monkeypatch.setitem(benchmarks.workloads.WORKLOADS, broken.name, broken)
    assert "failed" in benchmarks.report.table([result])


def _cpus():
    import os

    return os.sched_getaffinity(0)


def test_what_is_missed_is_told(benchmarks):
    workload = benchmarks.workloads.Workload("w", None, ratio=2.0, seconds=1e-3)
    result = benchmarks.compare.Result("w", 1, {"torch": 1e-3, "flambeau": 1e-3}, 1.0)
    verdict = benchmarks.report.verdict
    assert verdict(workload, result) == "slower"
    result.ratio, result.compiled = 2.0, 3
    assert verdict(workload, result) == "compiled 3"
    result.compiled, result.seconds["flambeau"] = 0, 2e-3
    assert verdict(workload, result) == "too long"
    result.error = "torch: gone"
    assert verdict(workload, result) == "failed"


def test_unknown_names_are_refused(benchmarks, capsys):
    with pytest.raises(SystemExit):
        benchmarks.__main__.main(["no_such"])
    assert "no workload no_such; there are record" in capsys.readouterr().err
    assert benchmarks.__main__.main(["--list"]) == 0
    assert "iris_step" in capsys.readouterr().out
