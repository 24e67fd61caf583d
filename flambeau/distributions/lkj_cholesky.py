"""Cholesky factors of random correlation matrices."""

import math

from ..autograd.modes import no_grad
from ..dtypes import finfo
from ..linalg import vector_norm
from ..ops.copies import cat
from ..ops.creation import arange, zeros
from ..ops.random import randn
from ..ops.special import mvlgamma
from . import constraints
from .dirichlet import Beta
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Lower Cholesky factors of correlation matrices, whose density goes with
    det(matrix)^(concentration - 1): with 1 they are uniform.

    Lewandowski, Kurowicka and Joe, "Generating random correlation matrices based on vines and
    extended onion method", 2009.

    Args: dim: rows of the matrices.
    Raises: ValueError for dim below 2.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _parts = ("_beta",)

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)
        marginal = self.concentration + 0.5 * (dim - 2)
        kind = self.concentration.dtype
        offset = cat([zeros(1, dtype=kind), arange(dim - 1, dtype=kind)])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)

    def _part_shape(self, name, batch_shape):
        return (*batch_shape, self.dim)

    def _copy_to(self, new):
        new.dim = self.dim

    def sample(self, sample_shape=()):
        """Samples by the onion method: row after row, a radius and a direction."""
        with no_grad():
            radius = self._beta.sample(sample_shape).unsqueeze(-1)
            normal = randn(self._extended_shape(sample_shape), dtype=radius.dtype).tril(-1)
            direction = normal / vector_norm(normal, dim=-1, keepdim=True)
            rows = radius.sqrt()[..., 1:, :] * direction[..., 1:, :]
            w = cat([zeros((*rows.shape[:-2], 1, self.dim), dtype=rows.dtype), rows], -2)
            rest = (1 - w.pow(2).sum(-1)).clamp(min=finfo(w.dtype).tiny)
            return w + rest.sqrt().diag_embed()

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        dim, concentration = self.dim, self.concentration
        diagonal = value.diagonal(dim1=-2, dim2=-1)[..., 1:]
        rows = arange(2, dim + 1, dtype=concentration.dtype)
        powers = 2 * (concentration - 1).unsqueeze(-1) + dim - rows
        density = (powers * diagonal.log()).sum(-1)
        # The normalizer of page 1999 of the paper, of factors instead of matrices.
        last = dim - 1
        alpha = concentration + 0.5 * last
        norm = mvlgamma(alpha - 0.5, last) - alpha.lgamma() * last
        return density - (0.5 * last * math.log(math.pi) + norm)
