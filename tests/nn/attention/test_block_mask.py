"""`flambeau.nn.attention.block_mask` against torch."""

import pytest

import flambeau
from flambeau.nn.attention import block_mask

LISTS = block_mask._LISTS


def causal(b, h, q, kv):
    return q >= kv


def band(b, h, q, kv):
    return (q >= kv) & (q - kv < 40 * (h + 1))


@pytest.fixture
def theirs(torch):
    """torch's module."""
    return pytest.importorskip("torch.nn.attention.flex_attention")


def same(twins, ours, theirs):
    """Assert that two masks have the same blocks, print alike and agree in numbers."""
    assert str(ours) == str(theirs)
    assert repr(ours) == repr(theirs)
    assert ours.to_string() == theirs.to_string()
    assert ours.shape == tuple(theirs.shape)
    assert ours.seq_lengths == theirs.seq_lengths
    assert ours.BLOCK_SIZE == theirs.BLOCK_SIZE
    assert ours.numel() == theirs.numel()
    assert ours.sparsity() == pytest.approx(theirs.sparsity())
    twins.close(ours.to_dense(), theirs.to_dense())
    for name in LISTS:
        twins.close(getattr(ours, name), getattr(theirs, name), name)


def both(theirs, mask_mod, *args, **kwargs):
    """The mask in both libraries."""
    return [m.create_block_mask(mask_mod, *args, **kwargs) for m in (block_mask, theirs)]


def test_creation(twins, theirs):
    same(twins, *both(theirs, causal, None, None, 300, 300))
    same(twins, *both(theirs, band, 2, 3, 300, 260, BLOCK_SIZE=(64, 32)))
    same(twins, *both(theirs, causal, 1, 1, 10, 10, separate_full_blocks=False))


def test_parts(twins, theirs):
    ours, reference = both(theirs, band, 2, 3, 300, 260, BLOCK_SIZE=(64, 32))
    for cut in (
        lambda m: m[0],
        lambda m: m[1:, 1],
        lambda m: m[:, :, 1:3],
        lambda m: m[:, :, 2],
        lambda m: m._adjust(128, 100),
        lambda m: m.to("cpu"),
    ):
        same(twins, cut(ours), cut(reference))
    assert ours[:, -1].shape == (2, 1, 300, 260)
    with pytest.raises(RuntimeError, match="Cannot use mask_mod from a sliced BlockMask"):
        ours[0].mask_mod(0, 0, 0, 0)


def test_given_blocks(twins, torch, theirs):
    counts = torch.tensor([[[1, 2, 0]]], dtype=torch.int32)
    columns = torch.tensor([[[[1, 0], [1, 0], [0, 1]]]], dtype=torch.int32)
    reference = theirs.BlockMask.from_kv_blocks(counts, columns, BLOCK_SIZE=4)
    ours = block_mask.BlockMask.from_kv_blocks(*twins.ours([counts, columns]), BLOCK_SIZE=4)
    same(twins, ours, reference)
    allowed = ours.allowed(1, 1)[0, 0]
    expected = flambeau.tensor([[0, 1], [1, 1], [0, 0]]).bool()
    assert flambeau.equal(allowed[::4, ::4], expected)
    assert allowed.sum().item() == 3 * 16


def test_full_blocks_ask_no_function():
    """As the code that computes attention by blocks does."""
    one, none = flambeau.tensor([[[1]]]), flambeau.tensor([[[0]]])
    columns = flambeau.tensor([[[[0]]]])
    nothing = lambda b, h, q, kv: q < 0 * kv  # noqa: E731
    make = block_mask.BlockMask.from_kv_blocks
    full = make(none, columns, one, columns, 2, nothing)
    assert full.allowed(1, 1).all()
    assert not make(one, columns, none, columns, 2, nothing).allowed(1, 1).any()


def test_pictures(theirs):
    ours, reference = both(theirs, causal, 1, 1, 2000, 1800, BLOCK_SIZE=40)
    for options in ({}, {"grid_size": -1}, {"grid_size": (5, 10)}, {"grid_size": 7, "limit": 0}):
        assert ours.to_string(**options) == reference.to_string(**options)


def test_what_it_refuses():
    flat, blocks = flambeau.tensor([1]), flambeau.tensor([[[1]]])
    make = block_mask.BlockMask.from_kv_blocks
    with pytest.raises(RuntimeError, match="at least 2 dimensions"):
        make(flat, flat)
    with pytest.raises(AssertionError, match="full_kv_num_blocks and full_kv_indices"):
        make(blocks, blocks.unsqueeze(-1), blocks)
