"""Distributions of transformed random numbers."""

from ..autograd.modes import no_grad
from . import constraints
from .distribution import Distribution
from .independent import Independent
from .transforms import ComposeTransform, Transform
from .utils import sum_rightmost

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """The distribution of f(x), where x has a base distribution and f is made of transforms.

    log p(y) = log p(x) - log |det dy/dx|.

    Args: transforms: a transform or a list of them, the first applied first.
    Raises: ValueError for what is not a transform, and for a base with too few dims.

    >>> import flambeau as torch
    >>> D = torch.distributions
    >>> y = D.TransformedDistribution(D.Normal(0.0, 1.0), D.ExpTransform())
    >>> y.log_prob(torch.tensor(1.0))
    tensor(-0.9189)
    """

    arg_constraints = {}
    _parts = ("base_dist",)

    def __init__(self, base_distribution, transforms, validate_args=None):
        self.transforms = _as_list(transforms)
        batch_shape, event_shape = self._set_base(base_distribution)
        super().__init__(batch_shape, event_shape, validate_args)

    def _set_base(self, base):
        """Keep the base, expanded to what the transforms make of it; (batch, event) shapes."""
        shape = base.batch_shape + base.event_shape
        event_dim = len(base.event_shape)
        transform = ComposeTransform(self.transforms)
        domain_dim, codomain_dim = transform.domain.event_dim, transform.codomain.event_dim
        if len(shape) < domain_dim:
            raise ValueError(
                f"base_distribution needs to have shape with size at least {domain_dim}, "
                f"but got {shape}."
            )
        forward_shape = transform.forward_shape(shape)
        expanded = transform.inverse_shape(forward_shape)
        if tuple(shape) != tuple(expanded):
            base = base.expand(expanded[: len(expanded) - event_dim])
        if domain_dim > event_dim:
            base = Independent(base, domain_dim - event_dim)
        self.base_dist = base
        events = max(codomain_dim, event_dim + codomain_dim - domain_dim)
        cut = len(forward_shape) - events
        return forward_shape[:cut], forward_shape[cut:]

    def _part_shape(self, name, batch_shape):
        shape = batch_shape + self.event_shape
        for transform in reversed(self.transforms):
            shape = transform.inverse_shape(shape)
        return shape[: len(shape) - len(self.base_dist.event_shape)]

    def _copy_to(self, new):
        new.transforms = self.transforms

    @constraints.dependent_property(is_discrete=False)
    def support(self):
        if not self.transforms:
            return self.base_dist.support
        region = self.transforms[-1].codomain
        missing = len(self.event_shape) - region.event_dim
        return constraints.independent(region, missing) if missing > 0 else region

    @property
    def has_rsample(self):
        return self.base_dist.has_rsample

    def sample(self, sample_shape=()):
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=()):
        return self._forward(self.base_dist.rsample(sample_shape))

    def _forward(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        event_dim, log_prob, y = len(self.event_shape), 0.0, value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            event_dim += transform.domain.event_dim - transform.codomain.event_dim
            term = transform.log_abs_det_jacobian(x, y)
            log_prob = log_prob - sum_rightmost(term, event_dim - transform.domain.event_dim)
            y = x
        base = self.base_dist.log_prob(y)
        return log_prob + sum_rightmost(base, event_dim - len(self.base_dist.event_shape))

    def _monotonized(self, probability):
        """The probability, mirrored if the transforms fall, of the same side of the base."""
        sign = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5

    def cdf(self, value):
        """The base's distribution function of the inverse; the transforms must be monotonic."""
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(value)
        return self._monotonized(self.base_dist.cdf(value))

    def icdf(self, value):
        """The inverse of `cdf`."""
        return self._forward(self.base_dist.icdf(self._monotonized(value)))


def _as_list(transforms):
    """A list of the transforms given. Raises ValueError for what is none."""
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
    if not all(isinstance(t, Transform) for t in transforms):
        raise ValueError("transforms must be a Transform or a list of Transforms")
    return transforms
