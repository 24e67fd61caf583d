"""Divergences of two distributions of one family."""

import math

from ..linalg import solve_triangular
from ..nn.functional import softplus
from ..ops.core import broadcast_shapes
from ..ops.elementwise import where
from .bernoulli import Bernoulli, Geometric
from .binomial import Binomial, Poisson
from .categorical import Categorical, OneHotCategorical
from .cauchy import Cauchy
from .continuous_bernoulli import ContinuousBernoulli
from .dirichlet import Beta, Dirichlet
from .exp_family import ExponentialFamily
from .exponential import Exponential, Pareto
from .gamma import Gamma
from .independent import Independent
from .kl import kl_divergence, register_kl
from .laplace import Gumbel, Laplace
from .lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    low_rank_log_det,
    low_rank_mahalanobis,
)
from .multivariate_normal import MultivariateNormal, half_log_det, mahalanobis
from .normal import HalfNormal, Normal
from .transformed_distribution import TransformedDistribution
from .uniform import Uniform
from .utils import euler_constant, sum_rightmost

__all__ = []


# Discrete ones


@register_kl(Bernoulli, Bernoulli)
def _(p, q):
    ones = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    ones = where(p.probs == 0, 0.0, where(q.probs == 0, math.inf, ones))
    zeros = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return ones + where(p.probs == 1, 0.0, where(q.probs == 1, math.inf, zeros))


@register_kl(Binomial, Binomial)
def _(p, q):
    if (p.total_count < q.total_count).any():
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return where(p.total_count > q.total_count, math.inf, p.total_count * each)


@register_kl(Categorical, Categorical)
def _(p, q):
    terms = p.probs * (p.logits - q.logits)
    terms = where(q.probs == 0, math.inf, terms)
    return where(p.probs == 0, 0.0, terms).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _(p, q):
    return kl_divergence(p._categorical, q._categorical)


@register_kl(Geometric, Geometric)
def _(p, q):
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _(p, q):
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


# Of numbers


@register_kl(Normal, Normal)
def _(p, q):
    ratio = (p.scale / q.scale).pow(2)
    distance = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + distance - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _(p, q):
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Gumbel, Gumbel)
def _(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc) / q.scale
    spread = ((1 + ratio).lgamma() - distance).exp()
    return -ratio.log() + distance + ratio * euler_constant + spread - (1 + euler_constant)


@register_kl(Cauchy, Cauchy)
def _(p, q):
    far = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return far.log() - (4 * p.scale * q.scale).log()


@register_kl(Uniform, Uniform)
def _(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(Exponential, Exponential)
def _(p, q):
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Pareto, Pareto)
def _(p, q):
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return where(p.scale < q.scale, math.inf, result)


@register_kl(Gamma, Gamma)
def _(p, q):
    a, b = p.concentration, q.concentration
    shapes = b.lgamma() - a.lgamma() + (a - b) * a.digamma()
    return b * (p.rate / q.rate).log() + shapes + (q.rate - p.rate) * (a / p.rate)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _(p, q):
    norms = p._log_norm() - q._log_norm() + (-p.probs).log1p() - (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + norms


@register_kl(Dirichlet, Dirichlet)
def _(p, q):
    a, b = p.concentration, q.concentration
    total = a.sum(-1, True)
    norms = total.squeeze(-1).lgamma() - b.sum(-1).lgamma() + (b.lgamma() - a.lgamma()).sum(-1)
    return norms + ((a - b) * (a.digamma() - total.digamma())).sum(-1)


@register_kl(Beta, Beta)
def _(p, q):
    return kl_divergence(p._dirichlet, q._dirichlet)


# Of vectors


def _trace(upper, factor):
    """tr(B^-1 A) for matrices A = L L^T and B by their factors: the squares of a solution."""
    batch = broadcast_shapes("kl_divergence", [tuple(x.shape[:-2]) for x in (upper, factor)])
    upper, factor = (x.expand((*batch, *x.shape[-2:])) for x in (upper, factor))
    return solve_triangular(upper, factor, upper=False).pow(2).flatten(-2).sum(-1)


def _check_sizes(p, q, what):
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"KL-divergence between two {what} with different event shapes cannot be computed"
        )


@register_kl(MultivariateNormal, MultivariateNormal)
def _(p, q):
    _check_sizes(p, q, "Multivariate Normals")
    ours, theirs = p._unbroadcasted_scale_tril, q._unbroadcasted_scale_tril
    distance = mahalanobis(theirs, q.loc - p.loc)
    logs = half_log_det(theirs) - half_log_det(ours)
    return logs + 0.5 * (_trace(theirs, ours) + distance - p.event_shape[0])


@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _(p, q):
    _check_sizes(p, q, "(Low Rank) Multivariate Normals")
    ours = p._unbroadcasted_scale_tril
    return _to_low_rank(p, q, 2 * half_log_det(ours), ours, None)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _(p, q):
    _check_sizes(p, q, "Low Rank Multivariate Normals")
    factor, diagonal = p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag
    log_det = low_rank_log_det(diagonal, p._capacitance_tril)
    return _to_low_rank(p, q, log_det, factor, diagonal)


def _to_low_rank(p, q, log_det, factor, diagonal):
    """From p of the covariance factor factor^T + diagonal (None: 0) to a low rank q."""
    w, d = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag
    small = q._capacitance_tril
    distance = low_rank_mahalanobis(w, d, small, q.loc - p.loc)
    # tr(Q^-1 P), by Woodbury's identity for Q.
    scaled = w.mT / d.unsqueeze(-2)
    trace = (factor.pow(2) / d.unsqueeze(-1)).flatten(-2).sum(-1) - _trace(small, scaled @ factor)
    if diagonal is not None:
        root = diagonal.sqrt().unsqueeze(-2)
        trace = trace + (diagonal / d).sum(-1) - _trace(small, scaled * root)
    logs = low_rank_log_det(d, small) - log_det
    return 0.5 * (logs + trace + distance - p.event_shape[0])


@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _(p, q):
    _check_sizes(p, q, "(Low Rank) Multivariate Normals")
    theirs = q._unbroadcasted_scale_tril
    root = p._unbroadcasted_cov_diag.sqrt().diag_embed()
    trace = _trace(theirs, p._unbroadcasted_cov_factor) + _trace(theirs, root)
    log_det = low_rank_log_det(p._unbroadcasted_cov_diag, p._capacitance_tril)
    distance = mahalanobis(theirs, q.loc - p.loc)
    return half_log_det(theirs) + 0.5 * (trace + distance - log_det - p.event_shape[0])


# Of distributions made of others


@register_kl(Independent, Independent)
def _(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError("KL between Independents of different numbers of dims")
    result = kl_divergence(p.base_dist, q.base_dist)
    return sum_rightmost(result, p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _(p, q):
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL between distributions that are transformed differently")
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), extra)


@register_kl(ExponentialFamily, ExponentialFamily)
def _(p, q):
    """By Bregman's divergence of the log normalizers."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot "
            "be computed using Bregman divergences"
        )
    steps = [a - b for a, b in zip(p._natural_params, q._natural_params, strict=True)]
    return q._log_normalizer(*q._natural_params) - p._bregman(steps)
