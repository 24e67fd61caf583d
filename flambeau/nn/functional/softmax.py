"""Softmax and its relatives: what turns scores along a dim into probabilities."""

import flambeau

from ...ops.core import composite
from .common import narrow, require_floating, warn, widen

__all__ = ["gumbel_softmax", "log_softmax", "softmax", "softmin"]


def shifted(x, dim):
    """`x` less its largest element along a dim, so that its exponentials do not overflow."""
    wide = widen(x)
    return wide - wide.amax(dim, keepdim=True) if wide.numel() else wide


@composite
def _softmax(x, *, dim):
    require_floating("softmax", x)
    e = shifted(x, dim).exp()
    return narrow(e / e.sum(dim, keepdim=True), x)


@_softmax.vjp
def _(g, out, x, *, dim):
    weighted = widen(g) * widen(out)
    return (weighted - widen(out) * weighted.sum(dim, keepdim=True),)


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
    return _softmax(input if dtype is None else input.to(dtype), dim=dim)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """The softmax of -x along a dim; see `softmax`."""
    if dim is None:
        dim = _default_dim("softmin", input)
    return softmax(-input, dim, dtype=dtype)


@composite
def _log_softmax(x, *, dim):
    require_floating("log_softmax", x)
    return narrow(log_softmax_body(x, dim), x)


def log_softmax_body(x, dim):
    """The log-softmax along a dim, in the dtype of the computation."""
    centred = shifted(x, dim)
    return centred - centred.exp().sum(dim, keepdim=True).log()


@_log_softmax.vjp
def _(g, out, x, *, dim):
    g = widen(g)
    return (g - widen(out).exp() * g.sum(dim, keepdim=True),)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """x_i - log(sum_j exp(x_j)) along a dim; see `softmax`."""
    if dim is None:
        dim = _default_dim("log_softmax", input)
    return _log_softmax(input if dtype is None else input.to(dtype), dim=dim)


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
