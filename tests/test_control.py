"""`flambeau.cond` and `flambeau.while_loop`."""

import pytest

import flambeau


def test_cond():
    x = flambeau.tensor([1.0, 2.0], requires_grad=True)
    y = flambeau.cond(x.sum() > 0, lambda x: x.sin(), lambda x: x.cos(), (x,))
    y.sum().backward()
    assert flambeau.allclose(x.grad, x.detach().cos())
    assert flambeau.cond(False, lambda: 1, lambda: 2) == 2


def test_cond_errors():
    x = flambeau.ones(2)
    with pytest.raises(RuntimeError, match="single-element"):
        flambeau.cond(x > 0, flambeau.neg, flambeau.abs, (x,))
    with pytest.raises(RuntimeError, match="callable"):
        flambeau.cond(True, 3, flambeau.abs, (x,))
    with pytest.raises(RuntimeError, match="tuple"):
        flambeau.cond(True, flambeau.neg, flambeau.abs, x)
    with pytest.raises(RuntimeError, match="bool or tensor"):
        flambeau.cond("yes", flambeau.neg, flambeau.abs, (x,))


def test_while_loop():
    n, x = flambeau.while_loop(
        lambda n, x: n < 4, lambda n, x: (n + 1, x * 2), (flambeau.tensor(0), flambeau.ones(2))
    )
    assert n.item() == 4
    assert x.tolist() == [16.0, 16.0]


def test_while_loop_errors():
    with pytest.raises(RuntimeError, match="1 values"):
        flambeau.while_loop(lambda n: n < 1, lambda n: (n, n), (0,))
    with pytest.raises(RuntimeError, match="scalar"):
        flambeau.while_loop(lambda n: flambeau.ones(2) > 0, lambda n: n, (0,))
    with pytest.raises(RuntimeError, match="callable"):
        flambeau.while_loop(None, lambda n: n, (0,))
