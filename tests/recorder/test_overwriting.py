"""Updates in the memory of what came before: nobody who still needs the old value may notice."""

import numpy as np
import pytest

import flambeau
from flambeau import config


@pytest.fixture(params=["numpy", "llvm"])
def backend(request, monkeypatch):
    monkeypatch.setattr(config, "backend", request.param)
    monkeypatch.setattr(config, "verify", True)


@pytest.mark.parametrize("grad", [False, True])
def test_a_copy_made_before_an_update(backend, grad):
    p = flambeau.tensor([1.0, 2.0, 3.0]).requires_grad_(grad)
    with flambeau.no_grad():
        for _ in range(5):
            kept = p.clone()
            p.add_(1)
            assert p.tolist() == [2.0, 3.0, 4.0]
            assert kept.tolist() == [1.0, 2.0, 3.0]
            p.copy_(kept)
            assert p.tolist() == [1.0, 2.0, 3.0]


def test_swapping(backend):
    a, b = flambeau.tensor([1.0, 2.0]), flambeau.tensor([3.0, 4.0])
    for _ in range(4):
        (a * 1).tolist(), (b * 1).tolist()
        before = a.clone()
        a.copy_(b)
        b.copy_(before)
        del before
        first, second = a.tolist(), b.tolist()
        a, b = b, a
        assert (second, first) == ([1.0, 2.0], [3.0, 4.0])


def test_each_from_the_other(backend):
    a, b = flambeau.tensor([1.0, 2.0]), flambeau.tensor([3.0, 4.0])
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for _ in range(4):
        sums, rest = a + b, a - b
        a.copy_(sums)
        b.copy_(rest)
        del sums, rest
        x, y = x + y, x - y
        assert a.tolist() == x.tolist()
        assert b.tolist() == y.tolist()


def test_reading_elsewhere_than_writing(backend):
    x = flambeau.arange(6.0)
    for _ in range(3):
        x.tolist()
        x.copy_(x.flip(0) + x)
        x.sub_(x.amax())
    assert x.tolist() == pytest.approx([0.0] * 6)


def test_a_value_saved_for_the_backward_pass(backend):
    w = flambeau.tensor([2.0, 3.0], requires_grad=True)
    for _ in range(4):
        w.grad = None
        loss = (w * w).sum()
        before = w.tolist()
        with flambeau.no_grad():
            w.add_(1.0)
        loss.backward()
        assert w.grad.tolist() == [2 * v for v in before]


def test_slices_of_what_is_updated(backend):
    x = flambeau.arange(8.0)
    expected = np.arange(8.0)
    for _ in range(4):
        x[1:] = x[:-1] * 2
        expected[1:] = expected[:-1].copy() * 2
        x[::2] += 1
        expected[::2] += 1
        assert x.tolist() == expected.tolist()


def test_update_all_with_memory_of_the_outside(backend):
    from flambeau.ops.update import update_all

    arrays = [np.ones(3, np.float32), np.ones(3, np.float32)]
    tensors = [flambeau.from_numpy(a) for a in arrays]
    for k in range(4):
        update_all(_step, [(t,) for t in tensors], [(t * 1,) for t in tensors], (0.5,))
        assert arrays[0].tolist() == [1.5 ** (k + 1)] * 3 == tensors[1].tolist()


def _step(p, g, rate):
    return p + g * rate
