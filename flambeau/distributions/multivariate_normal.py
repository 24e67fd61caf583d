"""The normal distribution of vectors."""

import math

from ..linalg import cholesky, solve_triangular
from ..ops.cholesky import cholesky_inverse
from ..ops.core import broadcast_shapes
from ..ops.creation import eye
from ..ops.random import randn
from . import constraints
from .distribution import Distribution
from .utils import lazy_property

__all__ = [
    "MATRICES",
    "MultivariateNormal",
    "OfCovariance",
    "batch_mv",
    "half_log_det",
    "mahalanobis",
]


def batch_mv(matrix, vector):
    """Matrices times vectors, over broadcast batches."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def half_log_det(factor):
    """The sum of the logarithms of the diagonals of matrices."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def mahalanobis(factor, vector):
    """The squares |L^-1 x|^2 for lower triangular L: `(..., n, n)` and `(..., n)` to `(...)`."""
    n, batch = factor.shape[-1], factor.shape[:-2]
    lead = vector.shape[: max(vector.dim() - 1 - len(batch), 0)]
    if vector.shape[len(lead) : -1] != batch:
        solved = solve_triangular(factor, vector.unsqueeze(-1), upper=False)
        return solved.squeeze(-1).pow(2).sum(-1)
    # Samples are columns of one system for each matrix.
    columns = vector.reshape((-1, *batch, n)).movedim(0, -1)
    squares = solve_triangular(factor, columns, upper=False).pow(2).sum(-2)
    return squares.movedim(-1, 0).reshape(lead + batch)


def precision_to_scale_tril(precision):
    """The Cholesky factor of the inverse of positive definite matrices."""
    # P = U U^T with U upper triangular, by a factorization from the last row up; L = U^-T.
    upper = cholesky(precision.flip((-2, -1))).flip((-2, -1))
    identity = eye(precision.shape[-1], dtype=precision.dtype)
    return solve_triangular(upper.mT, identity, upper=False)


# As libraries that build on PyTorch call them.
_batch_mahalanobis, _batch_mv = mahalanobis, batch_mv
_precision_to_scale_tril = precision_to_scale_tril

MATRICES = {
    "covariance_matrix": constraints.positive_definite,
    "precision_matrix": constraints.positive_definite,
    "scale_tril": constraints.lower_cholesky,
}


class OfCovariance(Distribution):
    """A mixin of distributions given by a covariance, its inverse or its Cholesky factor.

    One of the three is given, the others are computed when asked for. Attribute
    `_unbroadcasted_scale_tril`: the factor before it is expanded to the batch.
    """

    def _set_matrix(self, matrices, batch_shape):
        """Keep the one of the matrices that is given, expanded; returns it as given."""
        ((name, value),) = [(n, m) for n, m in matrices.items() if m is not None]
        self.__dict__[name] = value.expand((*batch_shape, -1, -1))
        return name, value

    def _set_factor(self, name, value):
        make = {"covariance_matrix": cholesky, "precision_matrix": precision_to_scale_tril}
        self._unbroadcasted_scale_tril = make[name](value) if name in make else value

    def _copy_to(self, new):
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril

    def _of_batch(self, matrix):
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self):
        """The Cholesky factor of the covariance."""
        return self._of_batch(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self):
        """The covariance."""
        factor = self._unbroadcasted_scale_tril
        return self._of_batch(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self):
        """The inverse of the covariance."""
        return self._of_batch(cholesky_inverse(self._unbroadcasted_scale_tril))


class MultivariateNormal(OfCovariance):
    """The normal distribution of vectors of mean `loc` and a covariance.

    Args: covariance_matrix, precision_matrix, scale_tril: one of the covariance, its inverse and
        its lower triangular Cholesky factor, which is the quickest.
    Raises: ValueError unless exactly one is given, and for too few dims.
    """

    arg_constraints = {"loc": constraints.real_vector, **MATRICES}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc,
        covariance_matrix=None,
        precision_matrix=None,
        scale_tril=None,
        validate_args=None,
    ):
        matrices = dict(
            zip(MATRICES, (covariance_matrix, precision_matrix, scale_tril), strict=True)
        )
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        if sum(m is not None for m in matrices.values()) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        for name, m in matrices.items():
            if m is not None and m.dim() < 2:
                what = "scale_tril matrix" if name == "scale_tril" else name
                raise ValueError(
                    f"{what} must be at least two-dimensional, with optional leading batch "
                    "dimensions"
                )
        (given,) = (m for m in matrices.values() if m is not None)
        shapes = [tuple(given.shape[:-2]), tuple(loc.shape[:-1])]
        batch_shape = broadcast_shapes("MultivariateNormal", shapes)
        name, given = self._set_matrix(matrices, batch_shape)
        self.loc = loc.expand((*batch_shape, -1))
        super().__init__(batch_shape, self.loc.shape[-1:], validate_args)
        self._set_factor(name, given)

    @property
    def mean(self):
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        squares = self._unbroadcasted_scale_tril.pow(2).sum(-1)
        return squares.expand(self._batch_shape + self._event_shape)

    def rsample(self, sample_shape=()):
        noise = randn(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + batch_mv(self._unbroadcasted_scale_tril, noise)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        squares = mahalanobis(factor, value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + squares) - half_log_det(factor)

    def entropy(self):
        logs = half_log_det(self._unbroadcasted_scale_tril)
        result = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + logs
        return result.expand(self._batch_shape) if self._batch_shape else result
