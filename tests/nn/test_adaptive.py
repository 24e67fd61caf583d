"""`flambeau.nn.adaptive` against torch."""

import pytest

import flambeau


@pytest.mark.parametrize("head_bias", [False, True])
def test_adaptive_log_softmax(twins, head_bias):
    options = {"div_value": 2.0, "head_bias": head_bias}
    ours, theirs = twins.build("AdaptiveLogSoftmaxWithLoss", 16, 20, [4, 10], **options)
    x, target = twins.randn(7, 16), twins.torch.tensor([0, 3, 4, 9, 10, 19, 1])
    our_x = twins.ours(x)
    our_out, our_loss = ours(our_x, twins.ours(target))
    out, loss = theirs(x, target)
    twins.close((our_out, our_loss), (out, loss))
    leaves = [our_x, *ours.parameters()], [x, *theirs.parameters()]
    twins.check_gradients(our_loss, loss, *leaves)
    twins.close(ours.log_prob(our_x), theirs.log_prob(x))
    twins.close(ours.predict(our_x), theirs.predict(x))


def test_single_sample(twins, torch):
    ours, theirs = twins.build("AdaptiveLogSoftmaxWithLoss", 8, 12, [4])
    x, target = twins.randn(8), torch.tensor(5)
    twins.close(tuple(ours(twins.ours(x), twins.ours(target))), tuple(theirs(x, target)))


def test_reset_parameters(twins):
    ours, _ = twins.build("AdaptiveLogSoftmaxWithLoss", 8, 12, [4])
    before = ours.head.weight.tolist()
    ours.reset_parameters()
    assert ours.head.weight.tolist() != before


@pytest.mark.parametrize("cutoffs", [[], [0], [3, 2], [3, 3], [12], [1.5]])
def test_cutoffs_are_checked(twins, cutoffs):
    twins.same_error("nn.AdaptiveLogSoftmaxWithLoss", 8, 12, cutoffs)


@pytest.mark.parametrize(
    ("shape", "target"), [((3, 8), [1, 2]), ((8,), [1]), ((3, 8), 1), ((2, 8), [[1]])]
)
def test_shapes_are_checked(twins, torch, shape, target):
    ours, theirs = twins.build("AdaptiveLogSoftmaxWithLoss", 8, 12, [4])
    for module, x, t in (
        (ours, flambeau.ones(*shape), flambeau.tensor(target)),
        (theirs, torch.ones(*shape), torch.tensor(target)),
    ):
        with pytest.raises(RuntimeError):
            module(x, t)


def test_classes_are_checked(twins):
    ours, _ = twins.build("AdaptiveLogSoftmaxWithLoss", 8, 12, [4])
    with pytest.raises(RuntimeError, match=r"\[0, 11\], but values in range \[3, 12\]"):
        ours(flambeau.ones(2, 8), flambeau.tensor([3, 12]))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("inner", [(), (2,)])
def test_linear_cross_entropy(twins, bias, inner):
    options = {"bias": bias, "out_features": inner, "label_smoothing": 0.1, "ignore_index": 1}
    modules = twins.build("LinearCrossEntropyLoss", 4, 6, **options)
    twins.check_module(modules, twins.randn(5, 4), twins.randint(6, 5, *inner))


def test_linear_cross_entropy_errors(twins):
    twins.same_error("nn.LinearCrossEntropyLoss", 4, 6, weight=twins.rand(5), text="(6,)")
    twins.same_error("nn.LinearCrossEntropyLoss", 4, 6, label_smoothing=2.0)


def test_linear_cross_entropy_options(twins, torch):
    ours, theirs = (lib.nn.LinearCrossEntropyOptions(True, 8) for lib in (flambeau, torch))
    assert repr(ours) == repr(theirs)
    loss = flambeau.nn.LinearCrossEntropyLoss(4, 6, options=ours)
    assert loss(flambeau.ones(2, 4), flambeau.tensor([1, 2])).shape == ()
