"""`flambeau.nn.functional.loss_ranking` against torch."""

import pytest

import flambeau
import flambeau.nn.functional as F

REDUCTIONS = ["mean", "sum", "none"]


def signs(twins, *shape):
    return twins.randint(2, *shape) * 2 - 1


@pytest.mark.parametrize("reduction", REDUCTIONS)
class TestReductions:
    @pytest.mark.parametrize("margin", [1.0, 0.2])
    def test_hinge_embedding_loss(self, twins, reduction, margin):
        args = twins.randn(4, 3), signs(twins, 4, 3)
        options = {"margin": margin, "reduction": reduction}
        twins.check("nn.functional.hinge_embedding_loss", *args, **options)

    @pytest.mark.parametrize("margin", [0.0, 0.5])
    @pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
    def test_margin_ranking_loss(self, twins, reduction, margin, shape):
        args = twins.randn(*shape), twins.randn(*shape), signs(twins, *shape)
        options = {"margin": margin, "reduction": reduction}
        twins.check("nn.functional.margin_ranking_loss", *args, **options)

    @pytest.mark.parametrize("margin", [0.0, 0.5])
    @pytest.mark.parametrize("shape", [(), (5,)])
    def test_cosine_embedding_loss(self, twins, reduction, margin, shape):
        args = twins.randn(*shape, 4), twins.randn(*shape, 4), signs(twins, *shape)
        options = {"margin": margin, "reduction": reduction}
        twins.check("nn.functional.cosine_embedding_loss", *args, **options)

    @pytest.mark.parametrize("swap", [False, True])
    @pytest.mark.parametrize("p", [1, 2])
    def test_triplet_margin_loss(self, twins, reduction, swap, p):
        args = [twins.randn(5, 4) for _ in range(3)]
        options = {"swap": swap, "p": p, "reduction": reduction}
        twins.check("nn.functional.triplet_margin_loss", *args, **options)

    @pytest.mark.parametrize("swap", [False, True])
    def test_triplet_margin_with_distance_loss(self, twins, reduction, swap):
        def distance(a, b):
            return (a - b).abs().amax(-1)

        path = "nn.functional.triplet_margin_with_distance_loss"
        args = [twins.randn(5, 4) for _ in range(3)]
        twins.check(path, *args, swap=swap, reduction=reduction)
        twins.check(path, *args, distance_function=distance, swap=swap, reduction=reduction)

    @pytest.mark.parametrize("p", [1, 2])
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("shape", [(4,), (3, 4)])
    def test_multi_margin_loss(self, twins, reduction, p, weighted, shape):
        options = {"p": p, "margin": 0.8, "reduction": reduction}
        if weighted:
            options["weight"] = twins.rand(4, grad=False)
        args = twins.randn(*shape), twins.randint(4, *shape[:-1])
        twins.check("nn.functional.multi_margin_loss", *args, **options)

    def test_multilabel_margin_loss(self, twins, reduction, torch):
        target = torch.tensor([[3, 0, -1, 1], [-1, 0, 1, 2], [0, 1, 2, 3]])
        path = "nn.functional.multilabel_margin_loss"
        twins.check(path, twins.randn(3, 4), target, reduction=reduction)
        twins.check(path, twins.randn(4), target[0], reduction=reduction)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_multilabel_soft_margin_loss(self, twins, reduction, weighted):
        options = {"reduction": reduction}
        if weighted:
            options["weight"] = twins.rand(4, grad=False)
        args = twins.randn(3, 4), twins.rand(3, 4)
        twins.check("nn.functional.multilabel_soft_margin_loss", *args, **options)

    def test_soft_margin_loss(self, twins, reduction):
        args = twins.randn(3, 4), signs(twins, 3, 4)
        twins.check("nn.functional.soft_margin_loss", *args, reduction=reduction)


def test_soft_margin_loss_does_not_overflow():
    loss = F.soft_margin_loss(flambeau.tensor([200.0]), flambeau.tensor([-1.0]))
    assert loss.item() == 200.0


def test_errors(twins, torch):
    one, path = torch.ones, "nn.functional."
    twins.same_error(path + "hinge_embedding_loss", one(3, 5), one(3, 4))
    twins.same_error(path + "margin_ranking_loss", one(3, 5), one(3, 5), one(3), text="Size([3])")
    twins.same_error(path + "cosine_embedding_loss", one(3, 5), one(3, 5), one(2))
    twins.same_error(path + "cosine_embedding_loss", one(3, 5), one(3, 5), one(3, 1))
    twins.same_error(path + "cosine_embedding_loss", one(5), one(5), one(3))
    twins.same_error(path + "triplet_margin_loss", one(3, 5), one(5), one(3, 5), text="positive 1D")
    twins.same_error(path + "triplet_margin_loss", *[one(3, 5)] * 3, margin=-1)
    twins.same_error(path + "triplet_margin_with_distance_loss", *[one(3, 5)] * 3, margin=0)
    twins.same_error(path + "soft_margin_loss", one(3, 5), one(3, 4))


def test_errors_of_class_indices(twins, torch):
    x, path = torch.ones(3, 5), "nn.functional."
    classes = torch.zeros(3, dtype=torch.int64)
    twins.same_error(path + "multi_margin_loss", x, classes[:2], text="size [3], but got [2]")
    twins.same_error(path + "multi_margin_loss", x, classes, p=3)
    twins.same_error(path + "multi_margin_loss", x, classes, weight=torch.ones(3))
    twins.same_error(path + "multi_margin_loss", x, classes, weight=torch.ones(1, 5))
    twins.same_error(path + "multilabel_margin_loss", x, classes, text="target size: [3]")
    twins.same_error(path + "multilabel_margin_loss", x, x)
