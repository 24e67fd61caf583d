"""`flambeau.nn.utils.clip_grad` against torch."""

import pytest

import flambeau
from flambeau.nn import utils


def gradients(twins, *shapes):
    """Parameters with gradients, in both libraries."""
    theirs = [twins.randn(*shape) for shape in shapes]
    ours = [twins.ours(t) for t in theirs]
    for a, b in zip(ours, theirs, strict=True):
        b.grad = twins.randn(*b.shape, grad=False) * 3
        a.grad = twins.ours(b.grad)
    return ours, theirs


def same_gradients(twins, ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        twins.close(a.grad, b.grad)


@pytest.mark.parametrize("max_norm", [0.5, 100.0])
@pytest.mark.parametrize("norm_type", [1, 2.0, float("inf"), 3.0])
def test_clip_grad_norm(twins, max_norm, norm_type):
    ours, theirs = gradients(twins, (3, 4), (5,), ())
    kept = ours[0].grad
    norm = utils.clip_grad_norm_(ours, max_norm, norm_type)
    expected = twins.torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    twins.close(norm, expected)
    same_gradients(twins, ours, theirs)
    assert ours[0].grad is kept


def test_single_tensor_and_missing_gradients(twins):
    ours, theirs = gradients(twins, (3, 4))
    norm = utils.clip_grad_norm_(ours[0], 1.0)
    twins.close(norm, twins.torch.nn.utils.clip_grad_norm_(theirs[0], 1.0))
    ours[0].grad = None
    assert utils.clip_grad_norm_(ours, 1.0).item() == 0.0


def test_generators():
    x = flambeau.nn.Parameter(flambeau.ones(2))
    x.grad = flambeau.ones(2) * 10
    utils.clip_grad_norm_((p for p in [x]), 1.0)
    assert x.grad.norm().item() == pytest.approx(1.0)
    with pytest.warns(UserWarning, match="empty generator"):
        utils.clip_grad_norm_(iter([]), 1.0)


def test_not_finite(twins):
    ours, _ = gradients(twins, (2,))
    ours[0].grad.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="total norm of order 2.0 .* is non-finite"):
        utils.clip_grad_norm_(ours, 1.0, error_if_nonfinite=True)
    utils.clip_grad_norm_(ours, 1.0)


def test_total_norm_and_scaling(twins):
    ours, theirs = gradients(twins, (3,), (2, 2))
    total = utils.get_total_norm([p.grad for p in ours])
    expected = twins.torch.nn.utils.get_total_norm([p.grad for p in theirs])
    twins.close(total, expected)
    utils.clip_grads_with_norm_(ours, 0.1, total)
    twins.torch.nn.utils.clip_grads_with_norm_(theirs, 0.1, expected)
    same_gradients(twins, ours, theirs)
    assert utils.get_total_norm([]).item() == 0.0


def test_clip_grad_value(twins):
    ours, theirs = gradients(twins, (3, 4), (5,))
    utils.clip_grad_value_(ours, 0.7)
    twins.torch.nn.utils.clip_grad_value_(theirs, 0.7)
    same_gradients(twins, ours, theirs)


def test_old_name_warns():
    x = flambeau.nn.Parameter(flambeau.ones(2))
    x.grad = flambeau.ones(2)
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        utils.clip_grad_norm(x, 1.0)
