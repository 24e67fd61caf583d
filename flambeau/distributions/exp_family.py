"""Exponential families, whose entropy follows from their log normalizer."""

from ..autograd import enable_grad, grad
from .distribution import Distribution
from .utils import sum_rightmost

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Distributions of the density exp(<t(x), theta> - F(theta) + k(x)).

    A subclass may define `_natural_params`, the tuple of tensors theta, `_log_normalizer(*theta)`,
    which is F, and `_mean_carrier_measure`, the expected k(x): entropies and divergences within the
    family follow from these.
    """

    @property
    def _natural_params(self):
        """The natural parameters, a tuple of tensors."""
        raise NotImplementedError

    def _log_normalizer(self, *natural_params):
        """The logarithm of what normalizes the density, a function of the natural parameters."""
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self):
        """The expected logarithm of the carrier measure."""
        raise NotImplementedError

    def _bregman(self, at):
        """F(theta) - <at, grad F(theta)> of the batch shape, for natural parameters `at`."""
        given = self._natural_params
        with enable_grad():
            theta = [p if p.requires_grad else p.detach().requires_grad_() for p in given]
            value = self._log_normalizer(*theta)
            slopes = grad(value.sum(), theta, create_graph=True)
        for p, slope in zip(theta if at is None else at, slopes, strict=True):
            value = value - sum_rightmost(p * slope, slope.dim() - len(self._batch_shape))
        return value if any(p.requires_grad for p in (*given, *(at or ()))) else value.detach()

    def entropy(self):
        """F(theta) - <theta, grad F(theta)> - E[k(x)], by automatic differentiation."""
        return self._bregman(None) - self._mean_carrier_measure
