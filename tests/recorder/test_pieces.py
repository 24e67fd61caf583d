"""What many traces of different lengths have in common is cut in pieces, each known."""

import numpy as np

import flambeau
from flambeau.recorder import states


def walk(steps, w):
    """A loop whose length is another each time, and its gradient."""
    x = flambeau.ones(3)
    for _ in range(steps):
        x = flambeau.tanh(x * w + 1.0)
    loss = x.sum()
    loss.backward()
    return loss.item()


def expected(steps, w):
    x, slope = np.ones(3), np.zeros(3)
    for _ in range(steps):
        y = np.tanh(x * w + 1.0)
        slope = (1 - y**2) * (slope * w + x)
        x = y
    return x.sum(), slope.sum()


def test_loops_of_many_lengths(monkeypatch):
    monkeypatch.setattr(states, "PIECE", 16)
    monkeypatch.setattr(states, "ENDS", 3)
    flambeau.synchronize()
    added = []
    for steps in [*range(20, 40)] * 4:
        w = flambeau.full((3,), 0.7, dtype=flambeau.float64, requires_grad=True)
        before = states._states
        loss = walk(steps, w)
        added.append(states._states - before)
        value, slope = expected(steps, 0.7)
        np.testing.assert_allclose(loss, value)
        np.testing.assert_allclose(w.grad.sum().item(), slope)
    assert not any(added[-20:])
