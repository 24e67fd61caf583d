"""`flambeau.nn.parallel.replicate`."""

import flambeau
from flambeau import nn
from flambeau.nn.parallel import replicate


def test_replicas_share_parameters():
    net = nn.Sequential(nn.Linear(2, 3, bias=False), nn.BatchNorm1d(3))
    first, second = replicate(net, ["cpu", "cpu"])
    assert first is not net
    assert first[0] is not second[0]
    assert list(first.parameters()) == []
    assert repr(first) == repr(net)
    x = flambeau.ones(4, 2)
    (first(x) + second(x)).sum().backward()
    assert net[0].weight.grad.shape == (3, 2)
    assert net[1].bias.grad.tolist() == [8.0, 8.0, 8.0]


def test_detached():
    net = nn.Linear(2, 1)
    (made,) = replicate(net, ["cpu"], detach=True)
    assert not made(flambeau.ones(1, 2)).requires_grad


def test_a_module_held_twice():
    relu = nn.ReLU()
    (made,) = replicate(nn.Sequential(relu, relu), ["cpu"])
    assert made[0] is made[1]
