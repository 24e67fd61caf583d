"""`flambeau.optim.lr_scheduler.cosine` against torch."""

import pytest


@pytest.mark.parametrize("args", [(1,), (4,), (5, 0.01), (3, 0.5)])
def test_annealing(twins, args):
    twins.follow(lambda s, o: s.CosineAnnealingLR(o, *args), [()] * 14, groups=2)


@pytest.mark.parametrize("args", [(1,), (3,), (2, 2), (3, 3, 0.01)])
def test_warm_restarts(twins, args):
    make = lambda s, o: s.CosineAnnealingWarmRestarts(o, *args)  # noqa: E731
    twins.follow(make, [()] * 14, groups=2)
    twins.follow(make, [(0.5,), (1.25,), (), (7,), (30.5,), (), (2,), ()])


@pytest.mark.parametrize("args", [(0,), (2.5,), (2, 0), (2, 1.5), (2, 1, "a")])
def test_errors(twins, make_optimizer, args):
    result, _ = twins.same(
        lambda lib: lib.optim.lr_scheduler.CosineAnnealingWarmRestarts(make_optimizer(lib), *args)
    )
    assert result[0] == "ValueError"


def test_negative_epoch(twins):
    twins.follow(lambda s, o: s.CosineAnnealingWarmRestarts(o, 3), [(-1,)])
