"""An index that is another each time the same line runs: a number of the run, not of the record."""

import random

import numpy as np
import pytest

import flambeau
from flambeau.recorder import patches, states, varying
from flambeau.recorder.trace import local


def count_states():
    """How many records the trie of traces knows."""
    count, stack = 0, list(states._roots.values())
    while stack:
        node = stack.pop()
        count += len(node.next)
        stack.extend(node.next.values())
    return count


def settle(step, times=40):
    """Run a step until what varies is known; returns how many records later runs add."""
    local.trace.exposed = False  # no other thread has asked for values
    choose = random.Random(0)
    for _ in range(times):
        step(choose)
    before = count_states()
    for _ in range(times):
        step(choose)
    return count_states() - before


def test_selects_of_a_recorded_value():
    x = flambeau.randn(6, 7, requires_grad=True)

    def step(choose):
        i, j = choose.randrange(6), choose.randrange(7)
        y = x * 2
        loss = y[i, j] * 3 + (y[:, j] ** 2).sum() + y[-1 - i].sum()
        (g,) = flambeau.autograd.grad(loss, x)
        expected = np.zeros((6, 7), np.float32)
        expected[i, j] += 6
        expected[:, j] += 8 * x.detach().numpy()[:, j]
        expected[-1 - i] += 2
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-5)

    assert settle(step) == 0


def test_second_derivatives_of_selects():
    x = flambeau.randn(9, dtype=flambeau.float64, requires_grad=True)
    for i in range(9):
        y = x**3
        (g,) = flambeau.autograd.grad(y[i], x, create_graph=True)
        (h,) = flambeau.autograd.grad(g.sum(), x)
        expected = np.zeros(9)
        expected[i] = 6 * x[i].item()
        np.testing.assert_allclose(h.numpy(), expected)


def test_a_select_that_is_written_through():
    for i in [0, 1, 2, 3, 4, 5, 2, 0]:
        x = flambeau.zeros(6, 2) + 1
        row = x[i]
        row *= 5
        expected = np.ones((6, 2), np.float32)
        expected[i] = 5
        np.testing.assert_array_equal(x.numpy(), expected)
        assert row._base is x
        assert row.storage_offset() == 2 * i


def test_writes_at_computed_indices():
    x, a = flambeau.zeros(7, 4), np.zeros((7, 4), np.float32)

    def step(choose):
        index = flambeau.tensor([choose.randrange(7) for _ in range(5)])
        for k in range(5):
            i = index[k]
            x[i] += 1.0
            a[i.item()] += 1.0
        np.testing.assert_array_equal(x.numpy().copy(), a)

    settle(step)
    assert settle(step) <= 10


@pytest.mark.parametrize("large", [0, 4096])
def test_all_orders_of_reads_and_writes(large, monkeypatch):
    """Small memory written in stretches, whatever else reads and writes it in between."""
    monkeypatch.setattr(patches, "LARGE", large)
    choose = random.Random(large)
    for _ in range(150):
        x, a = flambeau.zeros(6, 4), np.zeros((6, 4), np.float32)
        views = []
        for _ in range(choose.randrange(12)):
            i, j, v = choose.randrange(6), choose.randrange(6), float(choose.randrange(1, 9))
            kind = choose.randrange(8)
            if kind == 0:
                x[i] += v
                a[i] += v
            elif kind == 1:
                x[i, 1:3] = v
                a[i, 1:3] = v
            elif kind == 2:
                x[i] = x[j] * 2
                a[i] = a[j] * 2
            elif kind == 3:
                x[i] += x[j]
                a[i] += a[j]
            elif kind == 4:
                views.append((x[i], a[i]))
            elif kind == 5 and views:
                view, part = choose.choice(views)
                view += v
                part += v
            elif kind == 6:
                views.append((x.sum(0), a.sum(0)))
            else:
                assert x[i, 0].item() == a[i, 0]
        for view, part in [*views, (x, a)]:
            np.testing.assert_array_equal(view.numpy(), part)


def test_other_lines_keep_their_records():
    x = flambeau.randn(5, requires_grad=True)
    for i in range(5):
        (x * 2)[i].backward()
    known = set(varying._lines)
    for _ in range(3):
        (x * 2)[0].backward()
        (x * 2)[1].backward()
    assert varying._lines == known
