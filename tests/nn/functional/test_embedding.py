"""`flambeau.nn.functional.embedding` against torch."""

import pytest

import flambeau
import flambeau.nn.functional as F


@pytest.mark.parametrize("shape", [(), (4,), (2, 3), (0,)])
@pytest.mark.parametrize("options", [{}, {"padding_idx": 1}, {"padding_idx": -1}])
@pytest.mark.parametrize("scale", [False, True])
def test_embedding(twins, shape, options, scale):
    index, table = twins.randint(5, *shape), twins.randn(5, 3)
    options = {**options, "scale_grad_by_freq": scale}
    twins.check("nn.functional.embedding", index, table, **options)


@pytest.mark.parametrize("norm_type", [1.0, 2.0])
def test_embedding_limits_norms_in_place(twins, norm_type):
    index, table = twins.randint(5, 3), twins.randn(6, 3, grad=False)
    ours = twins.ours(table)
    out = F.embedding(twins.ours(index), ours, max_norm=1.0, norm_type=norm_type)
    theirs = twins.torch.nn.functional.embedding(index, table, None, 1.0, norm_type)
    twins.close(out, theirs)
    twins.close(ours, table)


def test_embedding_errors(twins, torch):
    path, table = "nn.functional.embedding", twins.randn(3, 5)
    twins.same_error(path, torch.tensor([0.0]), table, text="Long, Int")
    twins.same_error(path, torch.tensor([0]), twins.randn(3), text="2-D")
    twins.same_error(path, torch.tensor([0]), table, padding_idx=9)


def test_embedding_index_out_of_range():
    with pytest.raises(IndexError):
        F.embedding(flambeau.tensor([5]), flambeau.zeros(3, 5)).sum().item()


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding_idx", [None, 2])
class TestEmbeddingBag:
    def test_rows(self, twins, mode, padding_idx):
        index, table = twins.randint(5, 4, 3), twins.randn(5, 3)
        twins.check("nn.functional.embedding_bag", index, table, mode=mode, padding_idx=padding_idx)

    def test_offsets(self, twins, torch, mode, padding_idx):
        index, table = twins.randint(5, 7), twins.randn(5, 3)
        offsets = torch.tensor([0, 3, 3, 5])  # the second bag is empty
        options = {"mode": mode, "padding_idx": padding_idx}
        twins.check("nn.functional.embedding_bag", index, table, offsets, **options)
        ends = torch.tensor([0, 3, 7])
        options["include_last_offset"] = True
        twins.check("nn.functional.embedding_bag", index, table, ends, **options)


def test_embedding_bag_of_weighted_rows(twins):
    index, table = twins.randint(5, 4, 3), twins.randn(5, 3)
    options = {"mode": "sum", "per_sample_weights": twins.randn(4, 3)}
    twins.check("nn.functional.embedding_bag", index, table, **options)


def test_embedding_bag_errors(twins):
    path, index, table = "nn.functional.embedding_bag", twins.randint(5, 4), twins.randn(5, 3)
    twins.same_error(path, index, table)
    twins.same_error(path, index.reshape(2, 2), table, index)
    twins.same_error(path, index.reshape(2, 1, 2), table)
    twins.same_error(path, index.reshape(2, 2), table, mode="x")
    twins.same_error(path, index.reshape(2, 2), table, mode="max", scale_grad_by_freq=True)
    twins.same_error(path, index.reshape(2, 2), table, per_sample_weights=twins.randn(2, 2))
    twins.same_error(
        path, index.reshape(2, 2), table, mode="sum", per_sample_weights=twins.randn(3)
    )


def test_one_hot(twins, torch):
    twins.check("nn.functional.one_hot", torch.tensor([[1, 0], [3, 2]]))
    twins.check("nn.functional.one_hot", torch.tensor(2), 5)
    twins.check("nn.functional.one_hot", torch.zeros(0, 2, dtype=torch.int64), 3)
    twins.same_error("nn.functional.one_hot", torch.tensor([1.0]))
    twins.same_error("nn.functional.one_hot", torch.zeros(0, dtype=torch.int64))
    twins.same_error("nn.functional.one_hot", torch.tensor([1]), 0)
