"""`flambeau.nn.functional.attention` against torch."""

import math

import numpy as np
import pytest

import flambeau
import flambeau.nn.functional as F

SDPA = "nn.functional.scaled_dot_product_attention"


def operands(twins, heads=(), **how):
    """Queries, keys and values of different sizes."""
    return [twins.randn(*heads, *shape, **how) for shape in ((3, 4), (5, 4), (5, 6))]


@pytest.mark.parametrize("heads", [(), (2,), (2, 3)])
@pytest.mark.parametrize("how", [{}, {"is_causal": True}, {"scale": 0.3}, {"scale": 0.0}])
def test_value_and_gradients(twins, heads, how):
    twins.check(SDPA, *operands(twins, heads, dtype="float64"), second=True, **how)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_other_precisions(twins, dtype):
    q, k, v = operands(twins, (2, 2), dtype=dtype, grad=False)
    ours = F.scaled_dot_product_attention(*twins.ours([q, k, v]))
    theirs = twins.torch.nn.functional.scaled_dot_product_attention(q, k, v)
    twins.close(ours, theirs, slack=8)


def test_masks(twins, torch):
    """Bools that say what takes part, or numbers; rows where nothing does are zeros."""
    inputs = operands(twins, (2, 2), dtype="float64")
    bools = torch.rand(2, 1, 3, 5, generator=twins.generator) > 0.4
    bools[0, 0, 1] = False
    numbers = twins.randn(3, 5, dtype="float64", grad=False)
    blocked = torch.full((3, 5), -math.inf, dtype=torch.float64)
    for mask in (bools, numbers, numbers.float(), blocked, bools[:, :, :1]):
        made = twins.check(SDPA, *inputs, mask, second=True)
        assert not made.isnan().any()
    made = F.scaled_dot_product_attention(*twins.ours([*inputs, bools]))
    assert not made[0, :, 1].any()


def test_mask_that_learns(twins):
    """Numbers that are added have a gradient."""
    twins.check(SDPA, *operands(twins, dtype="float64"), twins.randn(3, 5, dtype="float64"))


def test_shared_heads(twins):
    """Keys and values of fewer heads than the queries."""
    q = twins.randn(2, 6, 3, 4, dtype="float64")
    k, v = (twins.randn(2, n, 5, 4, dtype="float64") for n in (2, 3))
    twins.check(SDPA, q, k, v, enable_gqa=True, second=True)


@pytest.mark.parametrize("shapes", [((3, 4), (0, 4), (0, 2)), ((0, 4), (3, 4), (3, 2))])
def test_empty(twins, shapes):
    twins.check(SDPA, *(twins.randn(*s) for s in shapes))


def test_dropout():
    """Weights are dropped with a probability, and the others grow."""
    flambeau.manual_seed(0)
    q, k, v = flambeau.zeros(40, 4), flambeau.zeros(50, 4), flambeau.eye(50)
    made = F.scaled_dot_product_attention(q, k, v, dropout_p=0.25)
    assert abs((made == 0).float().mean().item() - 0.25) < 0.05
    np.testing.assert_allclose(made[made != 0].numpy(), 1 / 50 / 0.75, 1e-5)
    assert not F.scaled_dot_product_attention(q, k, v, dropout_p=1.0).any()


ERRORS = [
    "f(x[0], x[0], x[0])",
    "f(x, x, x, T.ones(3, 3), is_causal=True)",
    "f(x, x.double(), x)",
    "f(x, x, x, T.ones(3, 3).long())",
    "f(x, x, x, T.ones(3, 3).double())",
    "f(x, x, x, T.ones(3, 4))",
    "f(x, x, x, dropout_p=1.5)",
    "f(x.long(), x.long(), x.long())",
    "f(x, T.ones(5, 3), x)",
    "f(x, x, x, enable_gqa=True)",
    "f(T.ones(4, 3, 4), T.ones(3, 3, 4), T.ones(3, 3, 4), enable_gqa=True)",
]


@pytest.mark.parametrize("code", ERRORS)
def test_errors(torch, code):
    def run(t):
        f = t.nn.functional.scaled_dot_product_attention
        return eval(code, {"T": t, "f": f, "x": t.ones(3, 4)})

    with pytest.raises(Exception) as theirs:
        run(torch)
    with pytest.raises(type(theirs.value)):
        run(flambeau)


L, S, N, E, H = 3, 5, 2, 8, 4


def heads(twins, batch=(N,), own=False, **more):
    """The arguments of attention in many heads; of queries that are keys too if `own`."""
    sizes = (L, L, L) if own else (L, S, S)
    q, k, v = (twins.randn(n, *batch, E, dtype="float64") for n in sizes)
    k, v = (q, q) if own else (k, v)
    given = {
        "embed_dim_to_check": E,
        "num_heads": H,
        "in_proj_weight": twins.randn(3 * E, E, dtype="float64"),
        "in_proj_bias": twins.randn(3 * E, dtype="float64"),
        "bias_k": None,
        "bias_v": None,
        "add_zero_attn": False,
        "dropout_p": 0.0,
        "out_proj_weight": twins.randn(E, E, dtype="float64"),
        "out_proj_bias": twins.randn(E, dtype="float64"),
    }
    return {"query": q, "key": k, "value": v, **given, **more}


def numbers(made):
    """The output, and the weights if there are any."""
    return [x for x in made if x is not None]


def compare(twins, given):
    """The same results and gradients as torch's."""
    found = []
    for t in (flambeau, twins.torch):
        known, args = {}, {}
        for name, x in given.items():
            if t is flambeau and id(x) not in known:
                known[id(x)] = twins.ours(x)
            args[name] = known[id(x)] if t is flambeau else x
        made = t.nn.functional.multi_head_attention_forward(**args)
        leaves = [x for x in args.values() if isinstance(x, t.Tensor) and x.requires_grad]
        total = sum((x * x).sum() for x in numbers(made))
        grads = t.autograd.grad(total, leaves, allow_unused=True)
        found.append((numbers(made), numbers(grads)))
    twins.close(found[0][0], found[1][0])
    twins.close(found[0][1], found[1][1], "gradients", slack=100)


@pytest.mark.parametrize("batch", [(N,), ()])
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("own", [True, False])
def test_many_heads(twins, batch, need_weights, own):
    compare(twins, heads(twins, batch, own, need_weights=need_weights))


@pytest.mark.parametrize("need_weights", [True, False])
def test_more_keys_and_masks(twins, torch, need_weights):
    """One more learned key, one of zeros, and masks of both kinds."""
    padding = torch.zeros(N, S, dtype=torch.bool)
    padding[0, 3:] = True
    extra = {
        "bias_k": twins.randn(1, 1, E, dtype="float64"),
        "bias_v": twins.randn(1, 1, E, dtype="float64"),
        "add_zero_attn": True,
        "need_weights": need_weights,
        "average_attn_weights": False,
    }
    bools = torch.rand(N * H, L, S, generator=twins.generator) > 0.7
    values = twins.randn(L, S, dtype="float64", grad=False)
    compare(twins, heads(twins, key_padding_mask=padding, **extra))
    compare(twins, heads(twins, attn_mask=bools, key_padding_mask=padding, **extra))
    compare(twins, heads(twins, attn_mask=values, **extra))


def test_weights_of_their_own(twins):
    """Keys and values with sizes of their own."""
    given = heads(twins, use_separate_proj_weight=True, in_proj_bias=None)
    given["key"] = twins.randn(S, N, 6, dtype="float64")
    given["value"] = twins.randn(S, N, 7, dtype="float64")
    for name, size in (("q", E), ("k", 6), ("v", 7)):
        given[f"{name}_proj_weight"] = twins.randn(E, size, dtype="float64")
    compare(twins, given)


def test_static_keys(twins):
    """What takes the place of projected keys and values."""
    static = {f"static_{x}": twins.randn(N * H, S, E // H, dtype="float64") for x in "kv"}
    compare(twins, heads(twins, **static))


@pytest.mark.parametrize("need_weights", [True, False])
def test_causal(twins, torch, need_weights):
    """The hint and its mask."""
    mask = torch.ones(L, L, dtype=torch.bool).triu(1)
    compare(
        twins, heads(twins, own=True, attn_mask=mask, is_causal=True, need_weights=need_weights)
    )


WRONG = {
    "embed_dim_to_check": 7,
    "num_heads": 3,
    "attn_mask": "T.ones(2, 2)",
    "key_padding_mask": "T.ones(3)",
    "in_proj_weight": None,
    "is_causal": True,
    "bias_k": "T.ones(1, 1, 8)",
    "static_k": "T.ones(1, 5, 2)",
    "query": "T.ones(8)",
    "value": "T.ones(4, 2, 8)",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit(twins, torch, name):
    given = heads(twins)
    classes = []
    for t in (torch, flambeau):
        wrong = WRONG[name]
        wrong = eval(wrong, {"T": t}) if isinstance(wrong, str) else wrong
        args = {**(given if t is torch else twins.ours(given)), name: wrong}
        with pytest.raises((AssertionError, RuntimeError)) as caught:
            t.nn.functional.multi_head_attention_forward(**args)
        classes.append(caught.type)
    assert classes[0] is classes[1]


def test_autocast(twins, torch):
    """The result has the lower precision, as have the projections around it."""
    found = []
    for t in (flambeau, torch):
        q, k, v = operands(twins, (2, 2), grad=False)
        q, k, v = (q, k, v) if t is torch else twins.ours([q, k, v])
        with t.autocast("cpu", dtype=t.bfloat16):
            made = t.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        found.append(str(made.dtype))
    assert found[0] == found[1]


def test_precision_of_halves(twins):
    """Scores are computed in float32: nearer to the exact result than float16 scores would be."""
    q, k, v = (x * 3 for x in operands(twins, (4,), dtype="float16", grad=False))
    ours = F.scaled_dot_product_attention(*twins.ours([q, k, v]))
    exact = twins.torch.nn.functional.scaled_dot_product_attention(
        q.double(), k.double(), v.double()
    )
    assert abs(ours.double().numpy() - exact.numpy()).max() < 4e-3
