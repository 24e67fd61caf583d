"""Continuous relaxations of Bernoulli and categorical numbers, through which gradients flow.

Maddison, Mnih and Teh, "The concrete distribution", and Jang, Gu and Poole, "Categorical
reparameterization with Gumbel-softmax", 2017.
"""

import math

from ..ops.random import rand
from . import constraints
from .categorical import OfCategories
from .chances import BinaryChances
from .distribution import Distribution
from .transformed_distribution import TransformedDistribution
from .transforms import ExpTransform, SigmoidTransform
from .utils import broadcast_all, clamp_probs, normalized_logits

__all__ = [
    "ExpRelaxedCategorical",
    "LogitRelaxedBernoulli",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
]


class LogitRelaxedBernoulli(BinaryChances, Distribution):
    """The log odds of relaxed Bernoulli numbers: logistic numbers of mean `logits`, over
    `temperature`.

    Raises: ValueError where not exactly one of `probs` and `logits` is given.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        shape = self._set_chances(probs, logits)
        super().__init__(shape, validate_args=validate_args)

    def _copy_to(self, new):
        new.temperature = self.temperature

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        probs = clamp_probs(self.probs.expand(shape))
        noise = clamp_probs(rand(shape, dtype=probs.dtype))
        logistic = noise.log() - (-noise).log1p()
        return (logistic + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value, temperature = broadcast_all(self.logits, value, self.temperature)
        distance = logits - value * temperature
        return temperature.log() + distance - 2 * distance.exp().log1p()


class _Relaxed(TransformedDistribution):
    """A relaxed distribution on the scale of probabilities; its base is on that of logarithms."""

    has_rsample = True

    @property
    def temperature(self):
        """How smooth it is: towards 0 numbers become discrete."""
        return self.base_dist.temperature

    @property
    def logits(self):
        """The log odds or log weights."""
        return self.base_dist.logits

    @property
    def probs(self):
        """The probabilities."""
        return self.base_dist.probs


class RelaxedBernoulli(_Relaxed):
    """Numbers of (0, 1) that come near to Bernoulli numbers as `temperature` goes to 0."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args)


class ExpRelaxedCategorical(OfCategories):
    """The logarithms of relaxed one-hot vectors: log_softmax((logits + Gumbel) / temperature)."""

    support = constraints.real_vector
    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        self.temperature = temperature
        batch_shape, event_shape = self._set_categories(probs, logits, None)
        super().__init__(batch_shape, event_shape, validate_args)

    def _copy_to(self, new):
        new.temperature = self.temperature

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        noise = clamp_probs(rand(shape, dtype=self.logits.dtype))
        gumbel = -(-(noise.log())).log()
        return normalized_logits((self.logits + gumbel) / self.temperature)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        n = self.event_shape[0]
        logits, value = broadcast_all(self.logits, value)
        (temperature,) = broadcast_all(self.temperature)
        scores = normalized_logits(logits - value * temperature).sum(-1)
        return scores + math.lgamma(n) + (n - 1) * temperature.log()


class RelaxedOneHotCategorical(_Relaxed):
    """Vectors of probabilities that come near to one-hot vectors as `temperature` goes to 0."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)
