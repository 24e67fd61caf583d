"""Trials that succeed or fail: one of them, and how many failures come before a success."""

import math

from ..autograd.modes import no_grad
from ..dtypes import finfo
from ..nn.functional import binary_cross_entropy_with_logits, softplus
from ..ops.creation import arange, zeros
from ..ops.elementwise import where
from ..ops.movement import broadcast_tensors
from ..ops.random import bernoulli
from ..recorder.trace import local
from . import constraints
from .chances import BinaryChances
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .utils import broadcast_all

__all__ = ["Bernoulli", "Geometric", "enumerated"]


class Bernoulli(BinaryChances, ExponentialFamily):
    """1 with the probability `probs`, else 0; `logits` are its log odds.

    Raises: ValueError where not exactly one of both is given.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs=None, logits=None, validate_args=None):
        shape = self._set_chances(probs, logits)
        super().__init__(shape, validate_args=validate_args)

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        mode = (self.probs >= 0.5).to(self.probs.dtype)
        return where(self.probs == 0.5, math.nan, mode)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        with no_grad():
            return bernoulli(self.probs.expand(shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        return enumerated(arange(2, dtype=self._param.dtype), self.batch_shape, expand)

    @property
    def _natural_params(self):
        return (self.logits,)

    def _log_normalizer(self, x):
        return softplus(x)


def enumerated(values, batch_shape, expand):
    """Values along a first dim, and dims of the batch behind it."""
    values = values.reshape((-1, *[1] * len(batch_shape)))
    return values.expand((-1, *batch_shape)) if expand else values


class Geometric(BinaryChances, Distribution):
    """The number of failures before the first success, of probability `probs`.

    Raises: ValueError where not exactly one of `probs` and `logits` is given, and for probs of 0.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        shape = self._set_chances(probs, logits)
        super().__init__(shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not local.trace.sampling:
            positive = self.probs > 0
            if not positive.all():
                raise ValueError(
                    f"Expected parameter probs (Tensor of shape {tuple(self.probs.shape)}) of "
                    f"distribution {self!r} to be positive but found invalid values:\n"
                    f"{self.probs[~positive]}"
                )

    @property
    def mean(self):
        return 1.0 / self.probs - 1.0

    @property
    def mode(self):
        return self.probs.new_zeros(self.probs.shape)

    @property
    def variance(self):
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        tiny = finfo(self.probs.dtype).tiny
        with no_grad():
            noise = zeros(shape, dtype=self.probs.dtype).uniform_(tiny, 1)
            return (noise.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_tensors(value, self.probs)
        # 0 * log(0) is 0: a success that is sure comes at once.
        sure = (probs == 1) & (value == 0)
        return value * (-where(sure, 0.0, probs)).log1p() + self.probs.log()

    def entropy(self):
        return (
            binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs
        )
