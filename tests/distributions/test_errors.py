"""What PyTorch refuses is refused, in its words."""

import pytest

import flambeau

D = flambeau.distributions

# Calls of (distributions, tensors, constraints).
REFUSED = [
    lambda d, f: d.Normal(f.tensor([0.0, 1.0]), f.tensor([1.0, -1.0])),
    lambda d, f: d.Normal(0.0, -1.0),
    lambda d, f: d.Normal("a", 1.0),
    lambda d, f: d.Normal(0.0, 1.0).log_prob(f.tensor([1.0, float("nan")])),
    lambda d, f: d.Normal(0.0, 1.0).log_prob(1.0),
    lambda d, f: d.Normal(f.zeros(2), 1.0).log_prob(f.zeros(3)),
    lambda d, f: d.HalfNormal(-1.0),
    lambda d, f: d.LogNormal(0.0, -1.0),
    lambda d, f: d.LogisticNormal(f.tensor([0.0, 0.0]), f.tensor([1.0, -1.0])),
    lambda d, f: d.Gumbel(0.0, -1.0),
    lambda d, f: d.Pareto(-1.0, 1.0),
    lambda d, f: d.Pareto(1.0, -1.0),
    lambda d, f: d.Pareto(1.0, 1.0).cdf(f.tensor(0.4)),
    lambda d, f: d.Weibull(1.0, -1.0),
    lambda d, f: d.Kumaraswamy(1.0, -1.0),
    lambda d, f: d.Beta(1.0, -1.0),
    lambda d, f: d.Beta(1.0, 2.0).log_prob(f.tensor(3.0)),
    lambda d, f: d.InverseGamma(1.0, -1.0),
    lambda d, f: d.InverseGamma(1.0, 1.0).log_prob(f.tensor(-1.0)),
    lambda d, f: d.Chi2(-1.0),
    lambda d, f: d.Dirichlet(f.tensor(1.0)),
    lambda d, f: d.Dirichlet(f.ones(3)).log_prob(f.zeros(4)),
    lambda d, f: d.Dirichlet(f.ones(3)).log_prob(f.tensor(0.0)),
    lambda d, f: d.Dirichlet(f.ones(3)).log_prob(f.tensor([0.2, 0.2, 0.2])),
    lambda d, f: d.Uniform(1.0, 0.0),
    lambda d, f: d.Uniform(0.0, 1.0).log_prob(f.tensor(2.0)),
    lambda d, f: d.Bernoulli(),
    lambda d, f: d.Bernoulli(0.5, 0.5),
    lambda d, f: d.Bernoulli("a"),
    lambda d, f: d.Bernoulli(2.0),
    lambda d, f: d.ContinuousBernoulli(f.tensor(2.0), validate_args=True),
    lambda d, f: d.Geometric(),
    lambda d, f: d.Geometric(f.tensor([0.5, 0.0])),
    lambda d, f: d.Poisson(f.tensor(-1.0)),
    lambda d, f: d.Binomial(3),
    lambda d, f: d.Binomial(f.tensor([3.5, 2]), f.tensor([0.5, 0.0])),
    lambda d, f: d.Binomial(f.tensor([1, 2]), f.ones(2)).enumerate_support(),
    lambda d, f: d.Binomial(f.tensor([1, 2]), f.ones(2)).entropy(),
    lambda d, f: d.NegativeBinomial(3),
    lambda d, f: d.NegativeBinomial(3, f.tensor(1.0)),
    lambda d, f: d.Categorical(),
    lambda d, f: d.Categorical(f.tensor(0.5)),
    lambda d, f: d.Categorical(logits=f.tensor(0.5)),
    lambda d, f: d.Categorical(f.tensor([1.5, -1.0])),
    lambda d, f: d.Categorical(f.tensor([0.5, 0.5])).log_prob(f.tensor(2)),
    lambda d, f: d.Categorical(f.tensor([0.5, 0.5])).log_prob(f.tensor(0.5)),
    lambda d, f: d.OneHotCategorical(f.tensor([1.5, -1.0])),
    lambda d, f: d.OneHotCategorical(f.ones(2)).log_prob(f.tensor([0.5, 0.5])),
    lambda d, f: d.Multinomial(3),
    lambda d, f: d.Multinomial(f.tensor([3, 2]), f.ones(2, 3)),
    lambda d, f: d.Multinomial(3, f.ones(3)).log_prob(f.tensor([1.0, 1, 2])),
    lambda d, f: d.RelaxedBernoulli(f.tensor(1.0)),
    lambda d, f: d.RelaxedBernoulli(f.tensor(1.0), f.tensor(1.5)),
    lambda d, f: d.RelaxedOneHotCategorical(f.tensor(1.0), f.tensor([1.5, -1])),
    lambda d, f: d.MultivariateNormal(f.zeros(2)),
    lambda d, f: d.MultivariateNormal(f.zeros(2), f.eye(2), f.eye(2)),
    lambda d, f: d.MultivariateNormal(f.tensor(0.0), f.eye(2)),
    lambda d, f: d.MultivariateNormal(f.zeros(2), f.ones(2)),
    lambda d, f: d.MultivariateNormal(f.zeros(2), precision_matrix=f.ones(2)),
    lambda d, f: d.MultivariateNormal(f.zeros(2), scale_tril=f.ones(2)),
    lambda d, f: d.MultivariateNormal(f.zeros(2), -f.eye(2)),
    lambda d, f: d.MultivariateNormal(f.zeros(2), scale_tril=-f.eye(2)),
    lambda d, f: d.LowRankMultivariateNormal(f.tensor(0.0), f.ones(2, 1), f.ones(2)),
    lambda d, f: d.LowRankMultivariateNormal(f.zeros(2), f.ones(2), f.ones(2)),
    lambda d, f: d.LowRankMultivariateNormal(f.zeros(2), f.ones(3, 1), f.ones(2)),
    lambda d, f: d.LowRankMultivariateNormal(f.zeros(2), f.ones(2, 1), f.ones(3)),
    lambda d, f: d.Wishart(f.tensor(0.5), f.eye(2)),
    lambda d, f: d.Wishart(f.tensor(3.0)),
    lambda d, f: d.Wishart(f.tensor(3.0), f.eye(2), f.eye(2)),
    lambda d, f: d.Wishart(f.tensor(3.0), f.ones(2)),
    lambda d, f: d.LKJCholesky(1),
    lambda d, f: d.Independent(d.Normal(f.zeros(3), 1.0), 2),
    lambda d, f: d.Independent(d.Bernoulli(f.ones(3)), 1).enumerate_support(),
    lambda d, f: d.MixtureSameFamily(d.Normal(0.0, 1.0), d.Normal(f.zeros(2), 1.0)),
    lambda d, f: d.MixtureSameFamily(d.Categorical(f.ones(2)), 3),
    lambda d, f: d.MixtureSameFamily(d.Categorical(f.ones(2)), d.Normal(f.zeros(3), 1.0)),
    lambda d, f: d.MixtureSameFamily(d.Categorical(f.ones(4, 2)), d.Normal(f.zeros(3, 2), 1.0)),
    lambda d, f: d.MixtureSameFamily(d.Categorical(f.ones(2)), d.Normal(f.zeros(2), 1.0)).rsample(),
    lambda d, f: d.TransformedDistribution(d.Normal(0.0, 1.0), [1]),
    lambda d, f: d.TransformedDistribution(d.Normal(0.0, 1.0), 1),
    lambda d, f: d.TransformedDistribution(d.Normal(0.0, 1.0), [d.StickBreakingTransform()]),
    lambda d, f: d.TransformedDistribution(d.Normal(0.0, 1.0), d.ExpTransform()).mode,
    lambda d, f: d.VonMises(f.tensor(0.0), f.tensor(1.0)).entropy(),
    lambda d, f: d.kl_divergence(d.Normal(0.0, 1.0), d.Poisson(1.0)),
    lambda d, f: d.Distribution.set_default_validate_args(3),
]


@pytest.fixture
def strict(torch):
    """PyTorch checks arguments, which its own test tools switch off for the whole process."""
    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(True)
    yield
    torch.distributions.Distribution.set_default_validate_args(before)


@pytest.mark.parametrize("call", REFUSED)
def test_refusals(torch, strict, call):
    with pytest.raises((ValueError, NotImplementedError, AssertionError)) as theirs:
        call(torch.distributions, torch)
    with pytest.raises(type(theirs.value)) as ours:
        call(D, flambeau)
    words, expected = (" ".join(str(e.value).split()) for e in (ours, theirs))
    assert words.replace("flambeau.", "torch.") == expected


def test_validation_can_be_switched_off():
    assert D.Normal(0.0, -1.0, validate_args=False).scale == -1
    normal = D.Normal(0.0, 1.0, validate_args=False)
    assert normal.log_prob(flambeau.tensor(float("nan"))).isnan()
    assert not normal.expand((2,))._validate_args
    try:
        D.Distribution.set_default_validate_args(False)
        assert D.Normal(0.0, -1.0).scale == -1
        with pytest.raises(ValueError, match="Expected parameter scale"):
            D.Normal(0.0, -1.0, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)


def test_a_distribution_of_ones_own():
    class Own(D.Distribution):
        """Nothing defined."""

    with pytest.warns(UserWarning, match="does not define `arg_constraints`"):
        Own()
    own = Own(validate_args=False)
    value = flambeau.tensor(1.0)
    for call in (
        own.sample,
        own.rsample,
        own.entropy,
        own.perplexity,
        own.enumerate_support,
        lambda: own.log_prob(value),
        lambda: own.cdf(value),
        lambda: own.icdf(value),
        *(lambda name=name: getattr(own, name) for name in ("mean", "mode", "variance", "stddev")),
        *(lambda name=name: getattr(own, name) for name in ("support", "arg_constraints")),
    ):
        with pytest.raises(NotImplementedError):
            call()


def test_subclasses():
    class Standard(D.Normal):
        """Without parameters."""

        def __init__(self, validate_args=None):
            super().__init__(0.0, 1.0, validate_args)

    with pytest.raises(NotImplementedError, match="Subclass Standard of Normal that defines"):
        Standard().expand((2,))

    class Named(D.Normal):
        """Without an __init__ of its own."""

    wide = Named(0.0, 1.0).expand((2,))
    assert type(wide) is Named
    assert wide.sample().shape == (2,)


@pytest.mark.filterwarnings("error:Low df values")
def test_wishart_warns_of_low_df():
    with pytest.raises(UserWarning, match="Low df values detected"):
        D.Wishart(flambeau.tensor(1.5), flambeau.eye(2))
