"""Parameters of every distribution, in several batch shapes, and values of their supports."""

import numpy as np

import flambeau

_random = np.random.RandomState(0)


def _positive(*shape):
    return np.round(_random.uniform(0.3, 3, shape), 3)


def _real(*shape):
    return np.round(_random.normal(0, 1, shape), 3)


def _unit(*shape):
    return np.round(_random.uniform(0.1, 0.9, shape), 3)


def _definite(*shape):
    x = _random.normal(0, 1, (*shape, shape[-1]))
    return np.round(x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1]), 3)


def _lower(*shape):
    return np.linalg.cholesky(_definite(*shape))


# name, parameters: a number is a number in both libraries, an array a tensor
CASES = [
    ("Normal", {"loc": _real(3), "scale": _positive(2, 3)}),
    ("Normal", {"loc": 0.5, "scale": 2.0}),
    ("HalfNormal", {"scale": _positive(3)}),
    ("LogNormal", {"loc": _real(3), "scale": _positive(2, 1)}),
    ("LogisticNormal", {"loc": _real(2, 3), "scale": _positive(3)}),
    ("Laplace", {"loc": _real(3), "scale": _positive(2, 3)}),
    ("Gumbel", {"loc": _real(3), "scale": _positive(2, 3)}),
    ("Cauchy", {"loc": _real(3), "scale": _positive(2, 3)}),
    ("HalfCauchy", {"scale": _positive(2, 3)}),
    ("StudentT", {"df": _positive(2, 3) + 2, "loc": _real(3), "scale": _positive(1)}),
    ("StudentT", {"df": [0.5, 1.0, 1.5, 2.0, 7.0]}),
    ("Uniform", {"low": _real(3), "high": _positive(2, 3) + 3}),
    ("Kumaraswamy", {"concentration1": _positive(3), "concentration0": _positive(2, 3)}),
    ("Exponential", {"rate": _positive(2, 3)}),
    ("Exponential", {"rate": 2.0}),
    ("Pareto", {"scale": _positive(3), "alpha": _positive(2, 1) + 2}),
    ("Pareto", {"scale": 1.5, "alpha": [0.5, 1.5, 4.0]}),
    ("Weibull", {"scale": _positive(3), "concentration": _positive(2, 3) + 1}),
    ("GeneralizedPareto", {"loc": 0.5, "scale": _positive(4), "concentration": [-0.4, 0, 0.3, 2]}),
    ("Gamma", {"concentration": _positive(2, 3), "rate": _positive(3)}),
    ("Chi2", {"df": _positive(3)}),
    ("InverseGamma", {"concentration": _positive(3) + 2, "rate": _positive(2, 3)}),
    ("FisherSnedecor", {"df1": _positive(3) + 2, "df2": _positive(2, 3) + 4}),
    ("FisherSnedecor", {"df1": [1.0, 3.0, 3.0], "df2": [1.0, 3.0, 4.0]}),
    ("Dirichlet", {"concentration": _positive(4)}),
    ("Dirichlet", {"concentration": np.concatenate([_positive(2, 3), _unit(2, 3)])}),
    ("Beta", {"concentration1": _positive(3), "concentration0": _positive(2, 3)}),
    ("Bernoulli", {"probs": [0.0, 0.3, 0.5, 0.8, 1.0]}),
    ("Bernoulli", {"logits": _real(2, 3)}),
    ("Geometric", {"probs": [0.2, 0.7, 1.0]}),
    ("Geometric", {"logits": _real(2, 3)}),
    ("ContinuousBernoulli", {"probs": [0.0, 0.2, 0.4995, 0.5, 0.9, 1.0]}),
    ("ContinuousBernoulli", {"logits": _real(2, 3)}),
    ("Binomial", {"total_count": 5, "probs": _unit(2, 3)}),
    ("Binomial", {"total_count": 40, "logits": _real(3)}),
    ("NegativeBinomial", {"total_count": _positive(3), "probs": _unit(2, 3)}),
    ("NegativeBinomial", {"total_count": 3, "logits": _real(3)}),
    ("Poisson", {"rate": np.concatenate([_positive(3), [0.0, 25.0]])}),
    ("Categorical", {"probs": _positive(4)}),
    ("Categorical", {"logits": _real(2, 3, 4)}),
    ("OneHotCategorical", {"probs": _positive(2, 4)}),
    ("OneHotCategorical", {"logits": _real(4)}),
    ("OneHotCategoricalStraightThrough", {"probs": _positive(2, 4)}),
    ("Multinomial", {"total_count": 6, "probs": _positive(2, 4)}),
    ("Multinomial", {"total_count": 3, "logits": _real(3)}),
    ("RelaxedBernoulli", {"temperature": [0.7], "probs": _unit(2, 3)}),
    ("RelaxedBernoulli", {"temperature": [1.5], "logits": _real(3)}),
    ("RelaxedOneHotCategorical", {"temperature": [0.7], "probs": _positive(2, 3)}),
    ("RelaxedOneHotCategorical", {"temperature": [1.5], "logits": _real(4)}),
    ("VonMises", {"loc": _real(3), "concentration": _positive(2, 3)}),
    ("MultivariateNormal", {"loc": _real(3), "covariance_matrix": _definite(3)}),
    ("MultivariateNormal", {"loc": _real(2, 3), "precision_matrix": _definite(3)}),
    ("MultivariateNormal", {"loc": _real(3), "scale_tril": _lower(2, 3)}),
    (
        "LowRankMultivariateNormal",
        {"loc": _real(2, 4), "cov_factor": _real(4, 2), "cov_diag": _positive(4)},
    ),
    (
        "LowRankMultivariateNormal",
        {"loc": _real(4), "cov_factor": _real(3, 4, 2), "cov_diag": _positive(3, 4)},
    ),
    ("LKJCholesky", {"dim": 4, "concentration": [0.7, 1.0, 3.0]}),
    ("Wishart", {"df": [4.5, 6.0], "covariance_matrix": _definite(3)}),
    ("Wishart", {"df": [5.5], "scale_tril": _lower(2, 3)}),
    ("Wishart", {"df": 5.5, "precision_matrix": _definite(3)}),
]


def reparameterized():
    """The cases with tensors that gradients flow to through samples."""
    return [
        (name, kwargs)
        for name, kwargs in CASES
        if getattr(flambeau.distributions, name).has_rsample is not False
        # PyTorch changes Wishart's samples in place, and can not differentiate them.
        and name != "Wishart"
        and any(isinstance(v, (list, np.ndarray)) for v in kwargs.values())
    ]


def label(case):
    """What a case is called."""
    name, kwargs = case
    shapes = [
        f"{k}{list(np.shape(v))}" for k, v in kwargs.items() if isinstance(v, (list, np.ndarray))
    ]
    return f"{name}-{'-'.join(shapes)}"
