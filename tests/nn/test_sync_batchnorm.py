"""`flambeau.nn.sync_batchnorm` against torch."""

import pytest

import flambeau
from flambeau import nn


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (2, 3, 4, 2)])
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"bias": False, "momentum": None}])
def test_training_then_evaluation(twins, shape, options):
    ours, theirs = twins.build("SyncBatchNorm", 3, **options)
    for _ in range(2):
        twins.check_module((ours, theirs), twins.randn(*shape))
    twins.check_module((ours.eval(), theirs.eval()), twins.randn(*shape))


def test_conversion(torch):
    found = []
    for t in (flambeau, torch):
        inner = t.nn.Sequential(t.nn.BatchNorm1d(2, affine=False), t.nn.ReLU())
        net = t.nn.Sequential(t.nn.BatchNorm2d(3, eps=0.1), inner, t.nn.GroupNorm(1, 2)).eval()
        weight, mean = net[0].weight, net[0].running_mean
        made = t.nn.SyncBatchNorm.convert_sync_batchnorm(net)
        assert made is net
        assert made[0].weight is weight
        assert made[0].running_mean is mean
        alone = t.nn.SyncBatchNorm.convert_sync_batchnorm(t.nn.BatchNorm1d(2))
        found.append((repr(made), made[0].training, list(made.state_dict()), repr(alone)))
    assert found[0] == found[1]


@pytest.mark.parametrize("shape", [(3,), (2, 0, 3)])
def test_what_it_refuses(torch, shape):
    texts = []
    for t in (flambeau, torch):
        with pytest.raises(ValueError) as caught:
            t.nn.SyncBatchNorm(3)(t.ones(shape))
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_group_is_remembered():
    assert nn.SyncBatchNorm(3, process_group="all").process_group == "all"
