"""`flambeau.nn.functional.distance` against torch."""

import pytest


@pytest.mark.parametrize("shapes", [((3, 5), (3, 5)), ((2, 1, 4), (3, 4)), ((4, 2, 3), (4, 2, 3))])
@pytest.mark.parametrize("dim", [1, -1])
def test_cosine_similarity(twins, shapes, dim):
    a, b = (twins.randn(*shape) for shape in shapes)
    twins.check("nn.functional.cosine_similarity", a, b, dim=dim)


def test_cosine_similarity_of_zeros(twins, torch):
    twins.check("nn.functional.cosine_similarity", torch.zeros(2, 3), twins.randn(2, 3))
    twins.check("nn.functional.cosine_similarity", twins.randn(3), twins.randn(3), dim=0)


def test_cosine_similarity_errors(twins, torch):
    path = "nn.functional.cosine_similarity"
    twins.same_error(path, torch.ones(3, 5).long(), torch.ones(3, 5).long(), text="int64")
    twins.same_error(path, torch.ones(3, 5), torch.ones(3, 4))


@pytest.mark.parametrize("p", [1, 2, 3.5, float("inf")])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance(twins, p, keepdim):
    inputs = twins.randn(4, 5), twins.randn(4, 5)
    twins.check("nn.functional.pairwise_distance", *inputs, p=p, keepdim=keepdim)
    twins.check("nn.functional.pairwise_distance", twins.randn(5), twins.randn(4, 5), p=p)


@pytest.mark.parametrize("p", [1, 2, 3.0])
def test_pdist(twins, p):
    twins.check("nn.functional.pdist", twins.randn(5, 3), p=p)


def test_pdist_errors(twins):
    twins.same_error("nn.functional.pdist", twins.randn(5))
    twins.same_error("nn.functional.pdist", twins.randn(5, 2), p=-1)
