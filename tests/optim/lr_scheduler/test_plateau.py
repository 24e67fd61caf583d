"""`flambeau.optim.lr_scheduler.plateau` against torch."""

import pytest

import flambeau

MEASURES = [5.0, 4.0, 4.0, 4.0, 3.9999, 4.5, float("nan"), 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"patience": 0},
        {"patience": 2},
        {"patience": 1, "cooldown": 2, "factor": 0.5},
        {"patience": 0, "min_lr": [0.03, 0.0]},
        {"patience": 0, "eps": 0.05, "threshold": 0.5},
    ],
    ids=str,
)
def test_rates(twins, mode, threshold_mode, kwargs):
    twins.follow(
        lambda s, o: s.ReduceLROnPlateau(o, mode, threshold_mode=threshold_mode, **kwargs),
        [(measure,) for measure in MEASURES],
        groups=2,
    )


@pytest.mark.parametrize(
    "kwargs",
    [{"factor": 1.0}, {"mode": "x"}, {"threshold_mode": "x"}, {"min_lr": [0.1, 0.2]}],
    ids=str,
)
def test_errors(twins, make_optimizer, kwargs):
    result, _ = twins.same(
        lambda lib: lib.optim.lr_scheduler.ReduceLROnPlateau(make_optimizer(lib), **kwargs)
    )
    assert result[0] == "ValueError"


@pytest.mark.parametrize("min_lr", [0.001, [0.001]])
def test_groups_added_later(twins, make_optimizer, min_lr):
    def script(lib):
        optimizer = make_optimizer(lib)
        scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=min_lr)
        optimizer.add_param_group({"params": lib.zeros(1, requires_grad=True), "lr": 1.0})
        for measure in (1.0, 2.0):
            scheduler.step(measure)
        return scheduler.get_last_lr()

    twins.same(script)


def test_epochs_and_tensors(twins):
    twins.follow(lambda s, o: s.ReduceLROnPlateau(o, patience=0), [(1.0, 3), (2.0,)])
    optimizer = flambeau.optim.SGD([flambeau.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = flambeau.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    for measure in (1.0, 2.0):
        scheduler.step(flambeau.tensor(measure))
    assert scheduler.get_last_lr() == [0.1]
