"""Attention: averages of values, weighted by how well their keys fit a query."""

import math

from ...recorder.trace import autocast_dtype
from .. import elementwise as ew
from ..core import cast_floats, composite
from ..creation import arange
from ..dropout import dropout
from ..movement import contiguous
from ..precision import narrow, require_floating, widen
from ..reduce import amax_op, sum_op

__all__ = ["masked_softmax", "scaled_dot_product_attention"]


def _total(x):
    return sum_op(x, dims=(x.ndim - 1,), keepdim=True, dtype=None)


@composite(name="safe_softmax")
def masked_softmax(x):
    """The softmax along the last dim; zeros where all elements are -inf."""
    if not x._meta.numel:
        return x
    wide = widen(x)
    largest = amax_op(wide, dims=(x.ndim - 1,), keepdim=True)
    e = ew.exp(wide - ew.where(ew.eq(largest, -math.inf), 0.0, largest))
    total = _total(e)
    return contiguous(narrow(e * (1 / ew.where(ew.eq(total, 0), 1.0, total)), x))


@masked_softmax.vjp
def _(g, out, x):
    weighted = widen(g) * widen(out)
    return weighted - widen(out) * _total(weighted)


@composite(name="attention_weights")
def _weights_where(scores, mask, *, is_causal):
    """`masked_softmax` of the scores where the mask is true, or in a row up to its own number."""
    if is_causal:
        rows, columns = scores._meta.shape[-2:]
        mask = ew.le(arange(columns), arange(rows).unsqueeze(1))
    return masked_softmax(ew.where(mask, scores, -math.inf))


@_weights_where.vjp
def _(g, out, scores, mask, *, is_causal):
    # Weights are zeros where the mask is false, so gradients are, too.
    weighted = widen(g) * widen(out)
    return weighted - widen(out) * _total(weighted), None


def _check(query, key, value, attn_mask, is_causal):
    tensors = (query, key, value)
    if any(x.ndim < 2 for x in tensors):
        raise RuntimeError(
            "Expected query, key, and value to all be at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    kind = query._meta.dtype
    if any(x._meta.dtype is not kind for x in tensors):
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{kind.name} key.dtype: {key._meta.dtype.name} and value.dtype: "
            f"{value._meta.dtype.name} instead."
        )
    if kind.category == 1:
        raise RuntimeError(f"scaled_dot_product_attention: expected floats, got {kind.name}")
    if attn_mask is None:
        return
    if is_causal:
        raise RuntimeError(
            "scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True"
        )
    if attn_mask._meta.dtype.name not in ("bool", "float32", kind.name):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {attn_mask._meta.dtype.name} and query.dtype: {kind.name} instead."
        )


def _shared(x, heads):
    """Keys or values of few heads, [..., h, S, E], repeated for the heads of the query."""
    *lead, own, rows, size = x._meta.shape
    if own == 0 or heads % own:
        raise RuntimeError(
            f"Number of heads in key and value must divide the number of heads in query: got {own} "
            f"and {heads}"
        )
    wide = x.unsqueeze(-3).expand(*lead, own, heads // own, rows, size)
    return wide.reshape(*lead, heads, rows, size)


def scaled_dot_product_attention(
    query,
    key,
    value,
    attn_mask=None,
    dropout_p=0.0,
    is_causal=False,
    scale=None,
    enable_gqa=False,
):
    """softmax(scale * query key^T + mask) value, [..., L, Ev].

    Args:
        query, key, value: [..., L, E], [..., S, E] and [..., S, Ev], whose first dims broadcast.
        attn_mask: broadcasts to [..., L, S]: bools that say what takes part, or numbers to add.
        dropout_p: the probability of zeros among the weights, in evaluation too.
        is_causal: whether row i takes part of rows up to i only.
        scale: 1 / sqrt(E) by default.
        enable_gqa: whether key and value may have fewer heads, in dim -3, which are then shared.
    Returns: zeros where nothing takes part.
    Raises: RuntimeError for shapes and dtypes that do not fit, or both a mask and `is_causal`.

    >>> import flambeau as torch
    >>> x = torch.eye(2)
    >>> torch.nn.functional.scaled_dot_product_attention(x, x, x, is_causal=True)[0]
    tensor([1., 0.])
    """
    lower = autocast_dtype()
    if lower is not None:
        tensors = (query, key, value, attn_mask)
        query, key, value, attn_mask = (cast_floats(x, lower) for x in tensors)
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        if min(x.ndim for x in (query, key, value)) < 3:
            raise IndexError("Dimension out of range: enable_gqa needs heads in dim -3")
        heads = query._meta.shape[-3]
        key, value = _shared(key, heads), _shared(value, heads)
    if scale is None:
        scale = 1 / math.sqrt(max(query._meta.shape[-1], 1))
    scores = (widen(query) * float(scale)) @ widen(key).transpose(-2, -1)
    require_floating("softmax", scores)
    if is_causal or (attn_mask is not None and attn_mask._meta.dtype.name == "bool"):
        weights = _weights_where(scores, attn_mask, is_causal=is_causal)
    elif attn_mask is not None:
        weights = masked_softmax(scores + attn_mask.to(scores._meta.dtype))
    else:
        weights = masked_softmax(scores)
    if dropout_p > 0:
        weights = dropout(weights, dropout_p)
    return narrow(weights @ widen(value), query)
