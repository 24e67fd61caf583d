"""`flambeau.nn.lazy_linear` against torch."""

import pytest

import flambeau
from flambeau import nn


@pytest.mark.parametrize("options", [{}, {"bias": False}])
def test_first_call(torch, options):
    results = []
    for t in (flambeau, torch):
        t.manual_seed(3)
        layer = t.nn.LazyLinear(4, **options)
        before = repr(layer), repr(layer.state_dict()["weight"])
        out = layer(t.zeros(2, 3, 6))
        assert type(layer) is t.nn.Linear
        state = {name: value.tolist() for name, value in layer.state_dict().items()}
        results.append((*before, repr(layer), state, tuple(out.shape), layer.in_features))
    assert results[0] == results[1]


def test_states():
    full, layer = nn.Linear(2, 4), nn.LazyLinear(4)
    layer.load_state_dict(full.state_dict())
    x = flambeau.randn(3, 2)
    assert flambeau.equal(layer(x), full(x))
    assert layer.in_features == 2
