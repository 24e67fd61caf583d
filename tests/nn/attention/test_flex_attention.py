"""`flambeau.nn.attention.flex_attention` against torch."""

import math

import pytest

import flambeau
from flambeau.nn.attention import flex_attention as flex

pytestmark = pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")


@pytest.fixture
def theirs(torch):
    """torch's module."""
    return pytest.importorskip("torch.nn.attention.flex_attention")


def operands(twins, heads=2, own=2, q_len=9, kv_len=7):
    """Queries, keys and values; without gradients, which torch has on GPUs only."""
    shapes = ((2, heads, q_len, 4), (2, own, kv_len, 4), (2, own, kv_len, 6))
    return [twins.randn(*shape, dtype="float64", grad=False) for shape in shapes]


def compare(twins, theirs, inputs, options, **how):
    """The same results; `options` gives what differs between the libraries."""
    found = []
    for t, module in ((flambeau, flex), (twins.torch, theirs)):
        args = inputs if t is twins.torch else twins.ours(inputs)
        extra = {**options(t, module), "return_aux": module.AuxRequest(lse=True)}
        made, more = module.flex_attention(*args, **extra, **how)
        found.append((made, more.lse))
    twins.close(*found)


def causal(b, h, q, kv):
    return q >= kv


def test_plain(twins, theirs):
    compare(twins, theirs, operands(twins), lambda t, m: {})
    compare(twins, theirs, operands(twins), lambda t, m: {}, scale=0.3)
    compare(twins, theirs, operands(twins, heads=4), lambda t, m: {}, enable_gqa=True)


def test_scores(twins, theirs):
    def options(t, module):
        slopes = t.tensor([0.5, 0.25], dtype=t.float64)

        def score_mod(score, b, h, q, kv):
            return t.where(q >= kv, score - slopes[h] * (q - kv) + b, -math.inf)

        return {"score_mod": score_mod}

    compare(twins, theirs, operands(twins), options)


def test_block_masks(twins, theirs):
    def options(t, module):
        documents = t.tensor([0, 0, 0, 1, 1, 1, 1, 2, 2])
        same = lambda b, h, q, kv: documents[q] == documents[kv]  # noqa: E731
        both = module.and_masks(causal, same)
        return {"block_mask": module.create_block_mask(both, None, None, 9, 7, BLOCK_SIZE=4)}

    compare(twins, theirs, operands(twins), options)


def test_gradients(twins):
    """Those of the same attention written for all indices at once, of a table of biases too."""
    inputs = [x.requires_grad_() for x in twins.ours(operands(twins))]
    table = flambeau.randn(2, 9, 7, dtype=flambeau.float64).requires_grad_()
    mask = flex.create_block_mask(causal, None, None, 9, 7)
    q, k, v = inputs
    made = flex.flex_attention(q, k, v, lambda s, b, h, i, j: s + table[h, i, j], mask)
    allowed = flambeau.ones(9, 7, dtype=flambeau.bool).tril()
    scores = (q @ k.mT / 2 + table).masked_fill(~allowed, -math.inf)
    expected = scores.softmax(-1) @ v
    assert flambeau.allclose(made, expected)
    leaves = [*inputs, table]
    pairs = [flambeau.autograd.grad((x * x).sum(), leaves) for x in (made, expected)]
    for got, wanted in zip(*pairs, strict=True):
        assert flambeau.allclose(got, wanted)


def test_nothing_takes_part():
    x = flambeau.randn(1, 1, 3, 4)
    mask = flex.create_block_mask(lambda b, h, q, kv: q < 0 * kv, None, None, 3, 3)
    made, lse = flex.flex_attention(x, x, x, block_mask=mask, return_lse=True)
    assert not made.any()
    assert (lse == -math.inf).all()


def test_what_else_it_returns():
    q, k, v = (flambeau.randn(1, 2, 5, 4) for _ in range(3))
    scores = q @ k.mT / 2
    _made, more = flex.flex_attention(q, k, v, return_aux=flex.AuxRequest(lse=True))
    assert flambeau.allclose(more.lse, scores.logsumexp(-1))
    assert more.max_scores is None
    _, more = flex.flex_attention(q, k, v, return_aux=flex.AuxRequest(max_scores=True))
    assert more.lse is None
    assert flambeau.allclose(more.max_scores, scores.amax(-1))


def test_half_precision():
    x = flambeau.randn(1, 1, 5, 4).bfloat16()
    made, lse = flex.flex_attention(x, x, x, return_lse=True)
    assert made.dtype == flambeau.bfloat16
    assert lse.dtype == flambeau.float32


def test_what_it_refuses(torch, theirs):
    found = []
    for t, module in ((flambeau, flex), (torch, theirs)):
        x = t.zeros(1, 2, 4, 8)
        mask = module.create_block_mask(causal, None, None, 4, 4)
        for args, how in (
            ((x[0], x[0], x[0]), {}),
            ((x, x[:, :1], x[:, :1]), {}),
            ((t.zeros(1, 3, 4, 8), x, x), {"enable_gqa": True}),
            ((x, x[..., :4], x), {}),
            ((x, t.zeros(2, 2, 4, 8), t.zeros(2, 2, 4, 8)), {}),
            ((x, x, x), {"return_lse": True, "return_aux": module.AuxRequest()}),
            ((x[:, :, :2], x, x), {"block_mask": mask}),
            ((t.zeros(1, 2, 8, 8), x, x), {"block_mask": mask}),
        ):
            with pytest.raises((ValueError, NotImplementedError)) as caught:
                module.flex_attention(*args, **how)
            found.append(caught.type)
    assert found[:8] == found[8:]
