"""The former home of `functional_call`."""

import pytest

import flambeau
from flambeau.nn.utils import stateless


def test_functional_call():
    layer = flambeau.nn.Linear(2, 1)
    weights = {"weight": flambeau.ones(1, 2), "bias": flambeau.zeros(1)}
    with pytest.warns(FutureWarning, match=r"torch\.func\.functional_call"):
        result = stateless.functional_call(layer, weights, flambeau.tensor([1.0, 2.0]))
    assert result.tolist() == [3.0]
