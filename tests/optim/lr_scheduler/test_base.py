"""`flambeau.optim.lr_scheduler.base`: beginning, resuming, the order of calls."""

import copy
import gc
import warnings
import weakref

import pytest

import flambeau
from flambeau.optim import lr_scheduler
from flambeau.optim.lr_scheduler import LRScheduler, StepLR

CHAINABLE = {
    "StepLR": (2, 0.5),
    "MultiStepLR": ([2, 2, 4], 0.5),
    "ConstantLR": (0.5, 4),
    "LinearLR": (0.5, 0.9, 6),
    "ExponentialLR": (0.9,),
    "PolynomialLR": (6, 2.0),
    "CosineAnnealingLR": (5, 0.01),
    "CosineAnnealingWarmRestarts": (3,),
    "CyclicLR": (0.01, 0.1, 3),
}


@pytest.mark.parametrize("name", CHAINABLE)
@pytest.mark.parametrize("last_epoch", [0, 3])
def test_resuming(twins, make_optimizer, name, last_epoch):
    def script(lib):
        optimizer = make_optimizer(lib)
        optimizer.param_groups[0]["initial_lr"] = 0.3
        scheduler = getattr(lib.optim.lr_scheduler, name)(
            optimizer, *CHAINABLE[name], last_epoch=last_epoch
        )
        rates = [scheduler.get_last_lr(), scheduler.last_epoch]
        for _ in range(4):
            optimizer.step()
            scheduler.step()
            rates.append(scheduler.get_last_lr())
        return rates

    twins.same(script)


@pytest.mark.parametrize("name", CHAINABLE)
def test_resuming_without_a_checkpoint(twins, make_optimizer, name):
    make = lambda s, o: getattr(s, name)(o, *CHAINABLE[name], last_epoch=3)  # noqa: E731
    result, _ = twins.same(lambda lib: make(lib.optim.lr_scheduler, make_optimizer(lib)))
    assert result[0] == "KeyError"


@pytest.mark.parametrize("name", CHAINABLE)
def test_checkpoint_goes_on(make_optimizer, name):
    def make():
        optimizer = make_optimizer(flambeau)
        return getattr(lr_scheduler, name)(optimizer, *CHAINABLE[name])

    def go(scheduler, steps):
        for _ in range(steps):
            scheduler.optimizer.step()
            scheduler.step()
        return scheduler.get_last_lr()

    straight, first, second = make(), make(), make()
    go(first, 3)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.optimizer.load_state_dict(first.optimizer.state_dict())
    assert go(second, 4) == go(straight, 7)


@pytest.mark.parametrize("name", [*CHAINABLE, "LambdaLR"])
def test_rates_that_are_tensors_are_filled(twins, name):
    args = CHAINABLE.get(name, (lambda epoch: 0.5**epoch,))
    twins.follow(lambda s, o: getattr(s, name)(o, *args), [()] * 8, tensor_lr=True, groups=2)


def test_scheduler_before_optimizer_is_warned_about(twins, make_optimizer):
    def script(lib):
        scheduler = lib.optim.lr_scheduler.StepLR(make_optimizer(lib), 2)
        scheduler.step()
        scheduler.step()

    _, warned = twins.same(script)
    assert len(warned) == 1


def test_step_replaced_after_the_schedule_was_made_is_warned_about(twins, make_optimizer):
    def script(lib):
        optimizer = make_optimizer(lib)
        scheduler = lib.optim.lr_scheduler.StepLR(optimizer, 2)
        optimizer.step = lambda: None
        scheduler.step()

    _, warned = twins.same(script)
    assert len(warned) == 1


def test_step_replaced_before_is_called(make_optimizer):
    optimizer, calls = make_optimizer(flambeau), []
    optimizer.step = lambda: calls.append(1)
    scheduler = StepLR(optimizer, 1)
    optimizer.step()
    scheduler.step()
    assert calls == [1]


def test_warnings_point_at_the_caller(make_optimizer):
    scheduler = StepLR(make_optimizer(flambeau), 2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        scheduler.step()
        scheduler.step(3)
    assert [w.filename for w in caught] == [__file__, __file__]


@pytest.mark.parametrize("call", [0, 1, 5])
@pytest.mark.parametrize("name", [*CHAINABLE, "MultiplicativeLR"])
def test_deprecated_epoch(twins, name, call):
    args = CHAINABLE.get(name, (lambda epoch: 0.5,))
    twins.follow(lambda s, o: getattr(s, name)(o, *args), [(), (), (call,), (), ()])


def test_get_lr_outside_step_is_warned_about(twins, make_optimizer):
    def script(lib):
        return lib.optim.lr_scheduler.LinearLR(make_optimizer(lib)).get_lr()

    _, warned = twins.same(script)
    assert len(warned) == 1


@pytest.mark.parametrize("name", ["ExponentialLR", "ReduceLROnPlateau"])
def test_no_optimizer(twins, name):
    twins.same(lambda lib: getattr(lib.optim.lr_scheduler, name)(3, 0.5))


def test_the_base_needs_get_lr(make_optimizer):
    with pytest.raises(NotImplementedError):
        LRScheduler(make_optimizer(flambeau))


def test_former_name_of_the_base(make_optimizer):
    class Fixed(lr_scheduler._LRScheduler):
        def get_lr(self):
            return [0.5]

    scheduler = Fixed(make_optimizer(flambeau))
    assert isinstance(scheduler, LRScheduler)
    assert scheduler.get_last_lr() == [0.5]


def test_groups_added_later(twins, make_optimizer):
    def script(lib):
        optimizer = make_optimizer(lib)
        scheduler = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        optimizer.add_param_group({"params": lib.zeros(1, requires_grad=True), "lr": 1.0})
        optimizer.step()
        scheduler.step()
        return scheduler.get_last_lr()

    assert twins.same(script)[0] == [0.05, 0.5]


def test_a_schedule_does_not_keep_its_optimizer_in_a_cycle(make_optimizer):
    optimizer = make_optimizer(flambeau)
    scheduler = StepLR(optimizer, 2)
    optimizer.step()
    alive = weakref.ref(optimizer)
    gc.disable()
    try:
        del optimizer, scheduler
        assert alive() is None
    finally:
        gc.enable()
