"""`autograd.grad` goes no further than its targets, and frees no more than its way."""

import pytest

import flambeau

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def behind_a_target(t):
    w = leaf(t, 1.0, 2.0)
    h = w * w
    first = t.autograd.grad(t.unbind(h * h), h)
    return first, t.autograd.grad(h[0], w)


@program
def behind_a_target_after_a_sync_point(t):
    w = leaf(t, 1.0, 2.0)
    h = (w * w).exp()
    o = h.sin()
    h.tolist()
    first = t.autograd.grad(o.sum(), h)
    return first, t.autograd.grad(h.sum(), w)


@program
def two_ways_from_a_target(t):
    w = leaf(t, 1.0, 2.0)
    h = w * w
    i = h.sin()
    first = t.autograd.grad(i[0], h, retain_graph=True)
    second = t.autograd.grad(i[1], h)
    return first, second, t.autograd.grad((h * h).sum(), w)


@program
def target_behind_a_target(t):
    w = leaf(t, 1.0, 2.0)
    h = w.exp()
    first = t.autograd.grad((h * h).sum(), [h, w])
    return first, t.autograd.grad(h.sum(), w)


@program
def way_that_was_freed(t):
    w = leaf(t, 1.0, 2.0)
    x = leaf(t, 3.0, 4.0)
    h = (w * x).exp()
    first = t.autograd.grad(h.exp().sum(), x)
    return first, t.autograd.grad(h.sum(), w)


@pytest.mark.parametrize("run", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, run):
    agree(run)


def test_earlier_graphs_are_left_alone():
    calls = []
    w = flambeau.ones(3, requires_grad=True)
    w.exp().sum().item()
    for _ in range(4):
        w.register_hook(lambda g: calls.append(1))
        loss = w.sin().sum()
        loss.item()
        (g,) = flambeau.autograd.grad(loss, w, create_graph=True)
        w = w - g
        assert len(calls) == 1
        calls.clear()
