"""`flambeau.distributions`: probability distributions, their transforms and divergences.

>>> import flambeau as torch
>>> normal = torch.distributions.Normal(0.0, 1.0)
>>> normal.log_prob(torch.tensor(0.0))
tensor(-0.9189)
"""

from . import (
    bernoulli,
    binomial,
    categorical,
    cauchy,
    constraint_registry,
    constraints,
    dirichlet,
    exponential,
    gamma,
    kl,
    kl_cross,
    kl_family,
    laplace,
    normal,
    relaxed,
    transforms,
    uniform,
    utils,
)
from .bernoulli import Bernoulli, Geometric
from .binomial import Binomial, NegativeBinomial, Poisson
from .categorical import (
    Categorical,
    Multinomial,
    OneHotCategorical,
    OneHotCategoricalStraightThrough,
)
from .cauchy import Cauchy, HalfCauchy, StudentT
from .constraint_registry import biject_to, transform_to
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Beta, Dirichlet
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .exponential import Exponential, GeneralizedPareto, Pareto, Weibull
from .gamma import Chi2, FisherSnedecor, Gamma, InverseGamma
from .independent import Independent
from .kl import kl_divergence, register_kl
from .laplace import Gumbel, Laplace
from .lkj_cholesky import LKJCholesky
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .mixture_same_family import MixtureSameFamily
from .multivariate_normal import MultivariateNormal
from .normal import HalfNormal, LogisticNormal, LogNormal, Normal
from .relaxed import RelaxedBernoulli, RelaxedOneHotCategorical
from .transformed_distribution import TransformedDistribution
from .transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)
from .uniform import Kumaraswamy, Uniform
from .von_mises import VonMises
from .wishart import Wishart

# PyTorch has a module for each distribution; here some share one.
beta = dirichlet
chi2 = fishersnedecor = inverse_gamma = gamma
generalized_pareto = pareto = weibull = exponential
geometric = bernoulli
gumbel = laplace
half_cauchy = studentT = cauchy
half_normal = log_normal = logistic_normal = normal
kumaraswamy = uniform
multinomial = one_hot_categorical = categorical
negative_binomial = poisson = binomial
relaxed_bernoulli = relaxed_categorical = relaxed

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Beta",
    "Binomial",
    "CatTransform",
    "Categorical",
    "Cauchy",
    "Chi2",
    "ComposeTransform",
    "ContinuousBernoulli",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "Dirichlet",
    "Distribution",
    "ExpTransform",
    "Exponential",
    "ExponentialFamily",
    "FisherSnedecor",
    "Gamma",
    "GeneralizedPareto",
    "Geometric",
    "Gumbel",
    "HalfCauchy",
    "HalfNormal",
    "Independent",
    "IndependentTransform",
    "InverseGamma",
    "Kumaraswamy",
    "LKJCholesky",
    "Laplace",
    "LogNormal",
    "LogisticNormal",
    "LowRankMultivariateNormal",
    "LowerCholeskyTransform",
    "MixtureSameFamily",
    "Multinomial",
    "MultivariateNormal",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "Pareto",
    "Poisson",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "StudentT",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "Uniform",
    "VonMises",
    "Weibull",
    "Wishart",
    "biject_to",
    "constraint_registry",
    "constraints",
    "identity_transform",
    "kl",
    "kl_cross",
    "kl_divergence",
    "kl_family",
    "register_kl",
    "transform_to",
    "transforms",
    "utils",
]
