"""Gradients of what tensors were cut into, against PyTorch."""

import numpy as np
import pytest

import flambeau
from flambeau.recorder.trace import local

DATA = np.random.default_rng(0).standard_normal((6, 5)).astype("float32")

CUTS = {
    "all rows": lambda x: x.unbind(0),
    "all columns": lambda x: x.unbind(1),
    "uneven": lambda x: x.split([1, 3, 2]),
    "chunks": lambda x: x.chunk(4, 1),
    "gaps": lambda x: (x[1], x[3], x[-1]),
    "gaps of slices": lambda x: (x[1:2], x[3:5]),
    "overlaps": lambda x: (x[0:3], x[2:5], x[4]),
    "twice": lambda x: (x[2], x[2], x[3]),
    "both dims": lambda x: (x[0], x[3], x[:, 1], x[:, 4:], x[5]),
    "steps": lambda x: (x[::2], x[1::2], x[2], x[3]),
    "empty": lambda x: (x[2:2], x[1:3], x[3:6]),
    "and the whole": lambda x: (x, x[0], x[1]),
    "a piece of a piece": lambda x: (x[1:4][0], x[1:4][2], x[0], x[5]),
}


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("graph", [False, True])
def test_gradients(torch, name, graph):
    found = []
    for lib in (torch, flambeau):
        x = lib.tensor(DATA, requires_grad=True)
        y = x * 2
        total = sum((p**3 * k).sum() for k, p in enumerate(CUTS[name](y), 1))
        (g,) = lib.autograd.grad(total, x, create_graph=graph)
        if graph:
            (g,) = lib.autograd.grad((g * g).sum(), x)
        found.append(g.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4, atol=1e-4)


def test_hooks_of_pieces_and_of_the_whole(torch):
    found = []
    for lib in (torch, flambeau):
        seen = []
        x = lib.tensor(DATA, requires_grad=True)
        y = x * 1
        y.retain_grad()
        a, b, c = y[0], y[2:4], y[5]
        b.retain_grad()
        a.register_hook(lambda g, seen=seen: seen.append(g.clone()))
        c.grad_fn.register_hook(lambda gi, go, seen=seen: seen.append(go[0].clone()))
        (a.sum() + (b * b).sum() + (c * 3).sum()).backward()
        found.append([*seen, b.grad, y.grad, x.grad])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-5)


def test_a_target_that_is_a_piece(torch):
    for lib in (torch, flambeau):
        x = lib.tensor(DATA, requires_grad=True)
        a, b = x[0], x[1]
        (g,) = lib.autograd.grad((a * a).sum() + b.sum(), [a])
        np.testing.assert_allclose(g.numpy(), 2 * DATA[0], rtol=1e-6)


def test_no_piece_is_padded_to_the_whole():
    def wholes(count):
        flambeau.synchronize()
        x = flambeau.ones(count, 3, requires_grad=True)
        total = sum(p.sum() for p in (x * 2).unbind(0))
        before = local.trace.segment.node.end
        total.backward()
        path = local.trace.segment.node.path()
        return sum(m.shape == x.shape for s in path if s.first >= before for m in s.metas)

    assert wholes(40) == wholes(20)
