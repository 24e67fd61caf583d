"""Follows the same schedule in flambeau and in torch, and compares every learning rate."""

import copy
import warnings

import pytest

import flambeau

OPTIONS = ("betas", "initial_lr", "lr", "max_lr", "min_lr", "momentum")


class Twins:
    """The two libraries, and a schedule made the same way in both."""

    def __init__(self, torch):
        self.libraries = (flambeau, torch)

    def same(self, script):
        """Assert that `script(library)` gives or raises the same, and warns in the same words."""
        ours, theirs = (_outcome(script, lib) for lib in self.libraries)
        assert ours == theirs
        return ours

    def follow(self, make, calls, name="SGD", groups=1, tensor_lr=False):
        """Assert that a schedule goes the same way.

        make(schedulers, optimizer) makes it; calls: for each step, what to pass to `step`.
        """

        def script(lib):
            optimizer = new_optimizer(lib, name, groups, tensor_lr)
            scheduler = make(lib.optim.lr_scheduler, optimizer)
            log = [options(optimizer)]
            for call in calls:
                optimizer.step()
                scheduler.step(*call)
                log.append((options(optimizer), plain(scheduler.get_last_lr())))
                log.append(plain(scheduler.state_dict()))
            return log

        self.same(script)


def new_optimizer(lib, name="SGD", groups=1, tensor_lr=False):
    """An optimizer whose groups have the rates 0.1, 0.2, ..."""
    rates = [0.1 * (i + 1) for i in range(groups)]
    dicts = [
        {
            "params": [lib.zeros(2, requires_grad=True)],
            "lr": lib.tensor(lr) if tensor_lr else lr,
        }
        for lr in rates
    ]
    kwargs = {"momentum": 0.5} if name == "SGD" else {}
    return getattr(lib.optim, name)(dicts, lr=0.1, **kwargs)


def options(optimizer):
    """What schedules change in the groups of an optimizer."""
    return plain([{k: g[k] for k in OPTIONS if k in g} for g in optimizer.param_groups])


def plain(value):
    """Tensors as numbers, dicts as lists of pairs: to be compared between libraries."""
    if hasattr(value, "item"):
        return ("tensor", value.item())
    if isinstance(value, dict):
        return [(key, plain(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return copy.copy(value)


def _outcome(script, lib):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = script(lib)
        except Exception as error:
            result = (type(error).__name__, str(error))
    return result, [(w.category.__name__, str(w.message)) for w in caught]


@pytest.fixture
def twins(torch):
    return Twins(torch)


@pytest.fixture
def make_optimizer():
    return new_optimizer
