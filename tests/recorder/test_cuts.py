"""What many traces of different lengths have in common is cut in pieces, each known."""

import gc
import random

import numpy as np
import pytest

import flambeau
from flambeau.recorder import cuts, states


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """No line has been noted yet."""
    monkeypatch.setattr(cuts, "_cut", {})
    monkeypatch.setattr(cuts, "_forks", {})
    flambeau.synchronize()


def read(lib, words, cell, out, answers):
    """Steps of a network over words, then over answers, each of another number each time."""
    h = lib.zeros(1, 4)
    seen = lib.zeros(9, 4)
    for k, word in enumerate(words):
        h = lib.tanh(cell(lib.cat((word[None], h), 1)))
        seen[k] = h[0]
    loss = 0
    for answer in answers:
        h = lib.tanh(cell(lib.cat((answer[None], h), 1)))
        loss = loss + ((out(h) + seen.sum(0) - answer.sum()) ** 2).mean()
    loss.backward()
    return loss


def learn(lib, lengths):
    """The losses of some steps, and how many states each of them added."""
    lib.manual_seed(3)
    cell, out = lib.nn.Linear(6, 4), lib.nn.Linear(4, 4)
    optimizer = lib.optim.SGD([*cell.parameters(), *out.parameters()], 0.002)
    data = lib.arange(24.0).reshape(12, 2) / 24
    losses, added = [], []
    for n, m in lengths:
        before = states._states
        optimizer.zero_grad()
        loss = read(lib, data[:n], cell, out, data[n : n + m])
        optimizer.step()
        losses.append(loss.item())
        added.append(states._states - before)
    return losses, added


def test_sequences_of_two_lengths(torch):
    choose = random.Random(0)
    lengths = [(choose.randint(1, 8), choose.randint(1, 4)) for _ in range(60)]
    theirs, _ = learn(torch, lengths)
    ours, added = learn(flambeau, lengths)
    np.testing.assert_allclose(ours, theirs, rtol=2e-5)
    assert cuts._cut
    assert sum(added[-20:]) < 0.1 * sum(added[:20])


def test_loops_of_one_length_are_not_cut():
    learn(flambeau, [(5, 3)] * 4)
    _, added = learn(flambeau, [(5, 3)] * 8)
    assert not cuts._cut
    assert not any(added[-4:])


def test_branches(torch):
    """Which of two lines runs is another matter each time."""

    def program(lib):
        x, choose, seen = lib.ones(3), random.Random(1), []
        w = lib.full((3,), 0.5, requires_grad=True)
        for _ in range(30):
            y = x * w
            for _ in range(6):
                if choose.random() < 0.5:
                    y = y.sin()
                else:
                    y = (y + 0.25).cos()
            y.sum().backward()
            seen.append(w.grad.tolist())
        return seen

    theirs = program(torch)
    np.testing.assert_allclose(program(flambeau), theirs, rtol=1e-5)
    assert cuts._cut


def test_threads_and_transforms_see_no_cut():
    x = flambeau.arange(6.0).reshape(3, 2)

    def f(v, n):
        for _ in range(n):
            v = v * 2
        return v + 1

    for n in [*range(1, 9)] * 2:
        assert flambeau.vmap(lambda v, n=n: f(v, n))(x).tolist() == f(x, n).tolist()
        grad = flambeau.func.grad(lambda v, n=n: f(v, n).sum())(x)
        assert grad.tolist() == [[2.0**n] * 2] * 3


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
    monkeypatch.setattr(cuts, "PIECE", 16)
    monkeypatch.setattr(cuts, "ENDS", 3)
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


def test_gradients_after_traces_were_forgotten():
    """What is known of a backward pass is never taken for that of a trace forgotten meanwhile."""
    functions = [flambeau.sin, flambeau.exp, lambda v: v * 3, lambda v: v, lambda v: v + v.sin()]
    slopes = [np.cos, np.exp, lambda v: 0 * v + 3, lambda v: 0 * v + 1, lambda v: 1 + np.cos(v)]
    values = np.linspace(-1, 1, 5)
    seed = flambeau.ones(5, dtype=flambeau.float64)
    choose = random.Random(2)
    for _ in range(60):
        k = choose.randrange(5)
        x = flambeau.tensor(values, requires_grad=True)
        y = functions[k](x.clone() if choose.random() < 0.5 else x + 0)
        flambeau.synchronize()
        (grad,) = flambeau.autograd.grad(y, x, seed, allow_unused=True)
        np.testing.assert_allclose(grad.numpy(), slopes[k](values))
        del x, y, grad
        states.forget(lambda state: not isinstance(state.op, states.Structure))
        gc.collect()
