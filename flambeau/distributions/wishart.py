"""Wishart's distribution of positive definite matrices."""

import math
import warnings

from ..autograd.modes import no_grad
from ..linalg import slogdet
from ..ops.cholesky import cholesky_solve
from ..ops.core import broadcast_shapes
from ..ops.creation import arange
from ..ops.elementwise import where
from ..ops.random import randn
from ..ops.special import mvlgamma
from ..recorder.handle import Tensor
from ..recorder.trace import local
from . import constraints
from .exp_family import ExponentialFamily
from .gamma import Chi2
from .multivariate_normal import MATRICES, OfCovariance, half_log_det
from .utils import vec_to_tril_matrix

__all__ = ["Wishart"]

TRIES = 10  # for samples that are not singular


def mvdigamma(x, p):
    """The derivative of mvlgamma(x, p)."""
    return (x.unsqueeze(-1) - arange(p, dtype=x.dtype) / 2).digamma().sum(-1)


class Wishart(OfCovariance, ExponentialFamily):
    """The distribution of X^T X, where the `df` rows of X are normal vectors of a covariance.

    Args: df: degrees of freedom, any real number above p - 1 for matrices of p rows.
        covariance_matrix, precision_matrix, scale_tril: one of the covariance, its inverse and its
        lower triangular Cholesky factor.
    Raises: AssertionError unless exactly one is given, ValueError for a df that is too small.
    """

    support = constraints.positive_definite
    has_rsample = True

    def __init__(
        self,
        df,
        covariance_matrix=None,
        precision_matrix=None,
        scale_tril=None,
        validate_args=None,
    ):
        matrices = dict(
            zip(MATRICES, (covariance_matrix, precision_matrix, scale_tril), strict=True)
        )
        given = [(name, m) for name, m in matrices.items() if m is not None]
        if len(given) != 1:
            raise AssertionError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                "specified."
            )
        ((name, matrix),) = given
        if matrix.dim() < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if not isinstance(df, Tensor):
            df = matrix.new_full((), float(df))
        batch_shape = broadcast_shapes("Wishart", [tuple(matrix.shape[:-2]), tuple(df.shape)])
        self._event_shape = matrix.shape[-2:]
        self.df = df.expand(batch_shape)
        self._set_matrix(matrices, batch_shape)
        self._check_df(df)
        super().__init__(batch_shape, matrix.shape[-2:], validate_args)
        self._set_factor(name, matrix)
        steps = arange(matrix.shape[-1], dtype=self.df.dtype)
        self._dist_chi2 = Chi2(self.df.unsqueeze(-1) - steps)

    def _check_df(self, df):
        n = self._event_shape[-1]
        if local.trace.sampling:
            return
        if (df <= n - 1).any():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        if (df < n).any():
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=4,
            )

    @property
    def arg_constraints(self):
        return {**MATRICES, "df": constraints.greater_than(self._event_shape[-1] - 1)}

    def expand(self, batch_shape, _instance=None):
        new = self._checked_instance(_instance)
        new._event_shape = self._event_shape
        new._dist_chi2 = self._dist_chi2.expand((*batch_shape, self._event_shape[-1]))
        return super().expand(batch_shape, new)

    def _of_df(self, factor, matrix):
        return factor.reshape((*self._batch_shape, 1, 1)) * matrix

    @property
    def mean(self):
        return self._of_df(self.df, self.covariance_matrix)

    @property
    def mode(self):
        factor = self.df - self._event_shape[-1] - 1
        return self._of_df(where(factor <= 0, math.nan, factor), self.covariance_matrix)

    @property
    def variance(self):
        matrix = self.covariance_matrix
        diagonal = matrix.diagonal(dim1=-2, dim2=-1)
        products = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self._of_df(self.df, matrix.pow(2) + products)

    def _bartlett(self, sample_shape):
        """Samples by Bartlett's decomposition: the Cholesky factors of standard ones, times L."""
        p = self._event_shape[-1]
        diagonal = self._dist_chi2.rsample(sample_shape).sqrt().diag_embed()
        shape = (*sample_shape, *self._batch_shape, p * (p - 1) // 2)
        noise = diagonal
        if p > 1:
            noise = noise + vec_to_tril_matrix(randn(shape, dtype=self.df.dtype), diag=-1)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape=(), max_try_correction=None):
        """Samples; singular ones, which rounding makes of small df, are drawn anew."""
        tries = TRIES if max_try_correction is None else max_try_correction
        sample = self._bartlett(tuple(sample_shape))
        if local.trace.sampling:
            return sample
        for _ in range(tries):
            with no_grad():
                good = self.support.check(sample)
            if good.all():
                break
            warnings.warn("Singular sample detected.", stacklevel=2)
            sample = where(
                good.unsqueeze(-1).unsqueeze(-1), sample, self._bartlett(tuple(sample_shape))
            )
        return sample

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        nu, p, factor = self.df, self._event_shape[-1], self._unbroadcasted_scale_tril
        shape = broadcast_shapes("log_prob", [tuple(value.shape), tuple(factor.shape)])
        solved = cholesky_solve(value.expand(shape), factor.expand(shape))
        norm = nu * (p * math.log(2.0) / 2 + half_log_det(factor)) + mvlgamma(nu / 2, p)
        density = (nu - p - 1) / 2 * slogdet(value)[1]
        return density - solved.diagonal(dim1=-2, dim2=-1).sum(-1) / 2 - norm

    def entropy(self):
        nu, p = self.df, self._event_shape[-1]
        scale = p * math.log(2.0) / 2 + half_log_det(self._unbroadcasted_scale_tril)
        change = (nu - p - 1) / 2 * mvdigamma(nu / 2, p)
        return (p + 1) * scale + mvlgamma(nu / 2, p) - change + nu * p / 2

    @property
    def _natural_params(self):
        return self.df / 2, -self.precision_matrix / 2

    def _log_normalizer(self, x, y):
        p = y.shape[-1]
        return x * (-slogdet(-2 * y)[1] + math.log(2.0) * p) + mvlgamma(x, p)
