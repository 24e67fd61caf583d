"""`flambeau.nn.multihead` against torch."""

import itertools

import pytest

import flambeau
from flambeau import nn

OPTIONS = [
    {},
    {"bias": False},
    {"add_bias_kv": True, "add_zero_attn": True},
    {"kdim": 5, "vdim": 3},
    {"kdim": 5, "batch_first": True, "add_bias_kv": True},
    {"batch_first": True},
]
L, S, N, E, H = 3, 5, 2, 8, 4


def inputs(twins, options, batch=(N,)):
    """Query, key and value as a module with these options takes them."""
    sizes = (E, options.get("kdim", E), options.get("vdim", E))
    lengths = (L, S, S)
    if options.get("batch_first") and batch:
        return [twins.randn(*batch, n, e) for n, e in zip(lengths, sizes, strict=True)]
    return [twins.randn(n, *batch, e) for n, e in zip(lengths, sizes, strict=True)]


def compare(twins, modules, args, **kwargs):
    """The same results, weights and gradients."""
    ours, theirs = modules
    our_args, our_kwargs = twins.ours((args, kwargs))
    our_made, our_weights = ours(*our_args, **our_kwargs)
    made, weights = theirs(*args, **kwargs)
    assert (our_weights is None) == (weights is None)
    if weights is not None:
        twins.close(our_weights, weights, "weights")
    twins.close(our_made, made)
    twins.check_gradients(
        our_made, made, [*our_args, *ours.parameters()], [*args, *theirs.parameters()]
    )


@pytest.mark.parametrize("options", OPTIONS)
def test_same_seed_same_module(torch, options):
    found = []
    for t in (flambeau, torch):
        t.manual_seed(1)
        module = t.nn.MultiheadAttention(E, H, **options)
        held = {k: v.tolist() for k, v in module.state_dict().items()}
        shown = ("embed_dim", "num_heads", "kdim", "vdim", "head_dim", "dropout", "batch_first")
        found.append((repr(module), held, list(module._parameters)))
        found[-1] += ([getattr(module, name) for name in shown], module.bias_k is None)
    assert found[0] == found[1]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("batch", [(N,), ()])
@pytest.mark.parametrize("need_weights", [True, False])
def test_results_and_gradients(twins, options, batch, need_weights):
    modules = twins.build("MultiheadAttention", E, H, **options)
    compare(twins, modules, inputs(twins, options, batch), need_weights=need_weights)


@pytest.mark.parametrize("batch_first", [True, False])
def test_attention_to_itself(twins, batch_first):
    """By one product, though the batch may be turned."""
    modules = twins.build("MultiheadAttention", E, H, batch_first=batch_first)
    x = twins.randn(L, N, E)
    for need_weights, average in itertools.product((True, False), repeat=2):
        ours, theirs = twins.ours(x), x
        how = {"need_weights": need_weights, "average_attn_weights": average}
        our_made, made = modules[0](ours, ours, ours, **how), modules[1](x, x, x, **how)
        twins.close(our_made[0], made[0])
        twins.check_gradients(our_made[0], made[0], [ours], [theirs])


def test_masks(twins, torch):
    """Bools and numbers, of keys and of pairs."""
    modules = twins.build("MultiheadAttention", E, H)
    args = inputs(twins, {})
    padding = torch.zeros(N, S, dtype=torch.bool)
    padding[0, 3:] = True
    pairs = torch.rand(L, S, generator=twins.generator) > 0.8
    every = torch.rand(N * H, L, S, generator=twins.generator) > 0.8
    for need_weights in (True, False):
        for mask in (pairs, every, twins.randn(L, S, grad=False)):
            compare(twins, modules, args, attn_mask=mask, need_weights=need_weights)
        compare(twins, modules, args, key_padding_mask=padding, need_weights=need_weights)
        compare(twins, modules, args, key_padding_mask=padding, attn_mask=pairs)


def test_causal_hint(twins, torch):
    modules = twins.build("MultiheadAttention", E, H)
    args = [twins.randn(L, N, E) for _ in range(3)]
    mask = torch.ones(L, L, dtype=torch.bool).triu(1)
    for need_weights in (True, False):
        how = {"attn_mask": mask, "is_causal": True, "need_weights": need_weights}
        compare(twins, modules, args, **how)


def test_dropout_in_training_only():
    flambeau.manual_seed(0)
    module = nn.MultiheadAttention(E, 2, dropout=0.5)
    x = flambeau.randn(20, 4, E)
    _, weights = module(x, x, x, average_attn_weights=False)
    assert abs((weights == 0).float().mean().item() - 0.5) < 0.05
    _, weights = module.eval()(x, x, x, average_attn_weights=False)
    assert (weights > 0).all()


@pytest.mark.parametrize("sizes", [(8, 3), (0, 2), (8, 0)])
def test_sizes(twins, sizes):
    twins.same_error("nn.MultiheadAttention", *sizes)


def test_what_does_not_fit(torch):
    classes = []
    for t in (flambeau, torch):
        module = t.nn.MultiheadAttention(E, H)
        x = t.zeros(L, N, E)
        for args, how in (
            ((x[..., :4],) * 3, {}),
            ((x[None],) * 3, {}),
            ((x, x, x), {"is_causal": True}),
            ((x, x, x), {"attn_mask": t.zeros(2, 2)}),
            ((x, x, x), {"attn_mask": t.zeros(L, L).int()}),
            ((x, x, x), {"key_padding_mask": t.zeros(5, L)}),
        ):
            with pytest.raises((AssertionError, RuntimeError)) as caught:
                module(*args, **how)
            classes.append(caught.type)
    assert classes[:6] == classes[6:]
