"""`flambeau.nn.lazy_conv` against torch."""

import copy
import pickle

import pytest

import flambeau
from flambeau import nn

SIZES = (6, 5, 4)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind", ["LazyConv", "LazyConvTranspose"])
def test_first_call(torch, n, kind):
    results = []
    for lib in (flambeau, torch):
        lib.manual_seed(3)
        layer = getattr(lib.nn, f"{kind}{n}d")(4, 3, stride=2, groups=2)
        before = repr(layer)
        out = layer(lib.zeros(2, 6, *SIZES[:n]))
        results.append((before, repr(layer), layer.weight.tolist(), layer.bias.tolist()))
        assert type(layer) is getattr(lib.nn, f"{kind[4:]}{n}d")
        results[-1] += (tuple(out.shape),)
    assert results[0] == results[1]


def test_unbatched_without_bias():
    layer = nn.LazyConv1d(4, 3, bias=False)
    assert layer(flambeau.zeros(5, 6)).shape == (4, 4)
    assert layer.weight.shape == (4, 5, 3)


def test_parameters_without_a_shape():
    layer = nn.LazyConv2d(4, 3, dtype=flambeau.float64)
    assert repr(layer.weight) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        _ = layer.weight.shape
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other(flambeau.zeros(1, 2, 5, 5, dtype=flambeau.float64)).shape == (1, 4, 3, 3)
        assert other.weight.dtype == flambeau.float64


def test_states():
    full = nn.Conv2d(2, 4, 3)
    layer = nn.LazyConv2d(4, 3)
    layer.load_state_dict(full.state_dict())
    x = flambeau.randn(1, 2, 5, 5)
    assert flambeau.equal(layer(x), full(x))
    empty = nn.LazyConv2d(4, 3)
    other = nn.LazyConv2d(4, 3)
    assert repr(empty.state_dict()["bias"]) == "<UninitializedParameter>"
    other.load_state_dict(empty.state_dict())
    assert other.has_uninitialized_params()


def test_errors():
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D"):
        nn.LazyConv2d(4, 3)(flambeau.zeros(4, 4))
    with pytest.raises(ValueError, match="in_channels must be divisible"):
        nn.LazyConv2d(4, 3, groups=2)(flambeau.zeros(1, 3, 4, 4))
