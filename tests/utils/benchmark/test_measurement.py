"""What a timer measured: statistics and texts, as torch gives them."""

import importlib
import pickle

import pytest

import flambeau
from flambeau.utils import benchmark

TIMES = {
    "one": [2.5e-4],
    "several": [1e-3, 1.1e-3, 1.05e-3, 1.2e-3, 1.01e-3],
    "scattered": [1e-6, 2e-6, 3e-6, 9e-6],
    "uneven": [0.1, 0.101, 0.118, 0.1, 0.11],
    "slow": [12.0, 13.5],
}
TASKS = [
    {"stmt": "f(x)", "setup": "pass"},
    {"stmt": "f(x)", "setup": "x = 1", "sub_label": "small"},
    {"stmt": "y = f(x)\ng(y)", "setup": "x = 1\nimport f", "description": "both"},
    {"stmt": "y = f(x)\ng(y)", "setup": "", "sub_label": "small", "num_threads": 2},
    {"stmt": "f(x)", "setup": "pass", "label": "f", "sub_label": "small", "env": "here"},
]


def both(name, task):
    """The same measurement of both libraries."""
    for lib in ("flambeau", "torch"):
        module = importlib.import_module(f"{lib}.utils.benchmark")
        yield module.Measurement(10, TIMES[name], module.TaskSpec(**task))


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_statistics_and_texts(torch, name, task):
    ours, theirs = both(name, task)
    for attribute in ("median", "mean", "iqr"):
        assert getattr(ours, attribute) == pytest.approx(getattr(theirs, attribute), abs=1e-15)
    for attribute in ("times", "has_warnings", "significant_figures", "title", "as_row_name"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    for attribute in ("stmt", "setup", "label", "description", "env", "num_threads"):
        assert getattr(ours, attribute) == getattr(theirs, attribute)
    assert ours.meets_confidence(0.5) == theirs.meets_confidence(0.5)
    assert str(ours).splitlines()[1:] == str(theirs).splitlines()[1:]


def test_merge_and_pickle():
    task = benchmark.TaskSpec("f", "pass")
    first, second = benchmark.Measurement(1, [2.0], task), benchmark.Measurement(2, [6.0], task)
    other = benchmark.Measurement(1, [1.0], benchmark.TaskSpec("g", "pass"))
    merged = benchmark.Measurement.merge([first, other, second])
    assert [m.raw_times for m in merged] == [[2.0, 3.0], [1.0]]
    assert pickle.loads(pickle.dumps(second)) == second
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        first.nothing  # noqa: B018


@pytest.mark.parametrize("x", [3.14159, 0.0271828, 271.8, 99.99])
@pytest.mark.parametrize("n", [1, 2, 4])
def test_figures_and_units(torch, x, n):
    theirs = importlib.import_module("torch.utils.benchmark")
    assert benchmark.trim_sigfig(x, n) == pytest.approx(theirs.trim_sigfig(x, n), rel=1e-6)
    for scale in (1e-10, 1e-6, 1e-4, 1.0):
        unit = benchmark.select_unit(x * scale)
        assert unit == theirs.select_unit(x * scale)
        assert benchmark.unit_to_english(unit[0]) == theirs.unit_to_english(unit[0])
    with pytest.raises(AssertionError, match="must be an integer"):
        benchmark.trim_sigfig(x, 1.5)


def test_threads_and_order():
    before = flambeau.get_num_threads()
    with benchmark.set_torch_threads(1):
        assert flambeau.get_num_threads() == 1
    assert flambeau.get_num_threads() == before
    assert benchmark.ordered_unique([2, 1, 2, 3, 1]) == [2, 1, 3]
