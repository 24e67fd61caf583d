"""Transforms of vectors and matrices, and those that treat parts differently."""

import math

from ..dtypes import finfo
from ..linalg import cholesky
from ..nn.functional import logsigmoid, pad, softplus
from ..ops.copies import cat, stack
from ..ops.creation import eye, ones_like
from . import constraints
from .elementwise_transforms import Plain, inside_unit
from .transform import Transform
from .utils import sum_rightmost, tril_matrix_to_vec, vec_to_tril_matrix

__all__ = [
    "CatTransform",
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "SoftmaxTransform",
    "StackTransform",
    "StickBreakingTransform",
]

_real_matrix = constraints.independent(constraints.real, 2)


def _need_dims(shape, count):
    if len(shape) < count:
        raise ValueError("Too few dimensions on input")


class SoftmaxTransform(Plain):
    """y = exp(x), normalized to the sum 1; not bijective, and without Jacobian."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x):
        probs = (x - x.max(-1, True)[0]).exp()
        return probs / probs.sum(-1, True)

    def _inverse(self, y):
        return y.log()

    def forward_shape(self, shape):
        _need_dims(shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Plain):
    """n real numbers as n + 1 probabilities: each breaks its share off what is left of a stick."""

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def _call(self, x):
        share = inside_unit((x - _log_remaining(x)).sigmoid())
        rest = (1 - share).cumprod(-1)
        return pad(share, [0, 1], value=1.0) * pad(rest, [1, 0], value=1.0)

    def _inverse(self, y):
        broken = y[..., :-1]
        rest = (1 - broken.cumsum(-1)).clamp(min=finfo(y.dtype).tiny)
        return broken.log() - rest.log() + _log_remaining(broken)

    def log_abs_det_jacobian(self, x, y):
        x = x - _log_remaining(x)
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape):
        _need_dims(shape, 1)
        return (*shape[:-1], shape[-1] + 1)

    def inverse_shape(self, shape):
        _need_dims(shape, 1)
        return (*shape[:-1], shape[-1] - 1)


def _log_remaining(x):
    """log of the number of pieces still to come, so that x = 0 gives pieces of one size."""
    return (x.shape[-1] + 1 - ones_like(x).cumsum(-1)).log()


class CorrCholeskyTransform(Plain):
    """n (n - 1) / 2 real numbers as the Cholesky factor of a correlation matrix of n dims.

    tanh of the numbers are canonical partial correlations, which fill the strictly lower triangle
    row by row; each takes its share of what is left of its row's length 1 (Lewandowski, Kurowicka
    and Joe 2009).
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        eps = finfo(x.dtype).eps
        partial = vec_to_tril_matrix(x.tanh().clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - partial * partial).sqrt().cumprod(-1)
        partial = partial + eye(partial.shape[-1], dtype=x.dtype)
        return partial * pad(left[..., :-1], [1, 0], value=1.0)

    def _inverse(self, y):
        left = pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1.0)
        lengths = tril_matrix_to_vec(left, diag=-1).sqrt()
        partial = tril_matrix_to_vec(y, diag=-1) / lengths
        return (partial.log1p() - (-partial).log1p()) / 2

    def log_abs_det_jacobian(self, x, y):
        left = 1 - (y * y).cumsum(-1)
        rows = 0.5 * tril_matrix_to_vec(left, diag=-2).log().sum(-1)
        tanh = -2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)
        return rows + tanh

    def forward_shape(self, shape):
        _need_dims(shape, 1)
        count = shape[-1]
        n = round((0.25 + 2 * count) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != count:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return (*shape[:-1], n, n)

    def inverse_shape(self, shape):
        _need_dims(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return (*shape[:-2], shape[-1] * (shape[-1] - 1) // 2)


class LowerCholeskyTransform(Plain):
    """The lower triangle of real matrices, with exp of the diagonal."""

    domain, codomain = _real_matrix, constraints.lower_cholesky

    def _call(self, x):
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Plain):
    """L L^T, where L is `LowerCholeskyTransform` of a real matrix."""

    domain, codomain = _real_matrix, constraints.positive_definite

    def _call(self, x):
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(cholesky(y))


class _Parted(Transform):
    """Transforms of the parts that a tensor has along `dim`: its subclasses say which.

    Attribute `transforms`: one for each part.
    """

    def __init__(self, tseq, dim, cache_size):
        if not all(isinstance(t, Transform) for t in tseq):
            raise AssertionError("All elements of tseq must be Transform instances")
        tseq = [t.with_cache(cache_size) for t in tseq] if cache_size else list(tseq)
        super().__init__(cache_size)
        self.transforms, self.dim = tseq, dim

    def _parts(self, x):
        """The parts of x, checked to be as many as there are transforms."""
        raise NotImplementedError

    @property
    def bijective(self):
        return all(t.bijective for t in self.transforms)

    def _call(self, x):
        parts = zip(self.transforms, self._parts(x), strict=True)
        return self._joined([t(v) for t, v in parts])

    def _inverse(self, y):
        parts = zip(self.transforms, self._parts(y), strict=True)
        return self._joined([t.inv(v) for t, v in parts])

    def _jacobians(self, x, y):
        parts = zip(self.transforms, self._parts(x), self._parts(y), strict=True)
        return [t.log_abs_det_jacobian(v, w) for t, v, w in parts]


class CatTransform(_Parted):
    """Transforms of consecutive slices of `lengths` (default: 1 each) along `dim`."""

    def __init__(self, tseq, dim=0, lengths=None, cache_size=0):
        super().__init__(tseq, dim, cache_size)
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.transforms):
            raise AssertionError(
                f"lengths ({len(self.lengths)}) must match transforms ({len(self.transforms)})"
            )

    @property
    def event_dim(self):
        """The most dims that an event of a part has."""
        return max(t.event_dim for t in self.transforms)

    @property
    def length(self):
        """The size of `dim`."""
        return sum(self.lengths)

    def with_cache(self, cache_size=1):
        if self._cache_size == cache_size:
            return self
        return CatTransform(self.transforms, self.dim, self.lengths, cache_size)

    def _parts(self, x):
        if not -x.dim() <= self.dim < x.dim() or x.shape[self.dim] != self.length:
            raise AssertionError(f"expected size {self.length} in dim {self.dim} of {x.shape}")
        starts = [sum(self.lengths[:i]) for i in range(len(self.lengths))]
        return [x.narrow(self.dim, s, n) for s, n in zip(starts, self.lengths, strict=True)]

    def _joined(self, parts):
        return cat(parts, self.dim)

    def log_abs_det_jacobian(self, x, y):
        terms = [
            sum_rightmost(term, self.event_dim - t.event_dim)
            for t, term in zip(self.transforms, self._jacobians(x, y), strict=True)
        ]
        dim = self.dim - x.dim() if self.dim >= 0 else self.dim
        dim += self.event_dim
        return cat(terms, dim) if dim < 0 else sum(terms)

    @property
    def domain(self):
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self):
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)


class StackTransform(_Parted):
    """Transforms of the slices along `dim`, one each."""

    def __init__(self, tseq, dim=0, cache_size=0):
        super().__init__(tseq, dim, cache_size)

    def with_cache(self, cache_size=1):
        if self._cache_size == cache_size:
            return self
        return StackTransform(self.transforms, self.dim, cache_size)

    def _parts(self, x):
        if not -x.dim() <= self.dim < x.dim() or x.shape[self.dim] != len(self.transforms):
            raise AssertionError(
                f"expected size {len(self.transforms)} in dim {self.dim} of {x.shape}"
            )
        return [x.select(self.dim, i) for i in range(x.shape[self.dim])]

    def _joined(self, parts):
        return stack(parts, self.dim)

    def log_abs_det_jacobian(self, x, y):
        return self._joined(self._jacobians(x, y))

    @property
    def domain(self):
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self):
        return constraints.stack([t.codomain for t in self.transforms], self.dim)
