"""The normal distribution of vectors whose covariance is a diagonal and a little more."""

import math

from ..linalg import cholesky, solve_triangular
from ..ops.core import broadcast_shapes
from ..ops.creation import eye
from ..ops.random import randn
from . import constraints
from .distribution import Distribution
from .multivariate_normal import batch_mv, half_log_det, mahalanobis
from .utils import lazy_property

__all__ = ["LowRankMultivariateNormal", "low_rank_log_det", "low_rank_mahalanobis"]


def capacitance_tril(factor, diagonal):
    """The Cholesky factor of I + W^T D^-1 W, a small matrix."""
    scaled = factor.mT / diagonal.unsqueeze(-2)
    return cholesky(scaled @ factor + eye(factor.shape[-1], dtype=factor.dtype))


def low_rank_mahalanobis(factor, diagonal, capacitance, vector):
    """x^T (W W^T + D)^-1 x, by Woodbury's identity."""
    projected = batch_mv(factor.mT / diagonal.unsqueeze(-2), vector)
    return (vector.pow(2) / diagonal).sum(-1) - mahalanobis(capacitance, projected)


def low_rank_log_det(diagonal, capacitance):
    """log det(W W^T + D), by the matrix determinant lemma."""
    return 2 * half_log_det(capacitance) + diagonal.log().sum(-1)


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of mean `loc` and covariance cov_factor cov_factor^T + cov_diag.

    Args: cov_factor: W, `(..., n, m)`, with m below n for a gain. cov_diag: the diagonal D.
    Raises: ValueError for shapes that do not fit.
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        event_shape = loc.shape[-1:]
        if cov_factor.dim() < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if cov_factor.shape[-2:-1] != event_shape:
            raise ValueError(
                f"cov_factor must be a batch of matrices with shape {event_shape[0]} x m"
            )
        if cov_diag.shape[-1:] != event_shape:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {event_shape}")
        shapes = [tuple(x.shape) for x in (loc[..., 0], cov_factor[..., 0, 0], cov_diag[..., 0])]
        batch_shape = broadcast_shapes("LowRankMultivariateNormal", shapes)
        self.loc = loc.expand((*batch_shape, -1))
        self.cov_factor = cov_factor.expand((*batch_shape, -1, -1))
        self.cov_diag = cov_diag.expand((*batch_shape, -1))
        super().__init__(batch_shape, event_shape, validate_args)
        self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag = cov_factor, cov_diag
        self._capacitance_tril = capacitance_tril(cov_factor, cov_diag)

    def _copy_to(self, new):
        new._unbroadcasted_cov_factor = self._unbroadcasted_cov_factor
        new._unbroadcasted_cov_diag = self._unbroadcasted_cov_diag
        new._capacitance_tril = self._capacitance_tril

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @lazy_property
    def variance(self):
        squares = self._unbroadcasted_cov_factor.pow(2).sum(-1)
        return (squares + self._unbroadcasted_cov_diag).expand(self.loc.shape)

    def _of_batch(self, matrix):
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self):
        """The Cholesky factor of the covariance."""
        # That of D^-1/2 C D^-1/2, whose eigenvalues are at least 1, is the more exact.
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        matrix = scaled @ scaled.mT + eye(scaled.shape[-2], dtype=scaled.dtype)
        return self._of_batch(root * cholesky(matrix))

    @lazy_property
    def covariance_matrix(self):
        """The covariance."""
        factor = self._unbroadcasted_cov_factor
        return self._of_batch(factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed())

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance."""
        diagonal = self._unbroadcasted_cov_diag
        scaled = self._unbroadcasted_cov_factor.mT / diagonal.unsqueeze(-2)
        solved = solve_triangular(self._capacitance_tril, scaled, upper=False)
        return self._of_batch(diagonal.reciprocal().diag_embed() - solved.mT @ solved)

    def rsample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        small = randn((*shape[:-1], self.cov_factor.shape[-1]), dtype=self.loc.dtype)
        full = randn(shape, dtype=self.loc.dtype)
        moved = self.loc + batch_mv(self._unbroadcasted_cov_factor, small)
        return moved + self._unbroadcasted_cov_diag.sqrt() * full

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        factor, diagonal = self._unbroadcasted_cov_factor, self._unbroadcasted_cov_diag
        distance = low_rank_mahalanobis(factor, diagonal, self._capacitance_tril, value - self.loc)
        log_det = low_rank_log_det(diagonal, self._capacitance_tril)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + log_det + distance)

    def entropy(self):
        log_det = low_rank_log_det(self._unbroadcasted_cov_diag, self._capacitance_tril)
        result = 0.5 * (self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + log_det)
        return result.expand(self._batch_shape) if self._batch_shape else result
