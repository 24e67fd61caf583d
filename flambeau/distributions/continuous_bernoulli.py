"""The continuous Bernoulli distribution."""

import math

from ..nn.functional import softplus
from ..ops.elementwise import where
from ..ops.random import rand
from ..recorder.trace import local
from . import constraints
from .chances import BinaryChances, given_one
from .exp_family import ExponentialFamily
from .utils import broadcast_all, clamp_probs

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(BinaryChances, ExponentialFamily):
    """The distribution over [0, 1] whose density goes with probs^x (1 - probs)^(1 - x).

    Loaiza-Ganem and Cunningham, "The continuous Bernoulli", 2019.

    Args: lims: between these probabilities, where the normalizer is a limit 0/0, Taylor series
        stand for it and the moments.
    Raises: ValueError where not exactly one of `probs` and `logits` is given.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        given_one(probs, logits)
        if probs is not None:
            (probs,) = broadcast_all(probs)
            self._check_probs(probs, validate_args)
            probs = clamp_probs(probs)
        shape = self._set_chances(probs, logits)
        self._lims = lims
        super().__init__(shape, validate_args=validate_args)

    def _check_probs(self, probs, validate_args):
        # Before they are clamped, which would hide what is wrong with them.
        wanted = self._validate_args if validate_args is None else validate_args
        if not wanted or local.trace.sampling:
            return
        if not self.arg_constraints["probs"].check(probs).all():
            raise ValueError("The parameter probs has invalid values")

    def _copy_to(self, new):
        new._lims = self._lims

    def _outside(self):
        """Where probabilities are far enough from 1/2 to divide by the distance."""
        low, high = self._lims
        return (self.probs <= low) | (self.probs > high)

    def _cut(self):
        """(where they are far enough, probabilities that are far enough everywhere)."""
        outside = self._outside()
        return outside, where(outside, self.probs, self._lims[0])

    def _log_norm(self):
        """The logarithm of the constant that makes the density integrate to 1."""
        outside, cut = self._cut()
        below = where(cut <= 0.5, cut, 0.0)
        above = where(cut >= 0.5, cut, 1.0)
        width = where(cut <= 0.5, (-2.0 * below).log1p(), (2.0 * above - 1.0).log())
        exact = ((-cut).log1p() - cut.log()).abs().log() - width
        x = (self.probs - 0.5).pow(2)
        series = math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x
        return where(outside, exact, series)

    @property
    def mean(self):
        outside, cut = self._cut()
        exact = cut / (2.0 * cut - 1.0) + 1.0 / ((-cut).log1p() - cut.log())
        x = self.probs - 0.5
        return where(outside, exact, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x.pow(2)) * x)

    @property
    def stddev(self):
        return self.variance.sqrt()

    @property
    def variance(self):
        outside, cut = self._cut()
        exact = cut * (cut - 1.0) / (1.0 - 2.0 * cut).pow(2)
        exact = exact + 1.0 / ((-cut).log1p() - cut.log()).pow(2)
        x = (self.probs - 0.5).pow(2)
        return where(outside, exact, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    def rsample(self, sample_shape=()):
        noise = rand(self._extended_shape(sample_shape), dtype=self.probs.dtype)
        return self.icdf(noise)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return value * logits - softplus(logits) + self._log_norm()

    def cdf(self, value):
        if self._validate_args:
            self._validate_sample(value)
        outside, cut = self._cut()
        power = cut.pow(value) * (1.0 - cut).pow(1.0 - value)
        inside = where(outside, (power + cut - 1.0) / (2.0 * cut - 1.0), value)
        return where(value <= 0.0, 0.0, where(value >= 1.0, 1.0, inside).to(inside.dtype))

    def icdf(self, value):
        outside, cut = self._cut()
        odds = (-cut + value * (2.0 * cut - 1.0)).log1p() - (-cut).log1p()
        return where(outside, odds / (cut.log() - (-cut).log1p()), value)

    def entropy(self):
        log_fail, log_success = (-self.probs).log1p(), self.probs.log()
        return self.mean * (log_fail - log_success) - self._log_norm() - log_fail

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        """log of the normalizer, as a function of the log odds."""
        low, high = (p - 0.5 for p in self._lims)
        outside = (x <= low) | (x > high)
        cut = where(outside, x, low)
        exact = ((cut.exp() - 1).abs()).log() - cut.abs().log()
        return where(outside, exact, 0.5 * x + x.pow(2) / 24.0 - x.pow(4) / 2880.0)
