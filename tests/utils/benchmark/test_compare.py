"""Tables of measurements, character by character those of torch."""

import importlib
import random

import pytest

SPECS = {
    "one": [("f(x)", {"description": "d"})],
    "labels": [
        ("f", {"label": "a", "sub_label": "s", "description": "d"}),
        ("g", {"label": "b", "description": "d"}),
    ],
    "grid": [
        ("f", {"label": "l", "sub_label": s, "description": d, "num_threads": n})
        for n in (1, 4)
        for s in ("small", "a large one")
        for d in ("old", "new", "a very long one")
        if (s, d, n) != ("small", "new", 4)
    ],
    "environments": [
        ("f", {"label": "l", "sub_label": s, "env": e, "description": "d"})
        for s in ("x", "y")
        for e in ("one", "another")
    ],
    "replicates": [(f, {"label": "l", "description": "d"}) for f in ("f", "f", "g")],
}


def measurements(lib, name, spread, blocks):
    """Measurements with made-up times, the same for each library."""
    benchmark = importlib.import_module(f"{lib}.utils.benchmark")
    rng = random.Random(name)
    result = []
    for stmt, kwargs in SPECS[name]:
        base = 10 ** rng.uniform(-7, -2)
        times = [100 * base * (1 + rng.uniform(0, spread)) for _ in range(blocks)]
        task = benchmark.TaskSpec(stmt, "pass", **kwargs)
        result.append(benchmark.Measurement(100, times, task))
    return benchmark, result


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize(("spread", "blocks"), [(0.001, 1), (0.05, 7), (1.0, 12)])
@pytest.mark.parametrize("option", [None, "trim", "columns", "rows", "warnings"])
def test_tables(torch, name, spread, blocks, option):
    tables = []
    for lib in ("flambeau", "torch"):
        benchmark, results = measurements(lib, name, spread, blocks)
        table = benchmark.Compare(results[:1])
        table.extend_results(results[1:])
        if option == "trim":
            table.trim_significant_figures()
        elif option == "warnings":
            table.highlight_warnings()
        elif option is not None:
            table.colorize(rowwise=option == "rows")
        tables.append(str(table))
    assert tables[0] == tables[1]


def test_columns_without_a_name():
    """They are an error in torch."""
    benchmark, results = measurements("flambeau", "one", 0, 1)
    task = benchmark.TaskSpec("g", "pass")
    assert "g     |       |  1000.0" in str(
        benchmark.Compare([*results, benchmark.Measurement(1, [1.0], task)])
    )


def test_other_things_are_refused():
    benchmark, results = measurements("flambeau", "one", 0, 1)
    table = benchmark.Compare(results)
    with pytest.raises(ValueError, match="Expected an instance of `Measurement`"):
        table.extend_results([1.0])


def test_print(capsys):
    benchmark, results = measurements("flambeau", "one", 0, 1)
    benchmark.Compare(results).print()
    assert "Times are in" in capsys.readouterr().out
