"""The stopwatch: what it runs, how often, and that nothing recorded escapes it."""

import pytest

import flambeau
from flambeau.utils.benchmark import Language, Timer, timer
from flambeau.utils.benchmark.timing import _synchronized


def counted(stmt="f()", **kwargs):
    """A timer whose statement counts its runs, on a clock that goes on by a second each."""
    runs = []
    clock = iter(range(10**9))

    def tick():
        return float(len(runs) + 1e-6 * next(clock))

    return runs, Timer(stmt, globals={"f": lambda: runs.append(1)}, timer=tick, **kwargs)


def test_timeit():
    runs, watch = counted(label="l", sub_label="s", description="d", env="e", num_threads=2)
    measured = watch.timeit(300)
    assert len(runs) == 303
    assert measured.number_per_run == 300
    assert measured.median == pytest.approx(1.0, rel=1e-3)
    assert (measured.label, measured.sub_label, measured.description) == ("l", "s", "d")
    assert (measured.env, measured.num_threads, measured.stmt) == ("e", 2, "f()")


def test_blocked_autorange():
    seen = []
    _, watch = counted()
    measured = watch.blocked_autorange(lambda n, t: seen.append((n, t)), min_run_time=500)
    assert measured.number_per_run == 1
    assert len(measured.raw_times) == len(seen) == 500
    assert seen[0][1] == pytest.approx(1.0, rel=1e-3)


def test_adaptive_autorange():
    _, watch = counted()
    assert len(watch.adaptive_autorange(0.1).raw_times) == 4
    assert len(watch.adaptive_autorange(0.0, max_run_time=20).raw_times) == 20


def test_every_run_is_computed():
    """Results that nobody uses would be dropped, if the timer did not ask for them."""
    x, runs, really = flambeau.ones(4), [], flambeau.synchronize
    flambeau.synchronize = lambda: runs.append(1) or really()
    try:
        for stmt in ("x + 1", "z = x + 1", "if True:\n    x + 1", "pass", ""):
            runs.clear()
            Timer(stmt, globals={"x": x}).timeit(3)
            assert len(runs) == 5 + 4, stmt  # each run, and each look at the clock
    finally:
        flambeau.synchronize = really


def test_the_last_value_is_kept_until_it_is_computed():
    assert _synchronized("y = x\nx + 1") == "y = x\n_result_of_stmt = x + 1\n_synchronize()"
    assert _synchronized("y = x") == "y = x\n_synchronize()"


def test_names_and_setup():
    code = """
        y = torch.ones(3)
        assert y.sum() == total
    """
    measured = Timer(code, setup="\n    total = 3\n").timeit(2)
    assert measured.stmt == "y = torch.ones(3)\nassert y.sum() == total"
    assert measured.setup == "total = 3"
    assert timer() < timer()


def test_errors():
    with pytest.raises(ValueError, match="Currently only a `str`"):
        Timer(lambda: 1)
    for language in ("c++", Language.CPP, "r"):
        with pytest.raises(ValueError, match="Invalid language"):
            Timer("f()", language=language)
    with pytest.raises(ValueError, match=r"C\+\+ only"):
        Timer("f()", global_setup="#include <x>")
    with pytest.raises(SyntaxError):
        Timer("f(")
