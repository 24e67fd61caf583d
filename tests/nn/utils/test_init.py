"""Modules without initial values."""

import pytest

import flambeau
from flambeau.nn.utils import skip_init


def test_the_module_is_there_and_no_random_number_is_drawn():
    flambeau.manual_seed(1)
    expected = flambeau.rand(3)
    flambeau.manual_seed(1)
    layer = skip_init(flambeau.nn.Linear, 3, 4, bias=False, dtype=flambeau.float64)
    assert layer.weight.shape == (4, 3)
    assert layer.weight.dtype is flambeau.float64
    assert layer.weight.requires_grad
    assert layer.bias is None
    assert flambeau.equal(flambeau.rand(3), expected)


def test_errors():
    with pytest.raises(RuntimeError, match="Expected a Module"):
        skip_init(dict)
    with pytest.raises(RuntimeError, match="'device' arg"):
        skip_init(flambeau.nn.ReLU)
