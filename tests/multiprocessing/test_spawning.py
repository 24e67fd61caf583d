"""Processes that run one function: their results and their ends."""

import os
import pickle
import signal
import time

import pytest

import flambeau
from flambeau import multiprocessing as mp


def mark(rank, x):
    x[rank] = rank + 1.0


def fail(rank):
    if rank == 1:
        raise ValueError("of the second")
    time.sleep(60)


def leave(rank):
    os._exit(3)


def die(rank):
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt(rank):
    raise KeyboardInterrupt


def test_spawn():
    x = flambeau.zeros(2)
    assert mp.spawn(mark, (x,), nprocs=2) is None
    assert x.tolist() == [1, 2]


def test_start_processes():
    x = flambeau.zeros(3).share_memory_()
    context = mp.start_processes(mark, (x,), 3, join=False, start_method="fork")
    assert len(context.pids()) == 3
    while not context.join(timeout=20):
        pass
    assert context.join()
    assert x.tolist() == [1, 2, 3]


def test_an_exception_arrives():
    started = time.monotonic()
    with pytest.raises(mp.ProcessRaisedException, match="of the second") as caught:
        mp.start_processes(fail, nprocs=2, start_method="fork")
    assert "-- Process 1 terminated with the following error:\nTraceback" in str(caught.value)
    assert caught.value.error_index == 1
    assert time.monotonic() - started < 30  # the other was not waited for
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


@pytest.mark.parametrize(
    ("function", "text", "code"),
    [(leave, "process 0 terminated with exit code 3", 3), (die, "with signal SIGKILL", -9)],
)
def test_ends(function, text, code):
    with pytest.raises(mp.ProcessExitedException, match=text) as caught:
        mp.start_processes(function, start_method="fork")
    assert caught.value.exit_code == code
    assert pickle.loads(pickle.dumps(caught.value)).exit_code == code


def test_an_interrupt_is_no_error():
    assert mp.start_processes(interrupt, start_method="fork") is None


def test_other_methods_are_told():
    with pytest.warns(FutureWarning, match="only supports start_method=spawn"):
        mp.spawn(interrupt, start_method="fork")


def test_names():
    for name in mp.__all__:
        getattr(mp, name)
    assert mp.__all__ == sorted(mp.__all__)
