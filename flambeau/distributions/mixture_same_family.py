"""Mixtures of distributions of one family."""

from ..autograd.modes import no_grad
from ..ops.composite.softmax import log_softmax
from ..ops.reduce import logsumexp
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture of the distributions along the last batch dim of `component_distribution`.

    Args: mixture_distribution: a `Categorical` of their weights.
    Raises: ValueError where the two do not fit together.

    >>> import flambeau as torch
    >>> D = torch.distributions
    >>> weights = D.Categorical(torch.ones(2))
    >>> mixture = D.MixtureSameFamily(weights, D.Normal(torch.tensor([-1.0, 1.0]), 1.0))
    >>> mixture.mean
    tensor(0.)
    """

    arg_constraints = {}
    has_rsample = False

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an  instance of "
                "torch.distributions.Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of "
                "torch.distributions.Distribution"
            )
        mixed, batch = mixture_distribution.batch_shape, component_distribution.batch_shape
        for size, other in zip(reversed(mixed), reversed(batch[:-1]), strict=False):
            if size != 1 and other != 1 and size != other:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixed}) is not compatible with "
                    f"`component_distribution.batch_shape`({batch[:-1]})"
                )
        count = mixture_distribution.logits.shape[-1]
        if count != batch[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                f"`component_distribution.batch_shape[-1]` ({batch[-1]})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._checked_instance(_instance)
        count = self._component_distribution.batch_shape[-1]
        new._component_distribution = self._component_distribution.expand((*batch_shape, count))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self):
        """The distribution of the component's index."""
        return self._mixture_distribution

    @property
    def component_distribution(self):
        """The components, along the last batch dim."""
        return self._component_distribution

    def _weights(self):
        """The probabilities of the components, with dims for the events."""
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *[1] * len(self.event_shape)))

    def _average(self, values):
        return (self._weights() * values).sum(-1 - len(self.event_shape))

    @property
    def mean(self):
        return self._average(self._component_distribution.mean)

    @property
    def variance(self):
        # The mean of the variances and the variance of the means.
        components = self._component_distribution
        distance = components.mean - self._pad(self.mean)
        return self._average(components.variance) + self._average(distance.pow(2))

    def _pad(self, x):
        """A value with a dim for the components."""
        return x.unsqueeze(-1 - len(self.event_shape))

    def cdf(self, x):
        chances = self._component_distribution.cdf(self._pad(x))
        return (chances * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x):
        if self._validate_args:
            self._validate_sample(x)
        log_prob = self._component_distribution.log_prob(self._pad(x))
        log_weights = log_softmax(self._mixture_distribution.logits, -1)
        return logsumexp(log_prob + log_weights, -1)

    def sample(self, sample_shape=()):
        with no_grad():
            events = len(self.event_shape)
            mixture = self._mixture_distribution
            if mixture.batch_shape != self.batch_shape:
                mixture = mixture.expand(self.batch_shape)
            index = mixture.sample(sample_shape)
            samples = self._component_distribution.sample(sample_shape)
            dim = len(sample_shape) + len(self.batch_shape)
            index = index.reshape((*index.shape, *[1] * (events + 1)))
            shape = (*samples.shape[:dim], 1, *self.event_shape)
            return samples.gather(dim, index.expand(shape)).squeeze(dim)

    def __repr__(self):
        parts = f"\n  {self._mixture_distribution},\n  {self._component_distribution}"
        return f"MixtureSameFamily({parts})"
