"""How far apart, or how much alike, vectors are."""

import flambeau

from ...ops.core import composite
from ...ops.norm import cosine_similarity

__all__ = ["cosine_similarity", "pairwise_distance", "pdist"]


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
def _pdist(x, first, second, *, p):
    return (x.index_select(0, first) - x.index_select(0, second)).norm(p, 1)


def pdist(input, p=2.0):
    """The p-norm distances between all pairs of rows: those of row 0 to 1, 2, ..., of row 1, ...

    Raises RuntimeError for an input that has not 2 dims or is no float, or a negative p.
    """
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.dtype.is_floating_point:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    rows = input.shape[0]
    first, second = flambeau.triu_indices(rows, rows, 1, device=input.device)
    return _pdist(input, first, second, p=float(p))
