"""`flambeau.nn.dropout`: random in training, nothing in evaluation."""

import pytest

import flambeau
from flambeau import nn

NAMES = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]
DIMS = {"Dropout1d": (3,), "Dropout3d": (2, 2, 2)}


@pytest.mark.parametrize("name", NAMES)
def test_training_and_evaluation(twins, name):
    layer, _ = twins.build(name, 0.4)
    x = flambeau.ones(3, 20, *DIMS.get(name, (2, 2)))
    assert (layer(x) != x).any()
    assert layer.eval()(x) is x


@pytest.mark.parametrize("name", NAMES)
def test_inplace(twins, name):
    layer, _ = twins.build(name, 0.4, True)
    x = flambeau.ones(3, 20, *DIMS.get(name, (2, 2)))
    assert layer(x) is x


@pytest.mark.parametrize("name", NAMES)
def test_probability_is_checked(twins, name):
    twins.same_error(f"nn.{name}", 1.5, text="between 0 and 1, but got 1.5")


def test_two_calls_differ():
    layer, x = nn.Dropout(), flambeau.ones(1000)
    assert (layer(x) != layer(x)).any()
