"""Attention whose scores a function changes, and of which another says what takes part."""

import math
from typing import NamedTuple

import flambeau

from ...ops.composite.attention import masked_softmax
from ...ops.precision import narrow, widen
from ...tensor import Tensor
from .block_mask import BlockMask, create_block_mask
from .mask_mod import and_masks, create_mask, noop_mask, or_masks, over_grid

__all__ = [
    "AuxOutput",
    "AuxRequest",
    "BlockMask",
    "and_masks",
    "create_block_mask",
    "create_mask",
    "flex_attention",
    "noop_mask",
    "or_masks",
]


class AuxRequest(NamedTuple):
    """What `flex_attention` is to return besides its result."""

    lse: bool = False
    max_scores: bool = False


class AuxOutput(NamedTuple):
    """What it returned: for each query, the log of the sum of exp(scores), and the largest."""

    lse: Tensor | None = None
    max_scores: Tensor | None = None


def _check(query, key, value, block_mask, enable_gqa):
    if {query.dim(), key.dim(), value.dim()} != {4}:
        raise NotImplementedError(
            "query, key, and value must be 4D tensors, [batch, heads, length, size], but got "
            f"{list(query.shape)}, {list(key.shape)} and {list(value.shape)}"
        )
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(
            "Expect query and key/value to have the same embedding dimension but got "
            f"E={query.shape[-1]} and E={key.shape[-1]}."
        )
    batches, other = query.shape[0], key.shape[0]
    if batches != other and (block_mask is None or other != 1):
        raise ValueError(
            "Expect query and key/value to have the same batch size, or non-none block_mask, but "
            f"got {block_mask=}, Bq={batches}, and Bkv={other}."
        )
    heads, own = query.shape[1], key.shape[1]
    if not enable_gqa and heads != own:
        raise ValueError(
            "Expect query and key/value to have the same number of heads but got "
            f"Hq={heads} and Hkv={own}. Try setting enable_gqa=True for GQA."
        )
    if enable_gqa and heads % own:
        raise ValueError(
            "Expect number of query heads to be a multiple of kv heads for GQA but got "
            f"Hq={heads} and Hkv={own}."
        )
    if block_mask is not None:
        _check_lengths(block_mask, query.shape[-2], key.shape[-2])


def _check_lengths(block_mask, q_len, kv_len):
    rows, columns = block_mask.shape[-2:]
    if (rows, columns) == (q_len, kv_len):
        return
    advice = "you likely need to create a new block mask."
    kind = "smaller"
    if rows >= q_len and columns >= kv_len:
        kind = "larger"
        advice = (
            "you can either 1. create a new block mask with the correct length, or 2. 'adjust' it "
            "to the correct length by calling block_mask._adjust(q_len, kv_len), which crops it to "
            "its upper left corner."
        )
    raise ValueError(
        f"block_mask was created for block_mask.shape={block_mask.shape} but got {q_len=} and "
        f"{kv_len=}. As the block mask was created for a {kind} length than you're using it for, "
        f"{advice}"
    )


def flex_attention(
    query,
    key,
    value,
    score_mod=None,
    block_mask=None,
    scale=None,
    enable_gqa=False,
    return_lse=False,
    kernel_options=None,
    *,
    return_aux=None,
):
    """softmax(score_mod(scale * query key^T)) value, of the scores that `block_mask` lets through.

    Args:
        query, key, value: [B, Hq, L, E], [B, Hkv, S, E] and [B, Hkv, S, Ev].
        score_mod: a function (score, b, h, q_idx, kv_idx) of a score and its indices, 0-dim
            tensors, that returns the score to use.
        block_mask: a `BlockMask`, as `create_block_mask` makes it.
        scale: 1 / sqrt(E) by default.
        enable_gqa: whether key and value may have fewer heads, which are then shared.
        return_lse: whether to return the log of the sum of exp(scores) too, [B, Hq, L].
        return_aux: an `AuxRequest`, what to return besides.
    `kernel_options` is accepted to no effect.
    Returns: [B, Hq, L, Ev], zeros where nothing takes part; with the others in a tuple if asked.
    Raises: ValueError or NotImplementedError for shapes that do not fit.

    >>> import flambeau as torch
    >>> from flambeau.nn.attention.flex_attention import flex_attention
    >>> x = torch.eye(2).expand(1, 1, 2, 2)
    >>> causal = lambda score, b, h, q, kv: torch.where(q >= kv, score, -torch.inf)
    >>> flex_attention(x, x, x, score_mod=causal)[0, 0, 0]
    tensor([1., 0.])
    """
    _check(query, key, value, block_mask, enable_gqa)
    if return_lse and return_aux is not None:
        raise ValueError(
            "Cannot specify both return_lse and return_aux. return_lse is deprecated, please use "
            "return_aux=AuxRequest(lse=True) instead."
        )
    heads = query.shape[1]
    if key.shape[1] != heads:
        key, value = (x.repeat_interleave(heads // x.shape[1], 1) for x in (key, value))
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    scores = (widen(query) * float(scale)) @ widen(key).transpose(-2, -1)
    if score_mod is not None:
        scores = over_grid(score_mod, scores.shape, scores, query.device)
    if block_mask is not None:
        allowed = block_mask.allowed(*scores.shape[:2])
        scores = flambeau.where(allowed, scores, -math.inf)
    made = narrow(masked_softmax(scores) @ widen(value), query)
    if return_lse:
        return made, scores.logsumexp(-1)
    if return_aux is None:
        return made
    lse = scores.logsumexp(-1) if return_aux.lse else None
    return made, AuxOutput(lse, scores.amax(-1) if return_aux.max_scores else None)
