"""`debug_nans` names the operation and the line that a NaN came from."""

import sys

import pytest

import flambeau
from flambeau import config


@pytest.fixture(params=["numpy", "llvm"])
def watching(monkeypatch, request):
    monkeypatch.setattr(config, "backend", request.param)
    flambeau.debug_nans()
    yield
    flambeau.debug_nans(False)


def line():
    """The number of the line that calls."""
    return sys._getframe(1).f_lineno


def test_first_operation(watching):
    x = flambeau.tensor([1.0, -1.0]) * 2
    y = x.log()
    where = line() - 1
    with pytest.raises(FloatingPointError, match=rf"log made the first NaN, at .*:{where}: .*-2"):
        (y + 1).sum().item()
    assert x.tolist() == [2.0, -2.0]


def test_gradient(watching):
    x = flambeau.zeros(3, requires_grad=True)
    (x * x).sqrt().sum().backward()
    where = line() - 1
    with pytest.raises(FloatingPointError, match=rf"made the first NaN, at .*:{where}"):
        x.grad.tolist()


def test_infinity_before(watching):
    y = flambeau.full((2,), 1e30) ** 2
    where = line() - 1
    with pytest.raises(FloatingPointError, match=rf"an infinity was made by .*:{where}"):
        (y - y).tolist()


def test_input(watching):
    x = flambeau.tensor([1.0, float("nan")])
    with pytest.raises(FloatingPointError, match="a NaN was in a tensor"):
        (x + 1).tolist()


def test_what_nobody_sees(watching):
    x = flambeau.tensor([4.0, -1.0])
    roots = flambeau.where(x > 0, x.sqrt(), flambeau.zeros(2))
    assert roots.tolist() == [2.0, 0.0]


def test_in_place(watching):
    x = flambeau.tensor([0.0, 1.0])
    flambeau.synchronize()
    x.div_(x)
    where = line() - 1
    with pytest.raises(FloatingPointError, match=rf"div made the first NaN, at .*:{where}"):
        x.tolist()


def test_several_results(watching):
    x = flambeau.tensor([[0.0, 0.0]])
    y = (x / x).sort(1).values
    with pytest.raises(FloatingPointError, match="div made the first NaN"):
        y.tolist()


def test_off():
    assert str(flambeau.tensor([0.0]).log().sub(1).item()) == "-inf"
    assert not config.nans
