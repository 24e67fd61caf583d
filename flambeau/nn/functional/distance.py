"""How far apart, or how much alike, vectors are."""

import flambeau

from ...ops.core import composite

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


@composite
def _cosine_similarity(x1, x2, eps, *, dim):
    common = flambeau.promote_types(x1.dtype, x2.dtype)
    if not common.is_floating_point:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {common}"
        )
    x1, x2 = flambeau.broadcast_tensors(x1.to(common), x2.to(common))
    unit1 = x1 / x1.norm(2, dim, keepdim=True).clamp(min=eps)
    unit2 = x2 / x2.norm(2, dim, keepdim=True).clamp(min=eps)
    return (unit1 * unit2).sum(dim)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (max(||x1||, eps) * max(||x2||, eps)) along a dim.

    The inputs broadcast. Raises RuntimeError if they do not, or are integers.
    """
    return _cosine_similarity(x1, x2, eps, dim=dim)


@composite
def _pairwise_distance(x1, x2, eps, *, p, keepdim):
    return distance(x1, x2, p, eps, keepdim)


def distance(x1, x2, p, eps, keepdim=False):
    """The p-norm of x1 - x2 + eps along the last dim."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """||x1 - x2 + eps||_p along the last dim. The inputs broadcast."""
    return _pairwise_distance(x1, x2, eps, p=float(p), keepdim=keepdim)


@composite
def _pdist(x, *, p):
    if x.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {x.dim()}D")
    if not x.dtype.is_floating_point:
        raise RuntimeError("pdist only supports floating-point dtypes")
    first, second = flambeau.triu_indices(x.shape[0], x.shape[0], 1, device=x.device)
    return (x.index_select(0, first) - x.index_select(0, second)).norm(p, 1)


def pdist(input, p=2.0):
    """The p-norm distances between all pairs of rows: those of row 0 to 1, 2, ..., of row 1, ...

    Raises RuntimeError for an input that has not 2 dims or a negative p.
    """
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    return _pdist(input, p=float(p))
