"""`flambeau.nn.embedding` against torch."""

import pytest

import flambeau
from flambeau import nn

OPTIONS = [
    {},
    {"padding_idx": 1},
    {"padding_idx": -2},
    {"max_norm": 1.0},
    {"max_norm": 1.0, "norm_type": 1.0},
    {"scale_grad_by_freq": True},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_embedding(twins, options):
    twins.check_module(twins.build("Embedding", 6, 3, **options), twins.randint(6, 4, 2))


@pytest.mark.parametrize(
    "options", [{}, {"mode": "sum"}, {"mode": "max"}, {"padding_idx": 1}, {"max_norm": 1.0}]
)
def test_embedding_bag(twins, options):
    twins.check_module(twins.build("EmbeddingBag", 6, 3, **options), twins.randint(6, 4, 2))


@pytest.mark.parametrize("name", ["Embedding", "EmbeddingBag"])
def test_initial_table_is_that_of_torch(torch, name):
    tables = []
    for lib in (flambeau, torch):
        lib.manual_seed(3)
        tables.append(getattr(lib.nn, name)(7, 5, padding_idx=2).weight.tolist())
    assert tables[0] == tables[1]
    assert tables[0][2] == [0.0] * 5


def test_repr(torch):
    for lib in (flambeau, torch):
        layer = lib.nn.Embedding(3, 4, 1, 2.0, 1.0, True, True)
        text = "padding_idx=1, max_norm=2.0, norm_type=1.0, scale_grad_by_freq=True, sparse=True"
        assert repr(layer) == f"Embedding(3, 4, {text})"


@pytest.mark.parametrize("kind", [nn.Embedding, nn.EmbeddingBag])
def test_from_pretrained(kind):
    table = flambeau.ones(3, 2)
    layer = kind.from_pretrained(table)
    assert not layer.weight.requires_grad
    assert layer(flambeau.tensor([[1]])).flatten().tolist() == [1.0, 1.0]
    assert kind.from_pretrained(table, freeze=False, padding_idx=0).weight.requires_grad
    with pytest.raises(AssertionError, match="2-dimensional"):
        kind.from_pretrained(flambeau.ones(3))


def test_errors(twins, torch):
    twins.same_error("nn.Embedding", 3, 2, padding_idx=3)
    twins.same_error("nn.Embedding", 3, 2, _weight=torch.ones(2, 3))
    twins.same_error("nn.EmbeddingBag", 3, 2, padding_idx=-4)
