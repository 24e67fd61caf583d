"""Options that PyTorch refuses are refused, in its words."""

import pytest

import flambeau

BETAS = [{"betas": (-0.1, 0.9)}, {"betas": (0.9, 1.0)}]
COMMON = [{"lr": -1}, {"lr": "two"}]
EPS, WD = {"eps": -1}, {"weight_decay": -1}
BOTH = [{"foreach": True, "fused": True}, {"differentiable": True, "fused": True}]
TENSORS = [
    {"lr": "one", "foreach": True},
    {"betas": (0.9, "one")},
    {"betas": ("one", 0.9)},
    {"betas": ("one", "one"), "foreach": True},
]

BAD = {
    "ASGD": [*COMMON, WD],
    "Adadelta": [*COMMON, EPS, WD, {"rho": -1}, {"rho": 1.1}],
    "Adafactor": [*COMMON, WD, {"eps": (-1, 1)}, {"eps": (1, -1)}, {"d": 0.5}, {"beta2_decay": 1}],
    "Adagrad": [*COMMON, *BOTH, EPS, WD, {"lr_decay": -1}, {"initial_accumulator_value": -1}],
    "Adam": [*COMMON, *BOTH, *BETAS, *TENSORS, EPS, WD],
    "AdamW": [*COMMON, *BOTH, *BETAS, *TENSORS, EPS, WD],
    "Adamax": [*COMMON, *BETAS, EPS, WD],
    "LBFGS": [*COMMON],
    "Muon": [*COMMON, WD, {"momentum": -1}, {"adjust_lr_fn": "x"}],
    "NAdam": [*COMMON, *BETAS, EPS, WD, {"momentum_decay": -1}],
    "RAdam": [*COMMON, *BETAS, EPS, WD],
    "RMSprop": [*COMMON, EPS, WD, {"momentum": -1}, {"alpha": -1}],
    "Rprop": [*COMMON, {"etas": (2, 3)}, {"etas": (0.5, 0.9)}],
    "SGD": [*COMMON, *BOTH, WD, {"momentum": -1}, {"nesterov": True}]
    + [{"nesterov": True, "momentum": 0.9, "dampening": 0.1}],
    "SparseAdam": [*COMMON, *BETAS, EPS, {"lr": 0}, {"eps": 0}],
}


def real(lib, value):
    if value == "two":
        return lib.tensor([1.0, 1.0])
    if value == "one":
        return lib.tensor(0.5)
    return tuple(real(lib, x) for x in value) if isinstance(value, tuple) else value


CASES = [(name, kwargs) for name, list_of in BAD.items() for kwargs in list_of]


@pytest.mark.parametrize(("name", "kwargs"), CASES)
def test_options_out_of_range(torch, name, kwargs):
    messages = []
    for lib in (torch, flambeau):
        p = lib.ones(2, 2, requires_grad=True)
        with pytest.raises((ValueError, RuntimeError)) as caught:
            getattr(lib.optim, name)([p], **{key: real(lib, x) for key, x in kwargs.items()})
        messages.append((type(caught.value), str(caught.value)))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("kwargs", [{"ns_steps": 100}, {"ns_coefficients": (1.0, 2.0)}])
def test_muon_refuses_at_once_what_torch_refuses_in_its_first_step(torch, kwargs):
    p = torch.ones(2, 2, requires_grad=True)
    p.grad = torch.ones(2, 2)
    with pytest.raises(ValueError) as theirs:
        torch.optim.Muon([p], **kwargs).step()
    with pytest.raises(ValueError) as ours:
        flambeau.optim.Muon([flambeau.ones(2, 2, requires_grad=True)], **kwargs)
    assert str(ours.value) == str(theirs.value)


def test_muon_takes_matrices_only():
    with pytest.raises(ValueError, match="Muon only supports 2D parameters whereas we"):
        flambeau.optim.Muon([flambeau.ones(2, 3, 4, requires_grad=True)])
