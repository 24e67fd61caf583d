"""`flambeau.optim.lr_scheduler.functions` against torch."""

import copy

import pytest

import flambeau
from flambeau.optim.lr_scheduler import LambdaLR


class Power:
    """A function with an attribute that a checkpoint holds."""

    def __init__(self, base):
        self.base = base

    def __call__(self, epoch):
        return self.base**epoch


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
@pytest.mark.parametrize("functions", [lambda e: 0.9**e, [lambda e: 0.5, Power(0.8)]])
def test_rates(twins, name, functions):
    twins.follow(lambda s, o: getattr(s, name)(o, functions), [()] * 6, groups=2)


@pytest.mark.parametrize("name", ["LambdaLR", "MultiplicativeLR"])
def test_one_function_per_group(twins, make_optimizer, name):
    result, _ = twins.same(
        lambda lib: getattr(lib.optim.lr_scheduler, name)(
            make_optimizer(lib, groups=2), [lambda e: 1]
        )
    )
    assert result == ("ValueError", "Expected 2 lr_lambdas, but got 1")


def test_checkpoints_hold_the_attributes_of_objects(make_optimizer):
    scheduler = LambdaLR(make_optimizer(flambeau, groups=2), [Power(0.5), lambda e: 1])
    saved = scheduler.state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}, None]
    other = LambdaLR(make_optimizer(flambeau, groups=2), [Power(0.1), lambda e: 2])
    given = copy.deepcopy(saved)
    other.load_state_dict(given)
    assert other.lr_lambdas[0].base == 0.5
    assert other.lr_lambdas[1](0) == 2
    assert given == saved
