"""Calls at once, and futures of their results."""

import pytest

import flambeau
from flambeau import futures, jit


def test_fork_and_wait():
    future = jit.fork(flambeau.add, flambeau.ones(2), other=flambeau.ones(2))
    assert isinstance(future, futures.Future)
    assert future.done()
    assert jit.wait(future).tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError):
        jit.fork(flambeau.mm, flambeau.ones(2, 3), flambeau.ones(2, 3))
