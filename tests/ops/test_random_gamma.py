"""Gamma and Dirichlet numbers through which gradients flow."""

import numpy as np
import pytest

import flambeau

SHAPES = [0.05, 0.3, 1.0, 2.5, 20.0, 400.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gamma_numbers(torch, dtype):
    drawn = []
    for lib in (flambeau, torch):
        lib.manual_seed(0)
        alpha = lib.tensor(SHAPES, dtype=getattr(lib, dtype)).expand(50, 6).clone()
        alpha.requires_grad_()
        x = lib._standard_gamma(alpha)
        x.sum().backward()
        drawn.append((x.detach().numpy(), alpha.grad.numpy()))
    (ours, slope), (theirs, slope_theirs) = drawn
    np.testing.assert_array_equal(ours, theirs)
    # PyTorch's slopes have three digits in the tails.
    np.testing.assert_allclose(slope, slope_theirs, rtol=2e-3)


def test_dirichlet_numbers(torch):
    drawn = []
    for lib in (flambeau, torch):
        lib.manual_seed(0)
        drawn.append(lib._sample_dirichlet(lib.tensor(SHAPES[:5]).expand(50, 5)).numpy())
    np.testing.assert_array_equal(*drawn)


def test_the_slope_of_dirichlet_numbers(torch):
    x = [[0.1, 0.2, 0.7], [0.98, 0.01, 0.01]]
    alpha = [[0.5, 1.5, 3.0], [8.0, 0.5, 1.0]]
    slopes = []
    for lib in (flambeau, torch):
        at, a = lib.tensor(x), lib.tensor(alpha)
        slopes.append(lib._dirichlet_grad(at, a, a.sum(-1, True).expand(2, 3)).numpy())
    np.testing.assert_allclose(*slopes, rtol=2e-3)


def test_gradients_of_dirichlet_numbers_keep_the_sum():
    alpha = flambeau.tensor([0.5, 1.5, 3.0], dtype=flambeau.float64, requires_grad=True)
    x = flambeau._sample_dirichlet(alpha)
    (slope,) = flambeau.autograd.grad(x.sum(), alpha, retain_graph=True)
    np.testing.assert_allclose(slope.numpy(), 0, atol=1e-12)
    (slope,) = flambeau.autograd.grad(x[0], alpha)
    assert slope[0] > 0
    assert (slope[1:] < 0).all()


def test_the_slope_has_no_derivative():
    """As in PyTorch: an error, not a wrong number."""
    alpha = flambeau.tensor([1.5], requires_grad=True)
    x = flambeau._standard_gamma(alpha)
    (slope,) = flambeau.autograd.grad(x.sum(), alpha, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative for '_standard_gamma_grad' is not impl"):
        flambeau.autograd.grad(slope.sum(), alpha)


def test_generators_and_dtypes():
    alpha = flambeau.ones(3)
    first, second = (
        flambeau._standard_gamma(alpha, generator=flambeau.Generator().manual_seed(1))
        for _ in range(2)
    )
    assert (first == second).all()
    with pytest.raises(NotImplementedError):
        flambeau._standard_gamma(alpha.half())
    with pytest.raises(NotImplementedError):
        flambeau._sample_dirichlet(alpha.long())
