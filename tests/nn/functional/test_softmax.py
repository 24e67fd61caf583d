"""`flambeau.nn.functional.softmax` against torch."""

import numpy as np
import pytest

import flambeau
import flambeau.nn.functional as F

NAMES = ["softmax", "log_softmax", "softmin"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dim", [0, 1, -1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_gradients(twins, name, dim, dtype):
    x = twins.randn(3, 5, 4, dtype=dtype)
    twins.check(f"nn.functional.{name}", x, dim=dim, second=True)


@pytest.mark.parametrize("name", NAMES)
def test_large_scores_do_not_overflow(twins, torch, name):
    x = torch.tensor([[1000.0, 0.0, -1000.0], [88.0, 89.0, 90.0]], requires_grad=True)
    twins.check(f"nn.functional.{name}", x, dim=1)


@pytest.mark.parametrize("name", NAMES)
def test_masked_scores(twins, torch, name):
    x = torch.tensor([[float("-inf"), 0.0, 1.0]])
    twins.check(f"nn.functional.{name}", x, dim=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3)])
def test_scalar_and_empty(twins, name, shape):
    twins.check(f"nn.functional.{name}", twins.randn(*shape), dim=-1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision(twins, name, dtype):
    twins.check(f"nn.functional.{name}", twins.randn(4, 50, dtype=dtype), dim=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_implicit_dim_warns(twins, name, shape):
    with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
        twins.check(f"nn.functional.{name}", twins.randn(*shape))


@pytest.mark.parametrize("name", NAMES)
def test_dtype(twins, torch, name):
    twins.check(f"nn.functional.{name}", twins.randn(2, 3), dim=0, dtype=torch.float64)
    twins.check(f"nn.functional.{name}", torch.arange(4), dim=0, dtype=torch.float32)


@pytest.mark.parametrize("name", NAMES)
def test_errors(twins, torch, name):
    twins.same_error(f"nn.functional.{name}", twins.randn(3), dim=4)
    twins.same_error(f"nn.functional.{name}", torch.arange(3), dim=0, text="int64")


def test_gumbel_softmax():
    logits = flambeau.tensor([[0.0, 1.0, 2.0]]).expand(2000, 3).clone().requires_grad_()
    soft = F.gumbel_softmax(logits, tau=0.5)
    np.testing.assert_allclose(soft.sum(1).detach().numpy(), 1, rtol=1e-5)
    hard = F.gumbel_softmax(logits, hard=True)
    shares = hard.detach().mean(0).numpy()
    np.testing.assert_allclose(shares, np.exp([0, 1, 2]) / np.exp([0, 1, 2]).sum(), atol=0.05)
    hard[:, 0].sum().backward()
    assert logits.grad.abs().sum().item() > 0
    with pytest.warns(UserWarning, match="no effect"):
        F.gumbel_softmax(logits, eps=1e-3)
