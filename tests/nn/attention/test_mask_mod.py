"""`flambeau.nn.attention.mask_mod` against torch."""

import math

import pytest

import flambeau
from flambeau.nn.attention import mask_mod


def causal(b, h, q, kv):
    return q >= kv


def near(b, h, q, kv):
    return q - kv < 2 * (h + 1) + b


def masks(t, module):
    """Masks of functions, and of functions made of them."""
    below = lambda score, b, h, q, kv: t.where(q > kv, score + h, -math.inf)  # noqa: E731
    return [
        module.create_mask(causal, None, None, 3, 4),
        module.create_mask(near, 2, 3, 5, 4),
        module.create_mask(below, 1, 2, 4, 3),
        module.create_mask(module.and_masks(causal, near), 2, 1, 5, 5),
        module.create_mask(module.or_masks(causal, near), 1, 2, 5, 5),
        module.create_mask(module.and_masks(), 1, 1, 2, 2),
        module.create_mask(module.or_masks(), 1, 1, 2, 2),
        module.create_mask(module.noop_mask, 1, 2, 2, 2),
    ]


def test_like_torch(twins, torch):
    theirs = pytest.importorskip("torch.nn.attention.flex_attention")
    twins.close(masks(flambeau, mask_mod), masks(torch, theirs))


def test_what_they_look_up():
    """Functions may use tensors, by single indices."""
    documents = flambeau.tensor([0, 0, 1])
    made = mask_mod.create_mask(lambda b, h, q, kv: documents[q] == documents[kv], 1, 1, 3, 3)
    expected = [[True, True, False], [True, True, False], [False, False, True]]
    assert made[0, 0].tolist() == expected


def test_what_they_refuse():
    with pytest.raises(AssertionError, match="Expected 4 or 5 positional args, got 2"):
        mask_mod.create_mask(lambda q, kv: q > kv, 1, 1, 2, 2)
    for combine in (mask_mod.and_masks, mask_mod.or_masks):
        with pytest.raises(RuntimeError, match="should be callable"):
            combine(causal, 1)
