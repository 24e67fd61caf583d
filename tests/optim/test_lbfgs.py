"""`flambeau.optim.lbfgs` and its line search against torch."""

import pytest

import flambeau

CONFIGURATIONS = [
    {},
    {"lr": 0.1},
    {"tolerance_grad": 1e-3},
    {"max_iter": 3},
    {"max_eval": 4},
    {"history_size": 2, "max_iter": 12},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "lr": 5.0, "max_iter": 8},
    {"line_search_fn": "strong_wolfe", "lr": 1e-3, "history_size": 3},
]


def rosenbrock(x):
    return (10 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def quadratic(x):
    return 3 * ((x - 1) ** 2).sum()


def minimize(lib, function, kwargs, steps):
    """The path of float64 parameters, the losses, the counts, of a few steps."""
    kwargs = {"tolerance_grad": 1e-5} | kwargs
    x = lib.tensor([-1.2, 1.0, 0.5, 2.0], dtype=lib.float64, requires_grad=True)
    y = lib.tensor(0.25, dtype=lib.float64, requires_grad=True)
    unused = lib.ones(2, dtype=lib.float64, requires_grad=True)
    optimizer = lib.optim.LBFGS([x, y, unused], **kwargs)

    def closure():
        optimizer.zero_grad()
        loss = function(x * y) + y * y
        loss.backward()
        return loss

    path = []
    for _ in range(steps):
        loss = optimizer.step(closure).item()
        path.append([loss, y.item(), *x.tolist()])
    return path, optimizer


@pytest.mark.parametrize("kwargs", CONFIGURATIONS, ids=str)
@pytest.mark.parametrize("function", [rosenbrock, quadratic])
def test_path(torch, function, kwargs):
    ours, theirs = (minimize(lib, function, kwargs, 2) for lib in (flambeau, torch))
    for mine, yours in zip(ours[0], theirs[0], strict=True):
        assert mine == pytest.approx(yours, rel=1e-5, abs=1e-9)
    ours, theirs = (next(iter(o.state_dict()["state"].values())) for _, o in (ours, theirs))
    assert [ours[k] for k in ("func_evals", "n_iter")] == [
        theirs[k] for k in ("func_evals", "n_iter")
    ]


def test_checkpoint(pair):
    kwargs = {"max_iter": 4}
    ours = minimize(flambeau, rosenbrock, kwargs, 1)[1]
    theirs = minimize(pair.torch, rosenbrock, kwargs, 1)[1]
    mine, yours = ours.state_dict(), theirs.state_dict()
    assert mine["param_groups"] == yours["param_groups"]
    assert mine["state"].keys() == yours["state"].keys()
    assert mine["state"][0].keys() == yours["state"][0].keys()
    again = minimize(flambeau, rosenbrock, kwargs, 0)[1]
    again.load_state_dict(pair.ours(yours))
    pair.close(again.state_dict()["state"][0]["old_dirs"], yours["state"][0]["old_dirs"])


def test_complex_parameters(torch):
    ends = []
    for lib in (flambeau, torch):
        p = lib.tensor([1 + 2j, -1j], dtype=lib.complex128, requires_grad=True)
        optimizer = lib.optim.LBFGS([p])

        def closure(lib=lib, p=p, optimizer=optimizer):
            optimizer.zero_grad()
            loss = ((lib.view_as_real(p) - 3) ** 2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        ends.append(p.tolist())
    assert ends[0] == pytest.approx(ends[1], abs=1e-9)


def test_constant_loss_and_flat_start():
    p = flambeau.ones(2, requires_grad=True)
    p.grad = flambeau.ones(2)
    optimizer = flambeau.optim.LBFGS([p], line_search_fn="strong_wolfe")
    assert optimizer.step(lambda: flambeau.tensor(1.0)).item() == 1.0
    p.grad = flambeau.zeros(2)
    optimizer = flambeau.optim.LBFGS([p])
    optimizer.step(lambda: flambeau.tensor(1.0))
    assert optimizer.state[p]["func_evals"] == 1


def test_errors():
    p, q = (flambeau.ones(2, requires_grad=True) for _ in range(2))
    with pytest.raises(ValueError, match="doesn't support per-parameter options"):
        flambeau.optim.LBFGS([{"params": [p]}, {"params": [q]}])
    p.grad = flambeau.ones(2)
    with pytest.raises(RuntimeError, match="only 'strong_wolfe' is supported"):
        flambeau.optim.LBFGS([p], line_search_fn="x").step(lambda: flambeau.tensor(1.0))
    with pytest.raises(TypeError):
        flambeau.optim.LBFGS([p]).step()
