"""Futures: values that are set once, waited for, and gone on with."""

import threading

import pytest

import flambeau
from flambeau.futures import Future, collect_all, wait_all


def test_wait_in_another_thread():
    """A thread that waits gets the value that another one sets."""
    future, seen = Future(), []
    thread = threading.Thread(target=lambda: seen.append(future.wait()))
    thread.start()
    future.set_result(flambeau.ones(2))
    thread.join()
    assert seen[0].tolist() == [1, 1]
    assert future.done()


def test_set_once(torch):
    """A second value, and a value that is not there yet, are errors of PyTorch's class."""
    for lib in (flambeau, torch):
        future = lib.futures.Future()
        with pytest.raises(RuntimeError):
            future.value()
        future.set_result(1)
        with pytest.raises(RuntimeError, match="marked completed once"):
            future.set_result(2)
        with pytest.raises(AssertionError, match="not an Exception"):
            lib.futures.Future().set_exception("no")


def test_exceptions(torch):
    """What a callback raises is raised where its future is waited for."""
    for lib in (flambeau, torch):
        future = lib.futures.Future()
        after = future.then(lambda f: f.wait() / 0)
        future.set_result(1)
        with pytest.raises(Exception, match="ZeroDivision|division by zero"):
            after.wait()
        failed = lib.futures.Future()
        failed.set_exception(ValueError("lost"))
        with pytest.raises(ValueError, match="lost"):
            failed.wait()


def test_callbacks():
    """Callbacks run when the value is set, or at once."""
    future, seen = Future(), []
    future.add_done_callback(lambda f: seen.append(f.value()))
    chained = future.then(lambda f: f.wait() + 1).then(lambda f: f.wait() * 2)
    assert seen == []
    future.set_result(3)
    future.add_done_callback(lambda f: seen.append("at once"))
    assert seen == [3, "at once"]
    assert chained.wait() == 8


def test_many():
    """All of several futures."""
    futures = [Future() for _ in range(3)]
    together = collect_all(futures)
    for k, future in enumerate(futures):
        assert not together.done()
        future.set_result(k)
    assert [f.wait() for f in together.wait()] == [0, 1, 2]
    assert wait_all(futures) == [0, 1, 2]
    assert wait_all([]) == []
    failed = Future()
    failed.set_exception(KeyError("x"))
    with pytest.raises(KeyError):
        wait_all([*futures, failed])
