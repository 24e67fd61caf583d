"""Metrics and their means."""

import functools
import math

import pytest

import flambeau
from flambeau.train import accuracy, mean_absolute_error, top_k_accuracy
from flambeau.train.metrics import Means, named


def test_accuracy():
    """Of classes, of pixels, of two classes."""
    logits = flambeau.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [5.0, 0.0, 6.0]])
    assert accuracy(logits, flambeau.tensor([0, 1, 0])).item() == pytest.approx(2 / 3)
    assert top_k_accuracy(2)(logits, flambeau.tensor([0, 0, 0])).item() == pytest.approx(2 / 3)
    images = flambeau.stack([flambeau.zeros(2, 4, 4), flambeau.ones(2, 4, 4)], 1)
    assert accuracy(images, flambeau.ones(2, 4, 4).long()).item() == 1
    two = flambeau.tensor([1.0, -1.0])
    assert accuracy(two, flambeau.tensor([1.0, 1.0])).item() == 0.5
    assert mean_absolute_error(two, flambeau.zeros(2)).item() == 1


def test_names():
    """Metrics as dicts, lists and functions."""
    assert list(named([accuracy, top_k_accuracy(3)])) == ["accuracy", "top 3 accuracy"]
    assert list(named(mean_absolute_error)) == ["mean absolute error"]
    assert list(named([functools.partial(accuracy), flambeau.nn.L1Loss()])) == [
        "accuracy",
        "L1Loss",
    ]
    assert named(None) == {}
    assert named({"x": accuracy}) == {"x": accuracy}


def test_means():
    """Batches count by their samples; the state goes on."""
    means = Means(["a"])
    assert math.isnan(means.result()["a"])
    means.add({"a": flambeau.tensor(1.0)}, 3)
    other = Means(["a"])
    other.load_state_dict(means.state_dict())
    other.add({"a": 5.0}, 1)
    assert other.result() == {"a": 2.0}
    assert means.result() == {"a": 1.0}
