"""`flambeau.nn.utils.convert_parameters`."""

import pytest

import flambeau
from flambeau import nn
from flambeau.nn import utils


def test_there_and_back():
    net = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(net.parameters())
    assert vector.tolist() == net.weight.flatten().tolist() + net.bias.tolist()
    utils.vector_to_parameters(flambeau.arange(8.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert net.bias.tolist() == [6.0, 7.0]
    assert net.weight.requires_grad


def test_vector_is_differentiable():
    net = nn.Linear(3, 2)
    utils.parameters_to_vector(net.parameters()).sum().backward()
    assert net.weight.grad.tolist() == [[1.0] * 3] * 2


def test_errors():
    with pytest.raises(TypeError, match="expected torch.Tensor, but got: list"):
        utils.vector_to_parameters([1.0], [])
