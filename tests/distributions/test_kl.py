"""Divergences of all registered pairs against PyTorch."""

import numpy as np
import pytest

import flambeau

D = flambeau.distributions
_random = np.random.RandomState(3)


def _positive(*shape):
    return np.random.RandomState(7).uniform(0.3, 3, shape)


def _definite(*shape):
    x = _random.normal(0, 1, (*shape, shape[-1]))
    return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])


_locations = [
    {"loc": _positive(4) - 1, "scale": _positive(4)[::-1].copy()},
    {"loc": _positive(4) - 2, "scale": _positive(4) ** 0.5},
]

# Two or more sets of parameters.
PARAMETERS = {
    "Bernoulli": [
        {"probs": [0, 0.4, 0.5, 1.0]},
        {"probs": [1.0, 0.3, 1.0, 0]},
        {"logits": [1.0, 2, 3, 4]},
    ],
    "Beta": [
        {"concentration1": _positive(4), "concentration0": _positive(4)[::-1].copy()},
        {"concentration1": 2.0, "concentration0": _positive(4) ** 2},
    ],
    "Binomial": [
        {"total_count": 5, "probs": [0.1, 0.2, 0.3, 0.4]},
        {"total_count": 5, "probs": [0.3, 0.2, 0.1, 0.9]},
        {"total_count": 3, "probs": [0.3, 0.2, 0.1, 0.9]},
    ],
    "Categorical": [
        {"probs": _positive(3, 4)},
        {"probs": [0.3, 0, 0.2, 0.5]},
        {"logits": _positive(4)},
    ],
    "Cauchy": _locations,
    "ContinuousBernoulli": [
        {"probs": [0.2, 0.4, 0.5, 0.8]},
        {"logits": [0.0, 0.3, 1.0, -2]},
    ],
    "Dirichlet": [{"concentration": _positive(2, 4)}, {"concentration": _positive(4) ** 2}],
    "Exponential": [{"rate": _positive(4)}, {"rate": _positive(4) ** 2}],
    "Gamma": [
        {"concentration": _positive(4), "rate": _positive(4)},
        {"concentration": 2.0, "rate": _positive(4) ** 2},
    ],
    "Geometric": [{"probs": [0.1, 0.2, 0.3, 0.4]}, {"logits": [0.3, 0.2, 0.1, 0.9]}],
    "Gumbel": _locations,
    "HalfNormal": [{"scale": _positive(4)}, {"scale": 2.0}],
    "Laplace": _locations,
    "LowRankMultivariateNormal": [
        {
            "loc": _random.normal(0, 1, 4),
            "cov_factor": _random.normal(0, 1, (4, 2)),
            "cov_diag": _positive(4),
        },
        {
            "loc": _random.normal(0, 1, (3, 4)),
            "cov_factor": _random.normal(0, 1, (3, 4, 1)),
            "cov_diag": _positive(4),
        },
    ],
    "MultivariateNormal": [
        {"loc": _random.normal(0, 1, 4), "covariance_matrix": _definite(4)},
        {"loc": _random.normal(0, 1, (3, 4)), "precision_matrix": _definite(4)},
        {"loc": _random.normal(0, 1, 4), "covariance_matrix": _definite(3, 4)},
    ],
    "Normal": _locations,
    "Pareto": [
        {"scale": [1.5, 0.5, 0.3, 0.4], "alpha": [0.5, 1.5, 4.0, 2.0]},
        {"scale": [1.0, 1, 0.1, 0.4], "alpha": [3.0, 1, 2, 2]},
    ],
    "Poisson": [{"rate": [1.0, 2, 3, 4]}, {"rate": [0.4, 2, 0.5, 6]}],
    "Uniform": [
        {"low": [0.1, -1, 0.2, 1.5], "high": [0.9, 2, 0.7, 3]},
        {"low": [0.2, -1, 0.2, -3], "high": [0.8, 2, 0.7, 3]},
    ],
}
PARAMETERS["OneHotCategorical"] = PARAMETERS["Categorical"]

GENERAL = {"ExponentialFamily", "Independent", "TransformedDistribution"}
PAIRS = sorted((p.__name__, q.__name__) for p, q in D.kl._REGISTRY if p.__name__ not in GENERAL)


def test_the_pairs_are_pytorchs(torch):
    ours, theirs = (
        {(p.__name__, q.__name__) for p, q in registry}
        for registry in (D.kl._REGISTRY, torch.distributions.kl._KL_REGISTRY)
    )
    assert ours == theirs


def divergence(lib, p, q, parameters):
    """The divergence, and its derivatives where it is finite; or the class of a refusal."""
    try:
        result = lib.distributions.kl_divergence(p, q)
    except NotImplementedError as error:
        return [type(error)]
    arrays = [result.detach().numpy()]
    if np.isfinite(arrays[0]).all() and result.requires_grad:
        slopes = lib.autograd.grad(result.sum(), parameters, allow_unused=True)
        arrays += [g.numpy() for g in slopes if g is not None]
    return arrays


@pytest.mark.parametrize("names", PAIRS, ids="-".join)
def test_pairs(both, names):
    for i, first in enumerate(PARAMETERS[names[0]]):
        for j, second in enumerate(PARAMETERS[names[1]]):
            if i != j:
                check_pair(both, names, (first, second))


def check_pair(both, names, parameters):
    """Equal values and derivatives, or refusals of one class."""
    ps, qs = (both.make(name, k, grad=True) for name, k in zip(names, parameters, strict=True))
    ours, theirs = (
        divergence(lib, ps[i], qs[i], ps[2 + i] + qs[2 + i]) for i, lib in enumerate(both.libraries)
    )
    assert len(ours) == len(theirs)
    for x, y in zip(ours, theirs, strict=True):
        if isinstance(y, type):
            assert x is y
            continue
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-8)


# Pairs that the rules of base classes are for.
DERIVED = [
    ("LogNormal", {"loc": [0.0], "scale": [1.0]}, {"loc": [1.0], "scale": [2.0]}),
    ("Chi2", {"df": [3.0]}, {"df": [2.0, 4]}),
    ("Weibull", {"scale": [1.0], "concentration": [2.0]}, {"scale": [1.0], "concentration": [2.0]}),
    ("Weibull", {"scale": [1.0], "concentration": [2.0]}, {"scale": [2.0], "concentration": [2.0]}),
    ("LogisticNormal", {"loc": [0.0, 1], "scale": [1.0, 2]}, {"loc": [1.0, 1], "scale": [1.0, 1]}),
    ("HalfCauchy", {"scale": [1.0]}, {"scale": [2.0]}),
    ("StudentT", {"df": [1.0]}, {"df": [2.0]}),
    ("VonMises", {"loc": [1.0], "concentration": [1.0]}, {"loc": [1.0], "concentration": [2.0]}),
]


@pytest.mark.parametrize(("name", "first", "second"), DERIVED)
def test_derived(both, name, first, second):
    ps, qs = both.make(name, first), both.make(name, second)
    (ours,), (theirs,) = (divergence(lib, ps[i], qs[i], []) for i, lib in enumerate(both.libraries))
    if isinstance(theirs, type):
        assert ours is theirs
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_independent(both):
    results = []
    for lib in both.libraries:
        d = lib.distributions
        p, q = (d.Normal(lib.full((2, 3), x), 1.0) for x in (0.0, 2.0))
        results.append(d.kl_divergence(d.Independent(p, 1), d.Independent(q, 1)).numpy())
        with pytest.raises(NotImplementedError):
            d.kl_divergence(d.Independent(p, 1), d.Independent(q, 2))
    np.testing.assert_allclose(*results)


def test_wishart_by_bregman():
    """PyTorch sums the term of `df` over its batch; here the mean of the logarithms decides."""
    flambeau.manual_seed(0)
    df, scale = flambeau.tensor([4.5, 6.0]), flambeau.eye(2)
    p, q = D.Wishart(df, scale), D.Wishart(flambeau.tensor(5.0), 2 * scale)
    x = p.sample((4000,))
    estimate = (p.log_prob(x) - q.log_prob(x)).mean(0)
    np.testing.assert_allclose(D.kl_divergence(p, q), estimate, atol=0.1)
    np.testing.assert_allclose(D.kl_divergence(p, p), 0, atol=1e-6)


FAMILIES = [
    lambda x: D.Normal(x([0.3, 1.0]), x([2.0, 1.0])),
    lambda x: D.Gamma(x([0.3, 1.0]), x([2.0, 1.0])),
    lambda x: D.Exponential(x([0.3, 1.0])),
]


@pytest.mark.parametrize("make", FAMILIES)
def test_exponential_families(make):
    """What follows from the log normalizer is what the families' own formulas say."""
    first = make(lambda v: flambeau.tensor(v, dtype=flambeau.float64, requires_grad=True))
    second = make(lambda v: flambeau.tensor(v, dtype=flambeau.float64) * 1.5)
    general = D.kl._REGISTRY[D.ExponentialFamily, D.ExponentialFamily](first, second)
    np.testing.assert_allclose(general.detach(), D.kl_divergence(first, second).detach(), rtol=1e-9)
    entropy = D.ExponentialFamily.entropy(first)
    np.testing.assert_allclose(entropy.detach(), first.entropy().detach(), rtol=1e-9)
    assert entropy.requires_grad
    assert not D.ExponentialFamily.entropy(second).requires_grad


def test_registering():
    class Base(D.Distribution):
        """A distribution without anything."""

        arg_constraints = {}

    class Derived(Base):
        """A nearer one."""

    with pytest.raises(TypeError, match="Distribution subclass"):
        D.register_kl(1, Base)
    p, q = Base(), Derived()
    with pytest.raises(NotImplementedError, match="for p type Base and q type Derived"):
        D.kl_divergence(p, q)
    D.register_kl(Base, Base)(lambda p, q: "base")
    assert D.kl_divergence(p, q) == "base"
    D.register_kl(Derived, Base)(lambda p, q: "left")
    D.register_kl(Base, Derived)(lambda p, q: "right")
    assert D.kl_divergence(q, p) == "left"
    assert D.kl_divergence(p, q) == "right"
    with pytest.warns(RuntimeWarning, match=r"Ambiguous kl_divergence\(Derived, Derived\)"):
        D.kl_divergence(q, q)
    for pair in [pair for pair in D.kl._REGISTRY if Base in pair or Derived in pair]:
        del D.kl._REGISTRY[pair]
    D.kl._FOUND.clear()
