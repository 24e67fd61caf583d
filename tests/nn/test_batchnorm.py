"""`flambeau.nn.batchnorm` against torch."""

import pytest

import flambeau
from flambeau import nn

SHAPES = [
    ("BatchNorm1d", (4, 3)),
    ("BatchNorm1d", (4, 3, 5)),
    ("BatchNorm2d", (2, 3, 4, 2)),
    ("BatchNorm3d", (2, 3, 2, 2, 2)),
    ("InstanceNorm1d", (4, 3, 5)),
    ("InstanceNorm1d", (3, 5)),
    ("InstanceNorm2d", (2, 3, 4, 2)),
    ("InstanceNorm2d", (3, 4, 2)),
    ("InstanceNorm3d", (2, 3, 2, 2, 2)),
]
OPTIONS = [
    {},
    {"momentum": 0.5, "eps": 0.01},
    {"momentum": None},
    {"affine": False},
    {"affine": True, "bias": False},
    {"affine": True, "track_running_stats": True},
    {"track_running_stats": False},
]


@pytest.mark.parametrize(("name", "shape"), SHAPES)
@pytest.mark.parametrize("options", OPTIONS)
def test_training_then_evaluation(twins, name, shape, options):
    ours, theirs = twins.build(name, 3, **options)
    for _ in range(3):
        twins.check_module((ours, theirs), twins.randn(*shape))
    twins.check_module((ours.eval(), theirs.eval()), twins.randn(*shape))


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_number_of_dims(twins, name, shape):
    ours, theirs = twins.build(name, 3)
    wrong = twins.randn(*(2, 3, 4, 5, 6, 7)[: 6 if len(shape) > 2 else 1])
    texts = []
    for module, x in ((ours, twins.ours(wrong)), (theirs, wrong)):
        with pytest.raises(ValueError) as caught:
            module(x)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_instance_norm_checks_channels():
    with pytest.raises(ValueError, match="to match num_features \\(3\\), but got: 4"):
        nn.InstanceNorm1d(3, affine=True)(flambeau.ones(2, 4, 5))
    with pytest.warns(UserWarning, match="does not match num_features"):
        nn.InstanceNorm1d(3)(flambeau.ones(2, 4, 5))


def test_single_value_per_channel():
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm1d(3)(flambeau.ones(1, 3))


def test_statistics_do_not_take_part_in_gradients():
    layer = nn.BatchNorm1d(3)
    layer(flambeau.randn(4, 3).requires_grad_())
    assert not layer.running_mean.requires_grad
    assert not layer.running_var.requires_grad
    assert layer.num_batches_tracked.item() == 1


def test_reset_running_stats():
    layer = nn.BatchNorm1d(2)
    layer(flambeau.randn(4, 2) + 5)
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0.0, 0.0]
    assert layer.running_var.tolist() == [1.0, 1.0]
    assert layer.num_batches_tracked.item() == 0
