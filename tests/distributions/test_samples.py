"""Samples are PyTorch's for the same seed."""

import numpy as np
import pytest

import flambeau

D = flambeau.distributions

# Equal bit for bit: drawn by a primitive, then at most scaled and moved.
EXACT = {
    *("Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "Dirichlet"),
    *("Exponential", "FisherSnedecor", "Gamma", "Geometric", "HalfCauchy", "HalfNormal"),
    *("Multinomial", "NegativeBinomial", "Normal", "OneHotCategorical"),
    *("OneHotCategoricalStraightThrough", "Poisson", "StudentT", "Uniform"),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples(both, case, dtype):
    name = case[0]
    ours, theirs, *_ = both.make(*case, dtype)
    for shape in [(), (5,), (2, 4)]:
        both.seed(1)
        if name == "Wishart":
            # PyTorch discards the first samples as if they were singular.
            drawn, expected = ours._bartlett(shape), theirs._bartlett_sampling(shape)
        else:
            drawn, expected = ours.sample(shape), theirs.sample(shape)
        drawn, expected = drawn.numpy(), expected.numpy()
        assert (drawn.shape, drawn.dtype) == (expected.shape, expected.dtype)
        if name in EXACT:
            np.testing.assert_array_equal(drawn, expected)
        else:
            rtol = 1e-4 if dtype == "float32" else 1e-9
            np.testing.assert_allclose(drawn, expected, rtol=rtol, atol=rtol)
        assert (flambeau.get_rng_state().numpy() == both.torch.get_rng_state().numpy()).all()


def mixtures(lib):
    """Mixtures of numbers and of vectors."""
    d, t = lib.distributions, lib.tensor
    numbers = d.Normal(t([[0.0, 5.0, 9.0], [1.0, 2.0, 3.0]]), 1.0)
    vectors = d.Independent(d.Normal(t([[0.0, 5.0], [1.0, 2.0]]), 1.0), 1)
    return [
        d.MixtureSameFamily(d.Categorical(t([[0.2, 0.3, 0.5]] * 2)), numbers),
        d.MixtureSameFamily(d.Categorical(logits=t([[0.2, 0.3, 0.5], [1.0, 0, 0]])), numbers),
        d.MixtureSameFamily(d.Categorical(t([0.2, 0.8])), vectors),
    ]


@pytest.mark.parametrize("index", range(3))
def test_mixtures(both, index):
    ours, theirs = (mixtures(lib)[index] for lib in both.libraries)
    for shape in [(), (6,), (2, 3)]:
        both.seed()
        x, x_theirs = ours.sample(shape), theirs.sample(shape)
        np.testing.assert_array_equal(x.numpy(), x_theirs.numpy())
        np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x_theirs), rtol=1e-5)
    for name in ("mean", "variance", "stddev"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-5)
    if index < 2:
        x = flambeau.tensor([0.5, 2.0])
        np.testing.assert_allclose(
            ours.cdf(x), theirs.cdf(both.torch.tensor([0.5, 2.0])), rtol=1e-5
        )
    assert repr(ours) == repr(theirs)
    assert repr(ours.support) == repr(theirs.support)
    wide = ours.expand((4, *ours.batch_shape))
    assert wide.sample().shape == (4, *ours.batch_shape, *ours.event_shape)
    assert wide.log_prob(wide.sample((2,))).shape == (2, 4, *ours.batch_shape)


def test_one_mixture_for_a_batch_of_components():
    weights = D.Categorical(flambeau.tensor([0.5, 0.5]))
    far = D.Normal(flambeau.tensor([-100.0, 100.0]).expand(500, 2), 1.0)
    drawn = D.MixtureSameFamily(weights, far).sample()
    assert drawn.shape == (500,)
    assert 200 < (drawn > 0).sum() < 300


def independents(lib):
    """Batch dims that are read as dims of the event."""
    d = lib.distributions
    normal = d.Normal(lib.zeros(2, 3), lib.ones(3))
    return [d.Independent(normal, n) for n in range(3)]


@pytest.mark.parametrize("index", range(3))
def test_independent(both, index):
    ours, theirs = (independents(lib)[index] for lib in both.libraries)
    assert repr(ours) == repr(theirs)
    assert (ours.batch_shape, ours.event_shape) == (theirs.batch_shape, theirs.event_shape)
    both.seed()
    x, x_theirs = ours.sample((4,)), theirs.sample((4,))
    np.testing.assert_array_equal(x.numpy(), x_theirs.numpy())
    np.testing.assert_allclose(ours.log_prob(x), theirs.log_prob(x_theirs), rtol=1e-5)
    np.testing.assert_allclose(ours.entropy(), theirs.entropy(), rtol=1e-5)
    assert repr(ours.support) == repr(theirs.support)
    wide = ours.expand((5, *ours.batch_shape))
    assert wide.log_prob(x[:, None]).shape == (4, 5, *ours.batch_shape)
    assert ours.mean.shape == (2, 3)


def test_samples_have_no_gradient_and_rsamples_have():
    loc = flambeau.zeros(3, requires_grad=True)
    normal = D.Normal(loc, 1.0)
    assert not normal.sample().requires_grad
    assert normal.rsample((2,)).requires_grad
    assert not D.LogNormal(loc, 1.0).sample().requires_grad
    with pytest.warns(FutureWarning, match="sample_n"):
        assert normal.sample_n(4).shape == (4, 3)


def test_straight_through():
    probs = flambeau.tensor([0.2, 0.8], requires_grad=True)
    drawn = D.OneHotCategoricalStraightThrough(probs).rsample((3,))
    assert (drawn.sum(-1) == 1).all()
    drawn[:, 0].sum().backward()
    assert probs.grad.abs().sum() > 0


def test_samples_are_distributed_as_they_should_be():
    flambeau.manual_seed(0)
    wishart = D.Wishart(flambeau.tensor(5.0), flambeau.eye(2) * 2)
    np.testing.assert_allclose(wishart.sample((4000,)).mean(0), wishart.mean, rtol=0.1, atol=0.4)
    angles = D.VonMises(flambeau.tensor(3.0), flambeau.tensor(2.0)).sample((4000,))
    assert angles.abs().max() <= np.pi
    assert abs((angles - 3.0).cos().mean().item() - 0.6978) < 0.03
