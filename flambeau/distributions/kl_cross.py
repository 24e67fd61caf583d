"""Divergences of distributions of different families.

KL(p || q) = -H(p) - E_p[log q(x)], and the second term needs few expectations under p: the mean and
variance for normal q, E[log x] for gamma q, and so on. Where q is 0 and p is not, it is infinite.
"""

import math

from ..ops.elementwise import where
from .bernoulli import Bernoulli
from .binomial import Binomial, Poisson
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Beta
from .exponential import Exponential, Pareto
from .gamma import Gamma
from .kl import register_kl
from .laplace import Gumbel, Laplace
from .normal import HALF_LOG_TAU, Normal
from .uniform import Uniform
from .utils import broadcast_all, euler_constant

__all__ = []


# Expectations under p


def _mean_log(p):
    """E[log x] of a distribution of positive numbers."""
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Exponential):
        return -euler_constant - p.rate.log()
    if isinstance(p, Gamma):
        return p.concentration.digamma() - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return _uniform_mean_log(p.low, p.high)


def _uniform_mean_log(low, high):
    """E[log x] over [low, high)."""
    return (high.xlogy(high) - low.xlogy(low)) / (high - low) - 1


def _mean_decay(p, rate):
    """E[exp(-rate x)]."""
    if isinstance(p, Exponential):
        return p.rate / (p.rate + rate)
    if isinstance(p, Gamma):
        return (p.rate / (p.rate + rate)).pow(p.concentration)
    if isinstance(p, Normal):
        return (0.5 * (p.scale * rate).pow(2) - p.loc * rate).exp()
    width = (p.high - p.low) * rate
    return (-p.low * rate).exp() * -(-width).expm1() / width


# -E_p[log q(x)] for q of each family


def _to_normal(p, q):
    square = (p.variance + (p.mean - q.loc).pow(2)) / q.scale.pow(2)
    return HALF_LOG_TAU + q.scale.log() + 0.5 * square


def _to_exponential(p, q):
    return q.rate * p.mean - q.rate.log()


def _to_gamma(p, q):
    a = q.concentration
    return a.lgamma() - a * q.rate.log() - (a - 1) * _mean_log(p) + q.rate * p.mean


def _to_gumbel(p, q):
    rate = q.scale.reciprocal()
    decay = (q.loc * rate).exp() * _mean_decay(p, rate)
    return q.scale.log() + (p.mean - q.loc) * rate + decay


def _to_pareto(p, q):
    return (q.alpha + 1) * _mean_log(p) - q.alpha.log() - q.alpha * q.scale.log()


def _to_uniform(p, q):
    return (q.high - q.low).log()


def _to_continuous_bernoulli(p, q):
    return -p.mean * q.logits - (-q.probs).log1p() - q._log_norm()


def _to_beta(p, q):
    a, b = q.concentration1, q.concentration0
    log_beta = a.lgamma() + b.lgamma() - (a + b).lgamma()
    ends = (a - 1) * _uniform_mean_log(p.low, p.high)
    return log_beta - ends - (b - 1) * _uniform_mean_log(1 - p.high, 1 - p.low)


def _to_laplace(p, q):
    distance = p.loc - q.loc
    steps = distance / p.scale
    near = math.sqrt(2 / math.pi) * p.scale * (-0.5 * steps.pow(2)).exp()
    far = distance * (math.sqrt(0.5) * steps).erf()
    return (2 * q.scale).log() + (near + far) / q.scale


# Whether some of p lies where q is 0


def _within_unit(p, q):
    return (p.low < 0) | (p.high > 1)


def _beyond_unit(p, q):
    return (q.low > 0) | (q.high < 1)


def _below_zero(p, q):
    return p.low < 0


def _below_scale(p, q):
    return p.low < q.scale


FINITE = {
    (Beta, ContinuousBernoulli): (_to_continuous_bernoulli, None),
    (Beta, Exponential): (_to_exponential, None),
    (Beta, Gamma): (_to_gamma, None),
    (Beta, Normal): (_to_normal, None),
    (Beta, Uniform): (_to_uniform, _beyond_unit),
    (ContinuousBernoulli, Exponential): (_to_exponential, None),
    (ContinuousBernoulli, Normal): (_to_normal, None),
    (ContinuousBernoulli, Uniform): (_to_uniform, _beyond_unit),
    (Exponential, Gamma): (_to_gamma, None),
    (Exponential, Gumbel): (_to_gumbel, None),
    (Exponential, Normal): (_to_normal, None),
    (Gamma, Exponential): (_to_exponential, None),
    (Gamma, Gumbel): (_to_gumbel, None),
    (Gamma, Normal): (_to_normal, None),
    (Gumbel, Normal): (_to_normal, None),
    (Laplace, Normal): (_to_normal, None),
    (Normal, Gumbel): (_to_gumbel, None),
    (Normal, Laplace): (_to_laplace, None),
    (Pareto, Exponential): (_to_exponential, None),
    (Pareto, Gamma): (_to_gamma, None),
    (Pareto, Normal): (_to_normal, None),
    (Uniform, Beta): (_to_beta, _within_unit),
    (Uniform, ContinuousBernoulli): (_to_continuous_bernoulli, _within_unit),
    (Uniform, Exponential): (_to_exponential, _below_zero),
    (Uniform, Gamma): (_to_gamma, _below_zero),
    (Uniform, Gumbel): (_to_gumbel, None),
    (Uniform, Normal): (_to_normal, None),
    (Uniform, Pareto): (_to_pareto, _below_scale),
}

INFINITE: dict[type, list[type]] = {
    Beta: [Pareto],
    ContinuousBernoulli: [Pareto],
    Exponential: [Beta, ContinuousBernoulli, Pareto, Uniform],
    Gamma: [Beta, ContinuousBernoulli, Pareto, Uniform],
    Gumbel: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Laplace: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Normal: [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
    Pareto: [Beta, ContinuousBernoulli, Uniform],
    Poisson: [Bernoulli, Binomial],
}


def _finite(cross_entropy, outside):
    """The rule that subtracts entropies; infinite where outside(p, q)."""

    def rule(p, q):
        result = cross_entropy(p, q) - p.entropy()
        return result if outside is None else where(outside(p, q), math.inf, result)

    return rule


def _infinite(p, q):
    mean, _ = broadcast_all(p.mean, q.mean)
    return mean.new_full(mean.shape, math.inf)


@register_kl(Bernoulli, Poisson)
def _(p, q):
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


for pair, (cross_entropy, outside) in FINITE.items():
    register_kl(*pair)(_finite(cross_entropy, outside))
for kind, others in INFINITE.items():
    for other in others:
        register_kl(kind, other)(_infinite)
