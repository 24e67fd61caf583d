"""Every optimizer in every configuration against torch: parameters, state, checkpoints."""

import pytest

import flambeau

FLOAT = "float32"
WD = {"weight_decay": 0.1}
UP = {"maximize": True}
LRS = [{}, {"lr": 0.01}, {"lr": "tensor"}]

CONFIGURATIONS = {
    "ASGD": [*LRS, {"lambd": 0.1}, {"t0": 1}, {"t0": 100}, UP, WD, WD | UP, {"alpha": 0.5}],
    "Adadelta": [*LRS, WD, UP, WD | UP, {"rho": 0.95, "weight_decay": 0.9}],
    "Adafactor": [*LRS, WD | {"lr": 0.01}, WD | UP, {"beta2_decay": -1.0}, {"d": 1.5}]
    + [{"eps": (1e-6, 0.5)}],
    "Adagrad": [*LRS, WD, WD | UP, {"initial_accumulator_value": 0.1} | WD]
    + [WD | {"lr": 0.1, "lr_decay": 0.5}],
    "Adam": [*LRS, WD, WD | UP, WD | {"amsgrad": True}, WD | {"decoupled_weight_decay": True}]
    + [{"betas": (0.3, 0.5), "eps": 0.1}],
    "AdamW": [*LRS, WD, WD | UP, WD | {"amsgrad": True}, {"weight_decay": 0}],
    "Adamax": [*LRS, WD, UP, WD | UP],
    "NAdam": [*LRS, {"momentum_decay": 0.006}, WD, WD | UP]
    + [WD | {"momentum_decay": 0.006}]
    + [WD | {"momentum_decay": 0.006, "decoupled_weight_decay": True}],
    "RAdam": [*LRS, {"eps": 1e-6}, WD, WD | UP, WD | {"decoupled_weight_decay": True}]
    + [{"betas": (0.9, 0.8)}],
    "RMSprop": [*LRS, WD, UP, WD | {"centered": True}, WD | UP, {"momentum": 0.1}]
    + [WD | {"centered": True, "momentum": 0.1}, WD | UP | {"centered": True, "momentum": 0.1}],
    "Rprop": [*LRS, {"etas": (0.5, 1.5)}, {"step_sizes": (2e-6, 100)}, UP, {"lr": 0.0002}],
    "SGD": [*LRS, {"weight_decay": 0.5}, {"momentum": 0.9}, WD | UP, WD | {"momentum": 0.9}]
    + [{"momentum": 0.9, "dampening": 0.5}, WD | {"momentum": 0.9, "nesterov": True}]
    + [{"momentum": 0.9, "weight_decay": "tensor"}],
}
CASES = [(name, kwargs) for name, list_of in CONFIGURATIONS.items() for kwargs in list_of]
COMPLEX = sorted(CONFIGURATIONS.keys() - {"Adafactor"})


def expand(torch, kwargs):
    """The options, with a real tensor where "tensor" stands."""
    return {k: torch.tensor(0.02) if v == "tensor" else v for k, v in kwargs.items()}


def id_of(case):
    if isinstance(case, str):
        return case
    return "-".join(f"{key}={value}" for key, value in case.items()) or "default"


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=id_of)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_and_state(pair, name, kwargs, dtype):
    ours, theirs = pair.start(name, expand(pair.torch, kwargs), dtype)
    # Torch computes with the float32 of a tensor where we compute with its float64.
    tolerance = {"rtol": 1e-6, "atol": 1e-6} if "tensor" in kwargs.values() else {}
    for mine, yours in zip(ours.step(6), theirs.step(6), strict=True):
        pair.close(mine, yours, **tolerance)
    compare_checkpoints(pair, ours.optimizer, theirs.optimizer)


def compare_checkpoints(pair, ours, theirs):
    ours, theirs = pair.theirs(ours.state_dict()), theirs.state_dict()
    assert list(ours) == list(theirs)
    assert [list(group) for group in ours["param_groups"]] == [
        list(group) for group in theirs["param_groups"]
    ]
    assert str(ours["param_groups"]) == str(theirs["param_groups"])
    assert list(ours["state"]) == list(theirs["state"])
    for i, state in theirs["state"].items():
        assert list(ours["state"][i]) == list(state)
        pair.torch.testing.assert_close(ours["state"][i], state)


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_parameters(pair, name):
    for kwargs in CONFIGURATIONS[name][3:]:
        ours, theirs = pair.start(name, expand(pair.torch, kwargs), "complex64")
        for mine, yours in zip(ours.step(4), theirs.step(4), strict=True):
            pair.close(mine, yours)


def test_complex_parameters_are_refused():
    p = flambeau.zeros(2, 2, dtype=flambeau.complex64, requires_grad=True)
    p.grad = flambeau.ones(2, 2, dtype=flambeau.complex64)
    with pytest.raises(RuntimeError, match="Adafactor does not support complex parameters"):
        flambeau.optim.Adafactor([p]).step()
    with pytest.raises(RuntimeError, match="Muon does not support complex parameters"):
        flambeau.optim.Muon([p]).step()


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
@pytest.mark.parametrize("flag", ["foreach", "fused", "capturable"])
def test_flags_change_nothing(pair, name, flag):
    plain, flagged = pair.start(name, {})[0], {}
    if flag not in plain.optimizer.defaults:
        pytest.skip(f"{name} has no {flag}")
    flagged = pair.start(name, {flag: True})[0]
    for expected, found in zip(plain.step(3), flagged.step(3), strict=True):
        pair.close(found, pair.theirs(expected))


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_parameters_with_their_own_step_counts(pair, name):
    kwargs = {"momentum": 0.9, "dampening": 0.5} if name == "SGD" else {}
    ours, theirs = pair.start(name, kwargs)
    for skip in [(1,), (0, 2), (), (2,), ()]:
        pair.close(ours.step(skip=skip)[0], theirs.step(skip=skip)[0])
    compare_checkpoints(pair, ours.optimizer, theirs.optimizer)


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_checkpoints_go_both_ways(pair, name):
    kwargs = CONFIGURATIONS[name][-1]
    kwargs = expand(pair.torch, kwargs)
    ours, theirs = pair.start(name, kwargs)
    ours.step(3)
    theirs.step(3)
    from_theirs, from_ours = pair.start(name, kwargs)
    from_theirs.optimizer.load_state_dict(pair.ours(theirs.optimizer.state_dict()))
    from_ours.optimizer.load_state_dict(pair.theirs(ours.optimizer.state_dict()))
    for run in (from_theirs, from_ours):
        run.random()
    for mine, yours in zip(from_theirs.step(3), from_ours.step(3), strict=True):
        pair.close(mine, yours)
    compare_checkpoints(pair, from_theirs.optimizer, from_ours.optimizer)


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_options_changed_between_steps(pair, name):
    ours, theirs = pair.start(name, {})
    for run in (ours, theirs):
        run.step()
        group = run.optimizer.param_groups[0]
        group["lr"] = 0.5
        if "weight_decay" in group:
            group["weight_decay"] = 0.3
        if "amsgrad" not in group:
            group["maximize"] = True
    for mine, yours in zip(ours.step(3), theirs.step(3), strict=True):
        pair.close(mine, yours)


def test_buffers_that_an_option_asks_for_later():
    p = flambeau.ones(3, requires_grad=True)
    p.grad = flambeau.ones(3)
    optimizer = flambeau.optim.Adam([p])
    optimizer.step()
    optimizer.param_groups[0]["amsgrad"] = True
    optimizer.step()
    assert "max_exp_avg_sq" in optimizer.state[p]
    assert optimizer.state[p]["step"].item() == 2.0


def test_step_count_set_by_the_user(pair):
    ours, theirs = pair.start("Adam", {})
    ours.step(2)
    theirs.step(2)
    for p in ours.parameters:
        ours.optimizer.state[p]["step"] += 5
    for p in theirs.parameters:
        theirs.optimizer.state[p]["step"] += 5
    pair.close(ours.step()[0], theirs.step()[0])


def test_step_of_a_checkpoint_may_be_a_number(pair):
    ours, theirs = pair.start("Adam", {})
    ours.step(2)
    theirs.step(2)
    saved = ours.optimizer.state_dict()
    for state in saved["state"].values():
        state["step"] = int(state["step"])
    ours.optimizer.load_state_dict(saved)
    pair.close(ours.step()[0], theirs.step()[0])


def test_sgd_reads_checkpoints_with_empty_momentum(pair):
    ours, theirs = pair.start("SGD", {"momentum": 0.9, "dampening": 0.5})
    saved = ours.optimizer.state_dict()
    saved["state"] = {i: {"momentum_buffer": None} for i in range(3)}
    ours.optimizer.load_state_dict(saved)
    pair.close(ours.step(2)[1], theirs.step(2)[1])


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS.keys() - {"Adafactor"}))
def test_autograd_through_the_step(pair, name):
    """Two steps of a non-leaf; the gradients of what comes out by the start and the rate."""
    grads = []
    for lib in (flambeau, pair.torch):
        start = lib.tensor([1.0, -2.0, 0.5], requires_grad=True)
        rate = lib.tensor(0.05, requires_grad=True)
        p = start.clone()
        lr = rate if name in ("Adam", "SGD") else 0.05
        optimizer = getattr(lib.optim, name)([p], lr=lr, differentiable=True)
        # Torch can not differentiate a second step of these.
        for _ in range(1 if name in ("Adamax", "Rprop") else 2):
            # The gradient is a function of the start, but not of where the step has led.
            p.grad = start * start + 0.1
            optimizer.step()
        found = lib.autograd.grad((p * p).sum(), [start, rate], allow_unused=True)
        grads.append([None if g is None else g.tolist() for g in found])
    for mine, yours in zip(*grads, strict=True):
        assert (mine is None) == (yours is None)
        if yours is not None:
            assert mine == pytest.approx(yours, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS.keys() - {"Adafactor"}))
def test_differentiable_step_refuses_leaves_and_foreach(name):
    make = getattr(flambeau.optim, name)
    p = flambeau.ones(2, requires_grad=True)
    p.grad = flambeau.ones(2)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        make([p], differentiable=True).step()
    with pytest.raises(AssertionError, match="_foreach ops don't support autograd"):
        make([p], differentiable=True, foreach=True).step()


def test_table_covers_the_database_of_torch(torch):
    database = pytest.importorskip("torch.testing._internal.common_optimizers").optim_db
    missing = []
    for info in database:
        name = info.optim_cls.__name__
        for sample in info.optim_inputs_func(device="cpu", dtype=torch.float32):
            options = set(sample.kwargs)
            if name in CONFIGURATIONS and not any(set(c) == options for c in CONFIGURATIONS[name]):
                missing.append((name, sample.kwargs))
    assert not missing
