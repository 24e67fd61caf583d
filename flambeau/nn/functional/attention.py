"""Attention, in one head and in many."""

import math

import flambeau

from ...ops.composite.attention import scaled_dot_product_attention
from .common import warn
from .dropout import dropout
from .linear import linear
from .softmax import softmax

__all__ = ["added_mask", "multi_head_attention_forward", "scaled_dot_product_attention"]


def _require(condition, message):
    if not condition:
        raise AssertionError(message)


def _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads):
    """Whether the inputs have a batch dim. Raises AssertionError for dims that do not fit."""
    ndim = query.dim()
    _require(
        ndim in (2, 3),
        f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor",
    )
    kind = "batched" if ndim == 3 else "unbatched"
    _require(
        key.dim() == value.dim() == ndim,
        f"For {kind} `query`, expected `key` and `value` to be {ndim}-D but found {key.dim()}-D "
        f"and {value.dim()}-D tensors respectively",
    )
    if key_padding_mask is not None:
        _require(
            key_padding_mask.dim() == ndim - 1,
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {ndim - 1}-D but "
            f"found {key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        _require(
            attn_mask.dim() in (2, 3),
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found "
            f"{attn_mask.dim()}-D tensor instead",
        )
        if ndim == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _require(
                tuple(attn_mask.shape) == expected,
                f"Expected `attn_mask` shape to be {expected} but got {tuple(attn_mask.shape)}",
            )
    return ndim == 3


def added_mask(name, mask, kind):
    """A mask, or None, as numbers to add to scores: of bools, -inf for what is left out.

    Raises AssertionError, naming it, for integers.
    """
    if mask is None or mask.dtype.is_floating_point:
        return mask
    _require(mask.dtype == flambeau.bool, f"only bool and floating types of {name} are supported")
    return flambeau.zeros(mask.shape, dtype=kind).masked_fill(mask, -math.inf)


def _masks(query, key_padding_mask, attn_mask, is_causal, need_weights):
    """(key_padding_mask, attn_mask, is_causal) as they are to be used."""
    pair = (key_padding_mask, attn_mask)
    if None not in pair and key_padding_mask.dtype != attn_mask.dtype:
        warn(
            "Support for mismatched key_padding_mask and attn_mask is deprecated. Use same type "
            "for both instead."
        )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    padding = added_mask("key_padding_mask", key_padding_mask, query.dtype)
    if is_causal and padding is None and not need_weights:
        return None, None, True
    return padding, added_mask("attn_mask", attn_mask, query.dtype), False


def _three(x):
    return (None, None, None) if x is None else x.chunk(3)


def _projected(query, key, value, weights, packed_weight, bias):
    """The projections of query, key and value; by one product if they are the same tensor."""
    if weights is None:
        if query is key and key is value:
            return linear(query, packed_weight, bias).chunk(3, -1)
        weights = packed_weight.chunk(3)
    tensors = (query, key, value)
    return [linear(x, w, b) for x, w, b in zip(tensors, weights, _three(bias), strict=True)]


def _check_weights(key, value, separate, weights, packed):
    if not separate:
        _require(packed is not None, "use_separate_proj_weight is False but in_proj_weight is None")
        _require(
            key.shape == value.shape,
            f"key shape {key.shape} does not match value shape {value.shape}",
        )
        return None
    for name, weight in zip("qkv", weights, strict=True):
        _require(
            weight is not None,
            f"use_separate_proj_weight is True but {name}_proj_weight is None",
        )
    _require(
        key.shape[:2] == value.shape[:2],
        f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
    )
    return weights


def _fitted_mask(mask, rows, columns, heads):
    """A mask of 3 dims. Raises RuntimeError for a shape that does not fit."""
    if mask is None:
        return None
    expected = (rows, columns) if mask.dim() == 2 else (heads, rows, columns)
    if tuple(mask.shape) != expected:
        raise RuntimeError(
            f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}."
        )
    return mask.unsqueeze(0) if mask.dim() == 2 else mask


def _split(x, heads, size):
    """[L, N, heads * size] as [N * heads, L, size]."""
    return x.reshape(x.shape[0], heads, size).transpose(0, 1)


def _given(name, static, heads, size):
    _require(
        (static.shape[0], static.shape[2]) == (heads, size),
        f"expecting {name} of {heads} heads of size {size}, but got {list(static.shape)}",
    )
    return static


def _widened(mask):
    """A mask with one more column, which leaves nothing out."""
    return mask if mask is None else flambeau.nn.functional.pad(mask, (0, 1))


def _merged(attn_mask, padding, batch, num_heads):
    """The sum of the masks, [N * heads or 1, L or 1, S]."""
    if padding is None:
        return attn_mask
    _require(
        padding.shape[0] == batch,
        f"expecting key_padding_mask shape[0] of {batch}, but got {padding.shape[0]}",
    )
    padding = padding.reshape(batch, 1, 1, -1).expand(-1, num_heads, -1, -1)
    padding = padding.reshape(batch * num_heads, 1, -1)
    return padding if attn_mask is None else attn_mask + padding


def multi_head_attention_forward(
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention of parallel heads, each with E / heads of the features of projections.

    Args:
        query, key, value: [L, N, E], [S, N, E] and [S, N, E], or all without the batch dim N.
        in_proj_weight, in_proj_bias: [3 E, E] and [3 E], for query, key and value; or, with
            use_separate_proj_weight, q_proj_weight, k_proj_weight and v_proj_weight.
        bias_k, bias_v: [1, 1, E], one more key and value; add_zero_attn: and one more of zeros.
        key_padding_mask: [N, S], and attn_mask: [L, S] or [N * heads, L, S]: true for what is left
            out, or numbers to add.
        need_weights: whether to return the weights, of all heads or, with average_attn_weights,
            their means.
        static_k, static_v: [N * heads, S, E / heads], in place of the projections.
        is_causal: that attn_mask is causal.
    Returns: [L, N, E], and the weights [N, L, S] or [N, heads, L, S] or None.
    Raises: AssertionError for shapes that do not fit, RuntimeError for those of masks.
    """
    batched = _is_batched(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same = query is key and key is value
        query = query.unsqueeze(1)
        key, value = (query, query) if same else (key.unsqueeze(1), value.unsqueeze(1))
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    rows, batch, width = query.shape
    padding, attn_mask, is_causal = _masks(
        query, key_padding_mask, attn_mask, is_causal, need_weights
    )
    _require(
        width == embed_dim_to_check,
        f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}",
    )
    size, heads = width // num_heads, batch * num_heads
    _require(size * num_heads == width, f"embed_dim {width} not divisible by num_heads {num_heads}")
    weights = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = _check_weights(key, value, use_separate_proj_weight, weights, in_proj_weight)
    q, k, v = _projected(query, key, value, weights, in_proj_weight, in_proj_bias)
    attn_mask = _fitted_mask(attn_mask, rows, key.shape[0], heads)
    _require((bias_k is None) == (bias_v is None), "bias_k and bias_v must be set both or neither")
    if bias_k is not None:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")
        k, v = (flambeau.cat([x, b.repeat(1, batch, 1)]) for x, b in ((k, bias_k), (v, bias_v)))
        attn_mask, padding = _widened(attn_mask), _widened(padding)
    q = _split(q, heads, size)
    k = _split(k, heads, size) if static_k is None else _given("static_k", static_k, heads, size)
    v = _split(v, heads, size) if static_v is None else _given("static_v", static_v, heads, size)
    if add_zero_attn:
        zeros = k.new_zeros(heads, 1, size)
        k, v = flambeau.cat([k, zeros], 1), flambeau.cat([v, zeros], 1)
        attn_mask, padding = _widened(attn_mask), _widened(padding)
    mask = _merged(attn_mask, padding, batch, num_heads)
    made, weights = _attend(
        (q, k, v), mask, batch, dropout_p if training else 0.0, need_weights, is_causal
    )
    made = made.transpose(0, 1).reshape(rows * batch, width)
    made = linear(made, out_proj_weight, out_proj_bias)
    made = made.reshape(rows, batch, made.shape[1])
    if weights is not None:
        weights = weights.reshape(batch, num_heads, rows, -1)
        weights = weights.mean(1) if average_attn_weights else weights
    if not batched:
        made, weights = made.squeeze(1), None if weights is None else weights.squeeze(0)
    return made, weights


def _attend(qkv, mask, batch, dropout_p, need_weights, is_causal):
    """The values [N * heads, L, size] and, if needed, the weights [N * heads, L, S]."""
    q, k, v = qkv
    if not need_weights:
        q, k, v = (x.reshape(batch, -1, *x.shape[1:]) for x in qkv)
        if mask is not None:
            mask = mask.reshape(batch if mask.shape[0] > 1 else 1, -1, *mask.shape[1:])
        made = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
        return made.reshape(-1, *made.shape[2:]), None
    scores = (q * math.sqrt(1 / q.shape[-1])).bmm(k.transpose(-2, -1))
    weights = softmax(scores if mask is None else scores + mask, -1)
    weights = dropout(weights, dropout_p) if dropout_p > 0 else weights
    return weights.bmm(v), weights
