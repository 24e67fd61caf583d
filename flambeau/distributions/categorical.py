"""One of several categories: as an index, as a vector, and how often each of them comes."""

import math

from ..autograd.modes import no_grad
from ..dtypes import finfo, int64
from ..nn.functional import one_hot
from ..ops.creation import arange, eye, zeros
from ..ops.elementwise import where
from ..ops.movement import broadcast_tensors
from ..ops.random import multinomial
from ..recorder.handle import Size
from . import constraints
from .bernoulli import enumerated
from .binomial import Binomial
from .chances import Chances, given_one
from .distribution import Distribution
from .utils import broadcast_all, normalized_logits

__all__ = [
    "Categorical",
    "Multinomial",
    "OfCategories",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
]


class Categorical(Chances, Distribution):
    """The index of a category, with probabilities `probs` along the last dim, or log weights.

    Args: probs: not negative; they are divided by their sum. logits: any numbers; they are
        normalized too.
    Raises: ValueError where not exactly one of both is given, or without dims.

    >>> import flambeau as torch
    >>> torch.distributions.Categorical(torch.tensor([1.0, 3.0])).probs
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        given_one(probs, logits)
        name, value = ("probs", probs) if logits is None else ("logits", logits)
        if value.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        self.__dict__[name] = (
            probs / probs.sum(-1, True) if logits is None else normalized_logits(logits)
        )
        super().__init__(value.shape[:-1], validate_args=validate_args)

    @property
    def _num_events(self):
        return self._param.shape[-1]

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self):
        return self._param.new_full(self.batch_shape, math.nan)

    @property
    def mode(self):
        return self.probs.argmax(-1)

    @property
    def variance(self):
        return self._param.new_full(self.batch_shape, math.nan)

    def sample(self, sample_shape=()):
        count = Size(sample_shape).numel()
        with no_grad():
            rows = self.probs.reshape(-1, self._num_events)
            indices = multinomial(rows, count, True).T
        return indices.reshape(self._extended_shape(sample_shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        indices, log_probs = broadcast_tensors(value.to(int64).unsqueeze(-1), self.logits)
        return log_probs.gather(-1, indices[..., :1]).squeeze(-1)

    def entropy(self):
        # 0 log(0) is 0.
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand=True):
        return enumerated(arange(self._num_events), self.batch_shape, expand)


class OfCategories(Distribution):
    """Vectors over the categories of a `Categorical`, which is kept as `_categorical`."""

    arg_constraints = Categorical.arg_constraints
    _parts = ("_categorical",)

    @property
    def probs(self):
        """The probabilities of the categories."""
        return self._categorical.probs

    @property
    def logits(self):
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def _param(self):
        return self._categorical._param

    @property
    def param_shape(self):
        """The shape of `probs` and `logits`."""
        return self._categorical.param_shape

    def _set_categories(self, probs, logits, validate_args):
        self._categorical = Categorical(probs, logits, validate_args)
        return self._categorical.batch_shape, self._categorical.param_shape[-1:]


class OneHotCategorical(OfCategories):
    """A category as a vector with a 1 in its place, with probabilities as of `Categorical`."""

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        batch_shape, event_shape = self._set_categories(probs, logits, validate_args)
        super().__init__(batch_shape, event_shape, validate_args)

    @property
    def mean(self):
        return self._categorical.probs

    @property
    def mode(self):
        return one_hot(self._categorical.mode, self.event_shape[0]).to(self.probs.dtype)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        indices = self._categorical.sample(sample_shape)
        return one_hot(indices, self.event_shape[0]).to(self.probs.dtype)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        value, _ = broadcast_all(value, self.logits)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self):
        return self._categorical.entropy()

    def enumerate_support(self, expand=True):
        n = self.event_shape[0]
        values = eye(n, dtype=self._param.dtype).reshape((n, *[1] * len(self.batch_shape), n))
        return values.expand((n, *self.batch_shape, n)) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors whose gradient is that of the probabilities (Bengio et al. 2013)."""

    has_rsample = True

    def rsample(self, sample_shape=()):
        probs = self._categorical.probs
        return self.sample(sample_shape) + (probs - probs.detach())


class Multinomial(OfCategories):
    """How often each category comes in `total_count` draws, an int, as of `Categorical`.

    Raises: NotImplementedError for counts that are no int.
    """

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        batch_shape, event_shape = self._set_categories(probs, logits, validate_args)
        super().__init__(batch_shape, event_shape, validate_args)

    def _copy_to(self, new):
        new.total_count = self.total_count

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        shape = self._extended_shape(sample_shape)
        counts = zeros(shape, dtype=self._param.dtype)
        places = drawn.movedim(0, -1)
        return counts.scatter_add(-1, places, counts.new_ones(places.shape))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        # 0 log(0) is 0.
        logits = where((value == 0) & (logits == -math.inf), 0.0, logits)
        return ways + (logits * value).sum(-1)

    def entropy(self):
        n = self.total_count
        one = Binomial(n, probs=self.probs, validate_args=False)
        counts = one.enumerate_support(expand=False)[1:]
        ways = (one.log_prob(counts).exp() * (counts + 1).lgamma()).sum([0, -1])
        return n * self._categorical.entropy() - math.lgamma(n + 1) + ways
