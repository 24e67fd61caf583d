"""The order in memory of the weights of convolutions: a hint, which changes no value."""

import pytest

import flambeau
from flambeau import nn
from flambeau.nn import utils


@pytest.mark.parametrize(
    ("convert", "kind", "changed"),
    [
        (utils.convert_conv2d_weight_memory_format, "channels_last", (0, 1)),
        (utils.convert_conv3d_weight_memory_format, "channels_last_3d", (3, 4)),
    ],
)
def test_the_values_stay(convert, kind, changed):
    net = nn.Sequential(
        *(nn.Conv2d(3, 4, 2), nn.ConvTranspose2d(4, 3, 2), nn.Conv1d(3, 2, 2)),
        *(nn.Conv3d(3, 4, 2), nn.ConvTranspose3d(3, 4, 2)),
    )
    weights = [layer.weight for layer in net]
    before = [weight.detach().clone() for weight in weights]
    memory = [weight.data_ptr() for weight in weights]
    assert convert(net, getattr(flambeau, kind)) is net
    for layer, weight, value in zip(net, weights, before, strict=True):
        assert layer.weight is weight
        assert flambeau.equal(weight, value)
    moved = [i for i, w in enumerate(weights) if w.data_ptr() != memory[i]]
    assert tuple(moved) == changed
