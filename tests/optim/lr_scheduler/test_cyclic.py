"""`flambeau.optim.lr_scheduler.cyclic` against torch."""

import copy

import pytest

import flambeau

CYCLIC = [
    {},
    {"step_size_down": 2},
    {"mode": "triangular2"},
    {"mode": "exp_range", "gamma": 0.9},
    {"scale_fn": lambda x: 0.5**x},
    {"scale_fn": lambda x: 1 / (1 + x), "scale_mode": "iterations"},
    {"base_lr": [0.01, 0.02], "max_lr": [0.3, 0.1]},
    {"base_momentum": [0.1, 0.2], "max_momentum": [0.7, 0.8]},
    {"cycle_momentum": False},
]
ONE = [
    {},
    {"anneal_strategy": "linear"},
    {"three_phase": True},
    {"three_phase": True, "anneal_strategy": "linear", "pct_start": 0.25},
    {"max_lr": [0.5, 0.25]},
    {"base_momentum": [0.1, 0.2], "max_momentum": [0.7, 0.8]},
    {"cycle_momentum": False, "div_factor": 5, "final_div_factor": 100},
]


@pytest.mark.parametrize("kwargs", CYCLIC)
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_cyclic(twins, name, kwargs):
    kwargs = {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3} | kwargs
    twins.follow(lambda s, o: s.CyclicLR(o, **kwargs), [()] * 14, name, groups=2)


@pytest.mark.parametrize("kwargs", ONE)
@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_one_cycle(twins, name, kwargs):
    kwargs = {"max_lr": 0.2, "total_steps": 12} | kwargs
    twins.follow(lambda s, o: s.OneCycleLR(o, **kwargs), [()] * 12, name, groups=2)


def test_one_cycle_of_epochs(twins):
    make = lambda s, o: s.OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=4)  # noqa: E731
    twins.follow(make, [()] * 8)
    twins.follow(make, [()] * 10)


@pytest.mark.parametrize(
    "kwargs",
    [
        {"mode": "x"},
        {"base_lr": [0.1]},
        {"max_lr": [0.1, 0.2, 0.3]},
        {"base_momentum": [0.1]},
        {"max_momentum": [0.1]},
    ],
    ids=str,
)
def test_errors_of_cyclic(twins, make_optimizer, kwargs):
    kwargs = {"base_lr": 0.01, "max_lr": 0.2} | kwargs
    result, _ = twins.same(
        lambda lib: lib.optim.lr_scheduler.CyclicLR(make_optimizer(lib, groups=2), **kwargs)
    )
    assert result[0] == "ValueError"


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"epochs": 3},
        {"epochs": 0, "steps_per_epoch": 3},
        {"epochs": 3, "steps_per_epoch": 0},
        {"total_steps": 0},
        {"total_steps": 10.0},
        {"total_steps": 10, "pct_start": 2.0},
        {"total_steps": 10, "pct_start": 1},
        {"total_steps": 10, "anneal_strategy": "x"},
        {"total_steps": 10, "max_lr": [0.1, 0.2]},
    ],
    ids=str,
)
def test_errors_of_one_cycle(twins, make_optimizer, kwargs):
    kwargs = {"max_lr": 0.1} | kwargs
    result, _ = twins.same(
        lambda lib: lib.optim.lr_scheduler.OneCycleLR(make_optimizer(lib), **kwargs)
    )
    assert result[0] == "ValueError"


@pytest.mark.parametrize("name", ["CyclicLR", "OneCycleLR"])
def test_optimizers_without_momentum(twins, make_optimizer, name):
    result, _ = twins.same(
        lambda lib: getattr(lib.optim.lr_scheduler, name)(
            make_optimizer(lib, "Adagrad"), 0.1, 10 if name == "OneCycleLR" else 0.2
        )
    )
    assert result[0] == "ValueError"


def test_checkpoints_hold_the_attributes_of_a_scale(make_optimizer):
    class Scale:
        factor = 1.0

        def __call__(self, x):
            return self.factor

    def make(factor):
        scale = Scale()
        scale.factor = factor
        optimizer = make_optimizer(flambeau)
        return flambeau.optim.lr_scheduler.CyclicLR(optimizer, 0.1, 0.5, 4, scale_fn=scale)

    saved = make(0.5).state_dict()
    assert saved["_scale_fn_custom"] == {"factor": 0.5}
    other, given = make(0.1), copy.deepcopy(saved)
    other.load_state_dict(given)
    assert other.scale_fn(3) == 0.5
    assert given == saved
