"""`flambeau.nn.linear` against torch."""

import pytest

import flambeau
from flambeau import nn


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 3, 5)])
def test_linear(twins, bias, shape):
    twins.check_module(twins.build("Linear", 5, 4, bias=bias), twins.randn(*shape))


def test_initial_weights_are_those_of_torch(torch):
    states = []
    for lib in (flambeau, torch):
        lib.manual_seed(3)
        layer = lib.nn.Linear(20, 30)
        states.append((layer.weight.tolist(), layer.bias.tolist()))
    assert states[0] == states[1]


def test_options():
    assert nn.Linear(2, 3, dtype=flambeau.float64).weight.dtype == flambeau.float64
    assert nn.Linear(2, 3, device="cpu").bias.shape == (3,)


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear(twins, bias):
    modules = twins.build("Bilinear", 3, 4, 2, bias=bias)
    twins.check_module(modules, twins.randn(5, 3), twins.randn(5, 4))


def test_bilinear_without_inputs(twins):
    twins.same_error("nn.Bilinear", 0, 3, 2)


def test_identity(twins):
    twins.check_module(twins.build("Identity", 54, unused=True), twins.randn(3))
