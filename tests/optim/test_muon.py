"""`flambeau.optim.muon` against torch; both make updates orthogonal in bfloat16."""

import pytest

SHAPES = ((4, 3), (5, 2), (2, 6))
BFLOAT16 = {"rtol": 1.6e-2, "atol": 1e-4}


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"lr": 0.01},
        {"weight_decay": 0.2},
        {"momentum": 0.8},
        {"nesterov": False},
        {"ns_steps": 6},
        {"ns_coefficients": (3.4, -4.7, 2.0)},
        {"adjust_lr_fn": "match_rms_adamw"},
    ],
    ids=str,
)
def test_muon(pair, kwargs):
    ours, theirs = pair.start("Muon", kwargs, shapes=SHAPES)
    for mine, yours in zip(ours.step(4), theirs.step(4), strict=True):
        pair.close(mine, yours, **BFLOAT16)
    ours, theirs = ours.optimizer.state_dict(), theirs.optimizer.state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    for i, state in theirs["state"].items():
        pair.close(ours["state"][i], state, **BFLOAT16)
