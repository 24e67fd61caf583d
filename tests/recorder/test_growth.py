"""A graph that grows from one training step to the next is told of."""

import warnings

import pytest

import flambeau
from flambeau.recorder import growth


def train(add, steps=250):
    """The lines of the warnings in some steps that keep a running loss by `add`."""
    w = flambeau.nn.Parameter(flambeau.ones(3))
    optimizer = flambeau.optim.SGD([w], lr=0.01)
    total = flambeau.zeros(())
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(steps):
            loss = (w * 2 - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total = add(total, loss)
    return [w for w in told if "grown" in str(w.message)]


def kept(total, loss):
    return total * 1.0 + loss


@pytest.fixture
def untold(monkeypatch):
    monkeypatch.setattr(growth, "_told", set())


def test_running_loss(untold):
    (warning,) = train(kept)
    assert warning.category is UserWarning
    assert warning.filename == __file__
    assert warning.lineno == kept.__code__.co_firstlineno + 1
    assert "loss.item()" in str(warning.message)


def test_error_in_strict_mode(untold):
    flambeau.set_strict()
    try:
        with pytest.raises(RuntimeError, match="has grown over"):
            train(kept)
    finally:
        flambeau.set_strict(False)


@pytest.mark.parametrize("part", ["detach", "item"])
def test_what_does_not_grow(untold, part):
    assert train(lambda total, loss: total + getattr(loss, part)()) == []


def test_long_graph_of_one_pass(untold):
    w = flambeau.nn.Parameter(flambeau.ones(3))
    total = flambeau.zeros(())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(150):
            total = total + (w * i).sum()
            total.item()
        total.backward()
    assert w.grad.tolist() == [sum(range(150))] * 3
