"""`flambeau.nn.distance` against torch."""


def test_cosine_similarity(twins):
    twins.check_module(twins.build("CosineSimilarity"), twins.randn(3, 4), twins.randn(3, 4))
    modules = twins.build("CosineSimilarity", dim=0, eps=1e-3)
    twins.check_module(modules, twins.randn(3, 4), twins.randn(3, 4))


def test_pairwise_distance(twins):
    twins.check_module(twins.build("PairwiseDistance"), twins.randn(3, 4), twins.randn(3, 4))
    modules = twins.build("PairwiseDistance", p=1.0, eps=1e-3, keepdim=True)
    twins.check_module(modules, twins.randn(3, 4), twins.randn(3, 4))
