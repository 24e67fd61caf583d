"""The schedule that ends at constant learning rates, `flambeau.optim.swa_utils.SWALR`."""

import warnings

import pytest

KWARGS = [
    {},
    {"anneal_epochs": 4},
    {"anneal_epochs": 4, "anneal_strategy": "linear"},
    {"anneal_epochs": 0},
]


@pytest.mark.parametrize("kwargs", KWARGS, ids=str)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("after", [None, "ExponentialLR"])
def test_rates(twins, make_optimizer, kwargs, groups, after):
    def script(lib):
        optimizer = make_optimizer(lib, groups=groups)
        before = lib.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        scheduler = lib.optim.swa_utils.SWALR(optimizer, 0.05, **kwargs)
        log = []
        for epoch in range(12):
            optimizer.step()
            (before if after and epoch < 3 else scheduler).step()
            log.append((scheduler.get_last_lr(), scheduler.state_dict()))
        resumed = lib.optim.swa_utils.SWALR(make_optimizer(lib, groups=groups), 1.0)
        resumed.load_state_dict(scheduler.state_dict())
        return log, resumed.state_dict()

    twins.same(script)


BAD = [
    {"swa_lr": 0.1, "anneal_strategy": "square"},
    {"swa_lr": 0.1, "anneal_epochs": -1},
    {"swa_lr": 0.1, "anneal_epochs": 1.5},
    {"swa_lr": [0.1, 0.2]},
]


@pytest.mark.parametrize("kwargs", BAD, ids=str)
def test_errors(twins, make_optimizer, kwargs):
    outcome = twins.same(lambda lib: lib.optim.swa_utils.SWALR(make_optimizer(lib), **kwargs))
    assert outcome[0][0] == "ValueError"


def test_several_rates_and_get_lr_outside_step(twins, make_optimizer):
    def script(lib):
        scheduler = lib.optim.swa_utils.SWALR(make_optimizer(lib, groups=2), [0.1, 0.3], 3)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rates = scheduler.get_lr()
        return rates, [str(w.message) for w in caught]

    twins.same(script)
