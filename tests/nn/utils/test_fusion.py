"""A layer and its batch normalisation as one layer."""

import pytest

import flambeau
from flambeau.nn import utils

CASES = [
    ("Conv1d", (2, 4, 3), "BatchNorm1d", (2, 2, 6), False),
    ("Conv2d", (2, 4, 3), "BatchNorm2d", (2, 2, 6, 6), False),
    ("ConvTranspose2d", (2, 4, 3), "BatchNorm2d", (2, 2, 6, 6), True),
]


def normalisation(twins, name, **kwargs):
    """A pair of batch normalisations in evaluation mode that have seen data."""
    ours, theirs = twins.build(name, 4, **kwargs)
    state = {k: twins.rand(*v.shape, grad=False) for k, v in theirs.state_dict().items()}
    state["num_batches_tracked"] = twins.torch.tensor(1)
    theirs.load_state_dict(state)
    ours.load_state_dict(twins.ours(state))
    return ours.eval(), theirs.eval()


@pytest.mark.parametrize(("layer", "args", "norm", "shape", "transpose"), CASES)
@pytest.mark.parametrize(("bias", "affine"), [(True, True), (False, True), (True, False)])
def test_convolutions(twins, layer, args, norm, shape, transpose, bias, affine):
    pair = twins.build(layer, *args, bias=bias)
    norms = normalisation(twins, norm, affine=affine)
    ours = utils.fuse_conv_bn_eval(pair[0].eval(), norms[0], transpose)
    theirs = twins.torch.nn.utils.fuse_conv_bn_eval(pair[1].eval(), norms[1], transpose)
    for name in ("weight", "bias"):
        mine, yours = getattr(ours, name), getattr(theirs, name)
        twins.close(mine, yours)
        assert mine.requires_grad == yours.requires_grad
    x = twins.randn(*shape, grad=False)
    twins.close(ours(twins.ours(x)), norms[1](pair[1](x)), slack=10)


@pytest.mark.parametrize("bias", [True, False])
def test_linear(twins, bias):
    pair, norms = twins.build("Linear", 3, 4, bias=bias), normalisation(twins, "BatchNorm1d")
    ours = utils.fuse_linear_bn_eval(pair[0].eval(), norms[0])
    theirs = twins.torch.nn.utils.fuse_linear_bn_eval(pair[1].eval(), norms[1])
    twins.close(ours.weight, theirs.weight)
    twins.close(ours.bias, theirs.bias)
    assert [p.requires_grad for p in ours.parameters()] == [
        p.requires_grad for p in theirs.parameters()
    ]


def test_weights_of_other_dtypes(twins):
    half = twins.randn(4, 3, dtype="float16")
    vectors = [twins.rand(4) for _ in range(4)]
    arguments = (half, None, vectors[0], vectors[1], 1e-5, vectors[2], vectors[3])
    for name in ("fuse_linear_bn_weights", "fuse_conv_bn_weights"):
        ours = getattr(utils, name)(*twins.ours(arguments))
        assert ours[0].dtype is flambeau.float16
        assert ours[1].dtype is flambeau.float16


def test_errors():
    conv, norm = flambeau.nn.Conv1d(2, 3, 1), flambeau.nn.BatchNorm1d(3)
    with pytest.raises(AssertionError, match="Fusion only for eval"):
        utils.fuse_conv_bn_eval(conv, norm.eval())
    untracked = flambeau.nn.BatchNorm1d(3, track_running_stats=False).eval()
    with pytest.raises(AssertionError, match="must not be None"):
        utils.fuse_conv_bn_eval(conv.eval(), untracked)
    with pytest.raises(AssertionError, match="out_features"):
        utils.fuse_linear_bn_eval(flambeau.nn.Linear(2, 4).eval(), norm)
