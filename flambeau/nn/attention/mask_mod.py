"""Masks for attention, given by functions of indices."""

import functools
import inspect
import math

import flambeau

from ...func.vmapping import vmap

__all__ = ["and_masks", "create_mask", "noop_mask", "or_masks", "over_grid"]


def noop_mask(batch, head, token_q, token_kv):
    """A mask that lets everything through."""
    return batch.new_ones((), dtype=flambeau.bool)


def and_masks(*mask_mods):
    """The function of indices that lets through what all functions let through."""
    _require_callable(mask_mods)

    def and_mask(b, h, q_idx, kv_idx):
        start = b.new_ones((), dtype=flambeau.bool)
        return functools.reduce(lambda x, f: x & f(b, h, q_idx, kv_idx), mask_mods, start)

    return and_mask


def or_masks(*mask_mods):
    """The function of indices that lets through what any of the functions lets through."""
    _require_callable(mask_mods)

    def or_mask(b, h, q_idx, kv_idx):
        start = b.new_zeros((), dtype=flambeau.bool)
        return functools.reduce(lambda x, f: x | f(b, h, q_idx, kv_idx), mask_mods, start)

    return or_mask


def _require_callable(mask_mods):
    if not all(map(callable, mask_mods)):
        raise RuntimeError(f"All inputs should be callable mask_mods: {mask_mods}")


def over_grid(function, sizes, scores=None, device=None):
    """function([score,] b, h, q, kv) for all indices below the four sizes, as one tensor.

    The function is written for single indices: it is mapped over one dim after the other.
    """
    lead = () if scores is None else (0,)
    for place in (3, 2, 1, 0):
        mapped = [None] * 4
        mapped[place] = 0
        function = vmap(function, in_dims=(*lead, *mapped))
    indices = (flambeau.arange(n, device=device) for n in sizes)
    return function(*(() if scores is None else (scores,)), *indices)


def create_mask(mod_fn, B, H, Q_LEN, KV_LEN, device=None):
    """The mask of a function of indices as bools, [B, H, Q_LEN, KV_LEN].

    Args: mod_fn: a function (b, h, q_idx, kv_idx) that says what takes part, or one that takes a
        score first and returns a changed one: what it makes -inf takes no part. B, H: None is 1.
    Raises: AssertionError for a function of other arguments.

    >>> from flambeau.nn.attention.flex_attention import create_mask
    >>> create_mask(lambda b, h, q, kv: q >= kv, None, None, 2, 2)[0, 0]
    tensor([[ True, False],
            [ True,  True]])
    """
    sizes = (B or 1, H or 1, Q_LEN, KV_LEN)
    given = inspect.signature(mod_fn).parameters.values()
    count = sum(parameter.default is inspect.Parameter.empty for parameter in given)
    if count == 4:
        return over_grid(mod_fn, sizes, device=device)
    if count == 5:
        scores = over_grid(mod_fn, sizes, flambeau.zeros(sizes, device=device), device)
        return scores != -math.inf
    raise AssertionError(f"Expected 4 or 5 positional args, got {count}")
