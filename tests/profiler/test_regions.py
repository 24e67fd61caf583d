"""Regions: the ranges and modules that a record was made in."""

import flambeau
from flambeau.autograd.watch import lines
from flambeau.profiler.regions import NOWHERE, Regions, region_of
from flambeau.recorder.trace import local


def test_ranges_and_modules():
    """A record knows the ranges and modules around it; a derivative those of its operation."""
    net, seen = flambeau.nn.Sequential(flambeau.nn.Linear(2, 2)), []

    def note(*_):
        seen.append(region_of(local.trace.segment.node))

    net[0].register_forward_pre_hook(note)
    x = flambeau.ones(1, 2)
    with Regions() as regions:
        regions.open("part")
        y = net(x)
        note()
        regions.close()
        note()
        y.sum().backward()
        note()
    assert seen == [
        (("part",), ("Sequential", "Sequential.0")),
        (("part",), ()),
        ((), ()),
        ((), ()),
    ]
    assert regions.current == NOWHERE
    assert lines.check is lines.done is None


def test_same_values():
    """What is computed is the same, also the second time and with other regions in between."""
    net = flambeau.nn.Sequential(flambeau.nn.Linear(3, 4), flambeau.nn.Tanh())
    x, grads = flambeau.rand(5, 3), []
    for within in (False, True, True, False, True):
        net.zero_grad()
        if within:
            with Regions():
                net(x).sum().backward()
                grads.append(net[0].weight.grad.tolist())
        else:
            net(x).sum().backward()
            grads.append(net[0].weight.grad.tolist())
    for found in grads[1:]:
        assert flambeau.allclose(flambeau.tensor(found), flambeau.tensor(grads[0]))
