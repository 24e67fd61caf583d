"""`flambeau.nn.transformer` against torch."""

import math

import pytest

import flambeau
from flambeau import nn

pytestmark = pytest.mark.filterwarnings(  # torch's, about inference and about masks of two kinds
    "ignore:enable_nested_tensor", "ignore:The PyTorch API of nested", "ignore:Support for mismatch"
)

L, S, N, E = 3, 4, 2, 8


def layer(t, kind, **options):
    """An encoder's or decoder's layer without dropout."""
    return getattr(t.nn, kind)(E, 2, 16, **{"dropout": 0.0, **options})


def models(twins, make):
    """What `make` builds of each library after the same seed, once it was seen to be the same."""
    made = []
    for t in (flambeau, twins.torch):
        t.manual_seed(2)
        made.append(make(t))
    ours, theirs = made
    assert repr(ours) == repr(theirs)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        twins.close(value, state[name], name)
    return made


def compare(twins, modules, *args, slack=5, **kwargs):
    """The same results and gradients."""
    ours, theirs = modules
    our_args, our_kwargs = twins.ours((args, kwargs))
    our_made, made = ours(*our_args, **our_kwargs), theirs(*args, **kwargs)
    twins.close(our_made, made, slack=slack)
    weights = twins.randn(*made.shape, grad=False)
    made.backward(weights)
    our_made.backward(twins.ours(weights))
    for a, b in zip(our_args, args, strict=True):
        twins.close(a.grad, b.grad, "gradient of an input", slack)
    for (name, a), b in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        twins.close(a.grad, b.grad, f"gradient of {name}", slack)
    ours.zero_grad(), theirs.zero_grad()


OPTIONS = [
    {},
    {"norm_first": True, "activation": "gelu"},
    {"batch_first": True, "bias": False},
    {"layer_norm_eps": 0.1, "dropout": 0.0},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_encoder_layer(twins, options):
    modules = models(twins, lambda t: layer(t, "TransformerEncoderLayer", **options))
    for mode in (True, False):
        compare(twins, [m.train(mode) for m in modules], twins.randn(N, L, E))
        compare(twins, modules, twins.randn(L, E))


@pytest.mark.parametrize("options", OPTIONS)
def test_decoder_layer(twins, options):
    modules = models(twins, lambda t: layer(t, "TransformerDecoderLayer", **options))
    memory = (N, S, E) if options.get("batch_first") else (S, N, E)
    target = (N, L, E) if options.get("batch_first") else (L, N, E)
    for mode in (True, False):
        modules = [m.train(mode) for m in modules]
        compare(twins, modules, twins.randn(*target), twins.randn(*memory))


def test_activations(twins):
    for make in (lambda t: t.nn.SiLU(), lambda t: t.nn.functional.elu):
        modules = models(
            twins, lambda t, f=make: layer(t, "TransformerEncoderLayer", activation=f(t))
        )
        compare(twins, modules, twins.randn(L, N, E))
    twins.same_error("nn.TransformerEncoderLayer", 8, 2, activation="tanh")


def masks(twins, torch):
    """Masks of an encoder's inputs: (of pairs, of keys, hint)."""
    padding = torch.zeros(N, S, dtype=torch.bool)
    padding[0, 2:] = True
    causal = torch.ones(S, S, dtype=torch.bool).triu(1)
    numbers = torch.nn.Transformer.generate_square_subsequent_mask(S)
    return [
        (None, padding, False),
        (causal, None, True),
        (causal, padding, True),
        (numbers, None, False),
        (numbers, padding, None),
    ]


@pytest.mark.parametrize("norm", [True, False])
def test_encoder(twins, torch, norm):
    def make(t):
        one = layer(t, "TransformerEncoderLayer", batch_first=True)
        last = t.nn.LayerNorm(E) if norm else None
        return t.nn.TransformerEncoder(one, 2, last, enable_nested_tensor=False)

    modules = models(twins, make)
    compare(twins, modules, twins.randn(N, S, E))
    for mask, padding, causal in masks(twins, torch):
        how = {"mask": mask, "src_key_padding_mask": padding, "is_causal": causal}
        compare(twins, modules, twins.randn(N, S, E), **how)


def test_decoder(twins, torch):
    def make(t):
        one = layer(t, "TransformerDecoderLayer", batch_first=True)
        return t.nn.TransformerDecoder(one, 2, t.nn.LayerNorm(E))

    modules = models(twins, make)
    for mask, padding, causal in masks(twins, torch):
        how = {"tgt_mask": mask, "tgt_key_padding_mask": padding, "tgt_is_causal": causal}
        compare(twins, modules, twins.randn(N, S, E), twins.randn(N, L, E), **how)
    padding = torch.zeros(N, L, dtype=torch.bool)
    padding[1, 2:] = True
    how = {"memory_key_padding_mask": padding, "memory_mask": torch.zeros(S, L).bool()}
    compare(twins, modules, twins.randn(N, S, E), twins.randn(N, L, E), **how)


@pytest.mark.parametrize("options", OPTIONS)
def test_transformer(twins, torch, options):
    modules = models(twins, lambda t: t.nn.Transformer(E, 2, 2, 1, 16, **{"dropout": 0, **options}))
    first = options.get("batch_first")
    src, tgt = ((N, S, E), (N, L, E)) if first else ((S, N, E), (L, N, E))
    compare(twins, modules, twins.randn(*src), twins.randn(*tgt), slack=20)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(L)
    how = {"tgt_mask": mask, "tgt_is_causal": True}
    compare(twins, modules, twins.randn(*src), twins.randn(*tgt), slack=20, **how)


def test_custom_halves(twins):
    def make(t):
        class Half(t.nn.Module):
            def forward(self, first, *args, **kwargs):
                return first * 2

        return t.nn.Transformer(E, 2, 1, 1, 16, custom_encoder=Half(), custom_decoder=Half())

    ours, theirs = models(twins, make)
    x = twins.randn(S, N, E)
    twins.close(ours(*twins.ours([x, x])), theirs(x, x))


def test_square_subsequent_mask(twins):
    for how in ({}, {"dtype": twins.torch.float64}):
        twins.check("nn.Transformer.generate_square_subsequent_mask", 3, **how)


def test_dropout_in_training_only():
    module = nn.TransformerEncoder(nn.TransformerEncoderLayer(E, 2, 16, dropout=0.5), 1)
    x = flambeau.randn(S, N, E)
    assert not flambeau.equal(module(x), module(x))
    module.eval()
    assert flambeau.equal(module(x), module(x))


def test_layers_are_copies():
    one = nn.TransformerEncoderLayer(E, 2, 16)
    encoder = nn.TransformerEncoder(one, 2)
    first, second = (each.linear1.weight for each in encoder.layers)
    assert first is not second
    assert first is not one.linear1.weight
    assert flambeau.equal(first, second)


def test_errors(torch):
    classes = []
    for t in (flambeau, torch):
        model = t.nn.Transformer(E, 2, 1, 1, 16)
        first = t.nn.Transformer(E, 2, 1, 1, 16, batch_first=True)
        one = t.nn.TransformerEncoderLayer(E, 2, 16)
        x = t.zeros(S, N, E)
        for call in (
            lambda m=model, x=x: m(x, x[:, :1]),
            lambda m=first, x=x: m(x, x[:1]),
            lambda m=model, x=x: m(x[..., :4], x[..., :4]),
            lambda m=one, x=x: m(x, is_causal=True),
            lambda m=one, x=x, t=t: m(x, t.zeros(S, S, dtype=t.int64)),
            lambda m=one, x=x, t=t: m(x, None, t.zeros(N, S, dtype=t.int64)),
            lambda m=one, x=x: m(x[None]),
        ):
            with pytest.raises((AssertionError, RuntimeError)) as caught:
                call()
            classes.append((caught.type, str(caught.value)[:40]))
    assert classes[:7] == classes[7:]


class Classifier:
    """A small classifier of padded sequences, of either library."""

    def __init__(self, t):
        one = t.nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
        self.embed = t.nn.Embedding(20, 16)
        self.encoder = t.nn.TransformerEncoder(one, 2, enable_nested_tensor=False)
        self.out = t.nn.Linear(16, 3)

    def parts(self):
        """The modules."""
        return self.embed, self.encoder, self.out

    def __call__(self, tokens, padding):
        return self.out(self.encoder(self.embed(tokens), src_key_padding_mask=padding).mean(1))


def test_training(twins, torch):
    """Ten steps of Adam: the same losses."""
    tokens, labels = twins.randint(20, 6, 9), twins.randint(3, 6)
    padding = torch.arange(9)[None] >= torch.tensor([9, 5, 7, 9, 8, 6])[:, None]
    found = []
    for t in (flambeau, torch):
        x, y, mask = (
            (tokens, labels, padding) if t is torch else twins.ours([tokens, labels, padding])
        )
        t.manual_seed(3)
        model = Classifier(t)
        parameters = [p for part in model.parts() for p in part.parameters()]
        optimizer = t.optim.Adam(parameters, 0.01)
        losses = []
        for _ in range(10):
            optimizer.zero_grad()
            loss = t.nn.functional.cross_entropy(model(x, mask), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        found.append(losses)
    assert found[0] == pytest.approx(found[1], rel=1e-4)
    assert all(math.isfinite(x) for x in found[0])
    assert found[0][-1] < found[0][0] / 2
