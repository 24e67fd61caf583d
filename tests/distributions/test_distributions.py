"""Every distribution against PyTorch: moments, densities, entropies, gradients, repr, support."""

import numpy as np
import pytest

import flambeau

D = flambeau.distributions

# PyTorch takes a sample for singular when it is not.
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")

DISCRETE = {
    *("Bernoulli", "Binomial", "Categorical", "Geometric", "Multinomial", "NegativeBinomial"),
    *("OneHotCategorical", "OneHotCategoricalStraightThrough", "Poisson"),
}
# PyTorch gives NaN for every mode of Kumaraswamy's distribution.
OTHERWISE = {("Kumaraswamy", "mode")}


def outcome(call):
    """An array, or the class of the refusal."""
    try:
        return call().detach().numpy()
    except (NotImplementedError, ValueError, RuntimeError) as error:
        return type(error)


def agree(ours, theirs, rtol=1e-7, atol=1e-9):
    """Both refuse alike, or give equal shapes, dtypes and values."""
    ours, theirs = outcome(ours), outcome(theirs)
    if theirs is RuntimeError:  # PyTorch's mistake: GeneralizedPareto is of float32 only
        return
    if isinstance(theirs, type):
        assert ours is theirs
        return
    assert not isinstance(ours, type), ours
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


class Pair:
    """Our distribution and theirs, and values of the support."""

    def __init__(self, both, case, dtype="float64", grad=False):
        self.name = case[0]
        self.ours, self.theirs, *self.parameters = both.make(*case, dtype, grad)
        self.shape = tuple(self.theirs.batch_shape + self.theirs.event_shape)
        both.torch.manual_seed(0)
        sample = self.theirs.sample((4,)).detach()
        made = flambeau.tensor(sample.numpy(), dtype=getattr(flambeau, str(sample.dtype)[6:]))
        self.values = made, sample


def test_moments_and_entropy(both, case):
    pair = Pair(both, case)
    for name in ("mean", "mode", "variance", "stddev"):
        if (pair.name, name) not in OTHERWISE:
            agree(*(lambda d=d, name=name: getattr(d, name) for d in (pair.ours, pair.theirs)))
    agree(pair.ours.entropy, pair.theirs.entropy)
    agree(pair.ours.perplexity, pair.theirs.perplexity)


def test_probabilities(both, case):
    pair = Pair(both, case)
    value, value_theirs = pair.values
    agree(lambda: pair.ours.log_prob(value), lambda: pair.theirs.log_prob(value_theirs))
    agree(lambda: pair.ours.cdf(value), lambda: pair.theirs.cdf(value_theirs))
    shares = np.linspace(0.05, 0.95, 4).reshape(4, *[1] * len(pair.shape)) * np.ones(pair.shape)
    p, p_theirs = both.tensors(shares)
    agree(lambda: pair.ours.icdf(p), lambda: pair.theirs.icdf(p_theirs))
    for expand in (True, False):
        agree(
            lambda expand=expand: pair.ours.enumerate_support(expand),
            lambda expand=expand: pair.theirs.enumerate_support(expand),
        )


def test_generalized_pareto_of_float32(both):
    case = ("GeneralizedPareto", {"loc": 0.5, "scale": [1.5, 2], "concentration": [-0.4, 0.3]})
    pair = Pair(both, case, "float32")
    value, value_theirs = pair.values
    for name in ("log_prob", "cdf", "log_cdf", "log_survival_function"):
        agree(
            lambda name=name: getattr(pair.ours, name)(value),
            lambda name=name: getattr(pair.theirs, name)(value_theirs),
            rtol=1e-4,
        )


def test_what_it_says_of_itself(both, case):
    ours, theirs, *_ = both.make(*case)
    assert repr(ours) == repr(theirs)
    assert (ours.batch_shape, ours.event_shape) == (theirs.batch_shape, theirs.event_shape)
    assert repr(ours.support) == repr(theirs.support)
    assert ours.has_rsample == theirs.has_rsample
    assert ours.has_enumerate_support == theirs.has_enumerate_support
    limits = [{k: repr(v) for k, v in d.arg_constraints.items()} for d in (ours, theirs)]
    assert limits[0] == limits[1]
    assert type(ours).__name__ == type(theirs).__name__
    theirs = {c.__name__ for c in type(theirs).__mro__}
    assert theirs - {"Generic"} <= {c.__name__ for c in type(ours).__mro__}


def test_expand(both, case):
    pair = Pair(both, case)
    wide = pair.ours.expand((7, *pair.ours.batch_shape))
    assert wide.batch_shape == (7, *pair.ours.batch_shape)
    assert wide.event_shape == pair.ours.event_shape
    value = pair.values[0][:, None]
    expected = pair.ours.log_prob(value).expand((4, 7, *pair.ours.batch_shape))
    np.testing.assert_allclose(wide.log_prob(value).numpy(), expected.numpy(), rtol=1e-9)
    flambeau.manual_seed(0)
    assert wide.sample((2,)).shape == (2, 7, *pair.shape)
    assert repr(wide).partition("(")[0] == repr(pair.theirs).partition("(")[0]


def gradients(lib, result, parameters):
    """The derivatives of a sum by the parameters; zeros where there is none."""
    found = lib.autograd.grad(result.sum(), parameters, allow_unused=True)
    return [
        np.zeros(tuple(p.shape)) if g is None else g.numpy()
        for g, p in zip(found, parameters, strict=True)
    ]


def _lower_part(name, slopes):
    """Derivatives without those by what lies above the diagonal of a triangle."""
    return [np.tril(g) if name in ("Wishart", "MultivariateNormal") else g for g in slopes]


def test_gradients_of_log_prob_and_entropy(both, case):
    pair = Pair(both, case, grad=True)
    if outcome(lambda: pair.theirs.log_prob(pair.values[1])) is RuntimeError:
        return
    found = []
    for i, d in enumerate((pair.ours, pair.theirs)):
        value = pair.values[i].clone()
        parameters = list(pair.parameters[i])
        if pair.name not in DISCRETE:
            parameters.append(value.requires_grad_())
        results = [d.log_prob(value)] if parameters else []
        if parameters and not isinstance(outcome(pair.theirs.entropy), type):
            results.append(d.entropy())
        total = sum((r.sum() for r in results), 0.0 * (parameters[0].sum() if parameters else 0))
        found.append(gradients(both.libraries[i], total, parameters) if parameters else [])
    for ours, theirs in zip(*(_lower_part(pair.name, slopes) for slopes in found), strict=True):
        # PyTorch's polynomials for Bessel functions in VonMises have seven digits.
        np.testing.assert_allclose(ours, theirs, rtol=3e-6, atol=1e-8)


def test_gradients_of_samples(both, reparameterized):
    pair = Pair(both, reparameterized, grad=True)
    found = []
    for lib, d, parameters in zip(
        both.libraries, (pair.ours, pair.theirs), pair.parameters, strict=True
    ):
        both.seed()
        found.append(gradients(lib, d.rsample((3,)).sin(), parameters))
    for ours, theirs in zip(*(_lower_part(pair.name, slopes) for slopes in found), strict=True):
        # PyTorch's derivatives of gamma and Dirichlet numbers are good to three digits.
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=1e-3)


SMOOTH = [
    ("Normal", {"loc": [0.3], "scale": [1.2]}, [0.7]),
    ("Gamma", {"concentration": [1.3], "rate": [0.8]}, [0.7]),
    ("Beta", {"concentration1": [1.3], "concentration0": [2.0]}, [0.3]),
    ("Dirichlet", {"concentration": [1.3, 2.0, 0.7]}, [0.2, 0.5, 0.3]),
    ("StudentT", {"df": [3.0], "loc": [0.2], "scale": [1.5]}, [0.7]),
    ("Categorical", {"logits": [0.3, -0.4, 0.1]}, 1),
    ("Bernoulli", {"logits": [0.3]}, [1.0]),
    ("Poisson", {"rate": [1.4]}, [3.0]),
    ("NegativeBinomial", {"total_count": [2.5], "logits": [0.3]}, [3.0]),
    ("VonMises", {"loc": [0.3], "concentration": [2.0]}, [0.7]),
    ("LogNormal", {"loc": [0.3], "scale": [1.2]}, [0.7]),
    ("Weibull", {"scale": [0.8], "concentration": [1.7]}, [0.7]),
    ("ContinuousBernoulli", {"logits": [0.9]}, [0.7]),
    ("GeneralizedPareto", {"loc": [0.1], "scale": [1.3], "concentration": [0.4]}, [0.7]),
    (
        "MultivariateNormal",
        {"loc": [0.3, 0.1], "covariance_matrix": [[1.3, 0.2], [0.2, 0.8]]},
        [0.7, -0.2],
    ),
]


@pytest.mark.parametrize("smooth", SMOOTH, ids=lambda c: c[0])
def test_second_derivatives_of_log_prob(smooth):
    name, kwargs, value = smooth
    names = list(kwargs)
    given = [
        flambeau.tensor(v, dtype=flambeau.float64, requires_grad=True) for v in kwargs.values()
    ]
    at = flambeau.tensor(value) if name == "Categorical" else flambeau.tensor(value).double()

    def density(*parameters):
        made = dict(zip(names, parameters, strict=True))
        if "covariance_matrix" in made:
            matrix = made["covariance_matrix"]
            made["covariance_matrix"] = (matrix + matrix.mT) / 2
        return getattr(D, name)(**made).log_prob(at)

    assert flambeau.autograd.gradgradcheck(density, given)


MAPPED = [
    ("Normal", {"loc": [0.3, 0.1], "scale": [1.2, 0.4]}, [0.7, 0.2]),
    ("Gamma", {"concentration": [1.3, 2], "rate": [0.8, 1]}, [0.7, 0.2]),
    ("Beta", {"concentration1": [1.3, 3], "concentration0": [2.0, 0.5]}, [0.3, 0.9]),
    ("Categorical", {"logits": [[0.3, -0.4], [0.1, 0.2]]}, [1, 0]),
    ("OneHotCategorical", {"probs": [[0.3, 0.4], [0.1, 0.2]]}, [[1.0, 0], [0, 1]]),
    ("Bernoulli", {"probs": [0.3, 0.7]}, [1.0, 0.0]),
    ("Uniform", {"low": [0.0, 1], "high": [1.0, 3]}, [0.7, 2.0]),
    ("LogNormal", {"loc": [0.3, 0.1], "scale": [1.2, 0.4]}, [0.7, 0.2]),
    ("LKJCholesky", {"dim": 2, "concentration": [0.5, 2.0]}, [np.eye(2), np.eye(2)]),
    (
        "Wishart",
        {"df": [4.5, 3.0], "covariance_matrix": [np.eye(2), 2 * np.eye(2)]},
        [np.eye(2)] * 2,
    ),
    (
        "MultivariateNormal",
        {"loc": [[0.3, 0.1], [1, 2]], "scale_tril": [[[1.3, 0], [0.2, 0.8]], [[1, 0], [1, 1.0]]]},
        [[0.7, -0.2], [0.0, 1]],
    ),
]


@pytest.mark.parametrize("mapped", MAPPED, ids=lambda c: c[0])
def test_log_prob_within_vmap(mapped):
    name, kwargs, value = mapped
    fixed = {k: v for k, v in kwargs.items() if isinstance(v, int)}
    batched = {
        k: flambeau.tensor(np.asarray(v, float)) for k, v in kwargs.items() if k not in fixed
    }
    at = flambeau.tensor(np.asarray(value))
    expected = getattr(D, name)(**fixed, **batched).log_prob(at)

    def one(at, *parameters):
        given = dict(zip(batched, parameters, strict=True))
        return getattr(D, name)(**fixed, **given).log_prob(at)

    found = flambeau.vmap(one)(at, *batched.values())
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-9)


def test_per_sample_gradients_of_log_prob():
    loc = flambeau.tensor([0.0, 1.0])
    slopes = flambeau.vmap(flambeau.func.grad(lambda m: D.Normal(m, 1.0).log_prob(m * 0 + 1.0)))(
        loc
    )
    np.testing.assert_allclose(slopes.numpy(), [1.0, 0.0])


def test_modules_of_pytorchs_names(torch):
    """`torch.distributions.beta.Beta` and the like."""
    for module in vars(torch.distributions).values():
        name = getattr(module, "__name__", "")
        if not name.startswith("torch.distributions."):
            continue
        for public in getattr(module, "__all__", ()):
            ours = getattr(D, name.rpartition(".")[2])
            assert hasattr(ours, public), (name, public)
