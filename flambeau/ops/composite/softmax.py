"""Softmax and its logarithm: scores along a dim as probabilities."""

from .. import elementwise as ew
from ..api import cast_to, function
from ..core import composite
from ..movement import contiguous
from ..precision import narrow, require_floating, widen
from ..reduce import amax_op, normalize_dim, sum_op

__all__ = ["log_softmax", "log_softmax_body", "softmax"]


def shifted(x, dim):
    """`x` less its largest element along a dim, so that its exponentials do not overflow."""
    wide = widen(x)
    if not wide._meta.numel:
        return wide
    return wide - amax_op(wide, dims=_dims(wide, dim), keepdim=True)


def _dims(x, dim):
    return (normalize_dim(dim, x.ndim),) if x.ndim else ()


def _total(x, dim):
    return sum_op(x, dims=_dims(x, dim), keepdim=True, dtype=None)


@composite(name="softmax")
def _softmax(x, *, dim):
    e = ew.exp(shifted(x, dim))
    return contiguous(narrow(e * (1 / _total(e, dim)), x))


@_softmax.vjp
def _(g, out, x, *, dim):
    weighted = widen(g) * widen(out)
    return (weighted - widen(out) * _total(weighted, dim),)


@function(out=True)
def softmax(input, dim, dtype=None):
    """exp(x_i) / sum_j exp(x_j) along a dim, of `input` cast to `dtype` first if it is given.

    Raises: IndexError for a dim that is not there, NotImplementedError for integers.

    >>> import flambeau as torch
    >>> torch.softmax(torch.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    x = input if dtype is None else cast_to(input, dtype)
    require_floating("softmax", x)
    return _softmax(x, dim=normalize_dim(dim, x.ndim))


def log_softmax_body(x, dim):
    """The log-softmax along a dim, in the dtype of the computation."""
    centred = shifted(x, dim)
    return centred - ew.log(_total(ew.exp(centred), dim))


@composite(name="log_softmax")
def _log_softmax(x, *, dim):
    return contiguous(narrow(log_softmax_body(x, dim), x))


@_log_softmax.vjp
def _(g, out, x, *, dim):
    g = widen(g)
    return (g - ew.exp(widen(out)) * _total(g, dim),)


@function(out=True)
def log_softmax(input, dim, dtype=None):
    """x_i - log(sum_j exp(x_j)) along a dim; see `softmax`."""
    x = input if dtype is None else cast_to(input, dtype)
    require_floating("log_softmax", x)
    return _log_softmax(x, dim=normalize_dim(dim, x.ndim))
