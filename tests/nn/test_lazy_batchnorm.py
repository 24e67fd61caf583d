"""`flambeau.nn.lazy_batchnorm` against torch."""

import copy

import pytest

import flambeau
from flambeau import nn

SIZES = (5, 4, 3)
OPTIONS = [
    {},
    {"affine": False},
    {"bias": False, "eps": 0.1},
    {"track_running_stats": False, "momentum": 0.5},
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind", ["BatchNorm", "InstanceNorm"])
@pytest.mark.parametrize("options", OPTIONS)
def test_first_call(twins, n, kind, options):
    x = twins.randn(2, 3, *SIZES[:n])
    results = []
    for t in (flambeau, twins.torch):
        layer = getattr(t.nn, f"Lazy{kind}{n}d")(**options)
        before = repr(layer), list(map(repr, layer.state_dict().items()))
        made = layer(twins.ours(x) if t is flambeau else x)
        assert type(layer) is getattr(t.nn, f"{kind}{n}d")
        results.append((before, repr(layer), made, dict(layer.state_dict())))
    ours, theirs = results
    assert ours[0] == theirs[0]
    if options.get("affine", True) or options.get("track_running_stats", True):
        assert ours[1] == theirs[1]  # where nothing has a size torch does not learn it
    twins.close(ours[2], theirs[2])
    assert list(ours[3]) == list(theirs[3])
    for name, value in ours[3].items():
        twins.close(value, theirs[3][name], name)


def test_dtype():
    for layer in (nn.LazyBatchNorm1d(dtype=flambeau.float64), nn.LazyBatchNorm1d().double()):
        assert layer(flambeau.ones(2, 3).double()).dtype == flambeau.float64
        assert layer.running_mean.dtype == flambeau.float64


def test_states():
    full, empty = nn.BatchNorm1d(3), nn.LazyBatchNorm1d()
    full(flambeau.randn(4, 3))
    other = copy.deepcopy(empty)
    other.load_state_dict(empty.state_dict())
    assert other.has_uninitialized_params()
    other.load_state_dict(full.state_dict())
    x = flambeau.randn(4, 3)
    assert flambeau.equal(other.eval()(x), full.eval()(x))
    assert other.num_features == 3


def test_without_a_batch():
    layer = nn.LazyInstanceNorm1d()
    assert layer(flambeau.randn(3, 5)).shape == (3, 5)
    assert layer.num_features == 3


def test_number_of_dims():
    with pytest.raises(ValueError, match="expected 4D input"):
        nn.LazyBatchNorm2d()(flambeau.ones(2, 3))
