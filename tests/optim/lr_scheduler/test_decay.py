"""`flambeau.optim.lr_scheduler.decay` against torch."""

import pytest

CASES = [
    ("StepLR", (1,)),
    ("StepLR", (3, 0.7)),
    ("MultiStepLR", ([2, 5, 5, 7],)),
    ("ConstantLR", ()),
    ("ConstantLR", (0.5, 3)),
    ("ConstantLR", (1.0, 0)),
    ("LinearLR", ()),
    ("LinearLR", (1.0, 0.1, 4)),
    ("ExponentialLR", (0.9,)),
    ("PolynomialLR", ()),
    ("PolynomialLR", (7, 0.5)),
]


@pytest.mark.parametrize(("name", "args"), CASES)
@pytest.mark.parametrize("groups", [1, 2])
def test_rates(twins, name, args, groups):
    twins.follow(lambda s, o: getattr(s, name)(o, *args), [()] * 9, groups=groups)


@pytest.mark.parametrize(("name", "args"), CASES)
def test_closed_form(twins, make_optimizer, name, args):
    def script(lib):
        scheduler = getattr(lib.optim.lr_scheduler, name)(make_optimizer(lib), *args)
        closed = []
        for epoch in range(9):
            scheduler.last_epoch = epoch
            closed += scheduler._get_closed_form_lr()
        return closed

    ours, _ = twins.same(script)
    assert len(ours) == 9


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ConstantLR", (2.0,)),
        ("ConstantLR", (-1.0,)),
        ("LinearLR", (2.0,)),
        ("LinearLR", (0.0,)),
        ("LinearLR", (0.5, 2.0)),
    ],
)
def test_errors(twins, make_optimizer, name, args):
    result, _ = twins.same(
        lambda lib: getattr(lib.optim.lr_scheduler, name)(make_optimizer(lib), *args)
    )
    assert result[0] == "ValueError"
