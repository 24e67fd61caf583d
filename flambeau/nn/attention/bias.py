"""Causal masks for queries and keys of different numbers."""

import enum

import flambeau

from ...tensor import Tensor

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """At which corner the diagonal of a causal mask ends, if it is not square."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(Tensor):
    """A causal mask, to be given as `attn_mask` to `functional.scaled_dot_product_attention`.

    It is a tensor of bools, (seq_len_q, seq_len_kv), that remembers how it was made.
    """

    def __new__(cls, variant, seq_len_q, seq_len_kv):
        shift = seq_len_kv - seq_len_q if variant == CausalVariant.LOWER_RIGHT else 0
        everything = flambeau.ones(seq_len_q, seq_len_kv, dtype=flambeau.bool)
        mask = Tensor._make_subclass(cls, everything.tril(shift), False)
        mask.variant, mask.seq_len_q, mask.seq_len_kv = variant, seq_len_q, seq_len_kv
        return mask


def causal_upper_left(*size):
    """The mask that lets query i attend to keys up to i, for sizes (queries, keys).

    >>> from flambeau.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3)
    tensor([[ True, False, False],
            [ True,  True, False]])
    """
    return _causal("causal_upper_left", CausalVariant.UPPER_LEFT, size)


def causal_lower_right(*size):
    """The mask that lets the last query attend to all keys, for sizes (queries, keys).

    >>> from flambeau.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3)
    tensor([[ True,  True, False],
            [ True,  True,  True]])
    """
    return _causal("causal_lower_right", CausalVariant.LOWER_RIGHT, size)


def _causal(name, variant, size):
    if len(size) != 2:
        raise AssertionError(f"{name} only supports 2D tensors")
    return CausalBias(variant, *size)
