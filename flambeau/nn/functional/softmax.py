"""Softmax and its relatives: what turns scores along a dim into probabilities."""

import flambeau

from ...ops.composite import softmax as ops
from .common import warn

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(x_i) / sum_j exp(x_j) along a dim.

    Args:
        dim: by default, with a warning, 0 for inputs of 0, 1 or 3 dims and 1 for others.
        dtype: what to cast the input to first.

    Raises IndexError for a dim that is not there.

    >>> import flambeau as torch
    >>> torch.nn.functional.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _default_dim("softmax", input)
    return ops.softmax(input, dim, dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """The softmax of -x along a dim; see `softmax`."""
    if dim is None:
        dim = _default_dim("softmin", input)
    return softmax(-input, dim, dtype=dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """x_i - log(sum_j exp(x_j)) along a dim; see `softmax`."""
    if dim is None:
        dim = _default_dim("log_softmax", input)
    return ops.log_softmax(input, dim, dtype)


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """A random sample near a corner of the simplex: softmax((logits + Gumbel noise) / tau).

    With `hard`, the sample is one-hot and its gradient that of the soft sample
    (arXiv:1611.01144). `eps` is of no effect, and a warning says so.
    """
    if eps != 1e-10:
        warn("`eps` parameter is deprecated and has no effect.")
    gumbels = -flambeau.empty_like(logits).exponential_().log()
    soft = softmax((logits + gumbels) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    corner = flambeau.zeros_like(logits).scatter_(dim, index, 1.0)
    return corner - soft.detach() + soft


def _default_dim(name, input):
    warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument."
    )
    return 0 if input.dim() in (0, 1, 3) else 1
