"""Checkpointing, against PyTorch's."""

import contextlib
import functools
import importlib
import warnings

import numpy as np
import pytest

import flambeau
from flambeau.utils.checkpoint import (
    CheckpointError,
    CheckpointPolicy,
    checkpoint,
    create_selective_checkpoint_contexts,
)

PROGRAMS = []
BOTH = []


def program(f):
    PROGRAMS.append(f)
    return f


def both(f):
    """A program for both values of `use_reentrant`."""
    BOTH.append(f)
    return f


def utility(t):
    return importlib.import_module(f"{t.__name__}.utils.checkpoint")


def model(t):
    return t.nn.Sequential(
        t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 4), t.nn.ReLU(), t.nn.Linear(4, 2)
    )


def ones(t, n=3, value=1.0):
    return t.full((n,), value, requires_grad=True)


@both
def sequential(t, reentrant):
    m, x = model(t), t.randn(5, 3, requires_grad=True)
    utility(t).checkpoint_sequential(m, 2, x, use_reentrant=reentrant).sum().backward()
    return [p.grad for p in m.parameters()], x.grad


@both
def random_numbers_are_the_same(t, reentrant):
    x, runs = ones(t, 6), []

    def f(x):
        runs.append(1)
        z = t.rand(6)
        return (x * z).sin() * z

    y = utility(t).checkpoint(f, x, use_reentrant=reentrant)
    between = t.rand(1)
    y.sum().backward()
    return x.grad, between, t.rand(1), len(runs)


@both
def random_numbers_go_on(t, reentrant):
    x = ones(t, 6)
    f = utility(t).checkpoint
    y = f(lambda x: (x * t.rand(6)).sin(), x, use_reentrant=reentrant, preserve_rng_state=False)
    y.sum().backward()
    return x.grad, t.rand(1)


@both
def keywords(t, reentrant):
    x = ones(t)
    y = utility(t).checkpoint(lambda a, *, b: (a * b).sin(), x, use_reentrant=reentrant, b=x * 2)
    y.sum().backward()
    return x.grad


@both
def nested(t, reentrant):
    x, w, runs = ones(t), ones(t, value=2.0), []
    again = functools.partial(utility(t).checkpoint, use_reentrant=reentrant)

    def inner(x):
        runs.append("inner")
        return (x * w).sin()

    def outer(x):
        runs.append("outer")
        return again(inner, x.exp()).cos()

    again(outer, x).sum().backward()
    return x.grad, w.grad, runs


@both
def nested_structures(t, reentrant):
    x, w = ones(t), ones(t, value=2.0)

    def f(d, n):
        return {"a": d["x"] * d["y"][0], "b": [d["x"].exp() * n]}

    out = utility(t).checkpoint(f, {"x": x, "y": [w]}, 3, use_reentrant=reentrant)
    (out["a"] + out["b"][0]).sum().backward()
    return x.grad, w.grad


@both
def several_results(t, reentrant):
    x = ones(t)
    f = utility(t).checkpoint
    a, b, c = f(lambda x, y: (x.exp() * y, (x * x).sum(), 7), x, t.ones(3), use_reentrant=reentrant)
    (a.sum() + b).backward()
    return x.grad, c


@both
def gradients_that_are_asked_for(t, reentrant):
    x = ones(t)
    y = utility(t).checkpoint(lambda x: x.exp().sin(), x, use_reentrant=reentrant)
    return t.autograd.grad(y.sum(), x)


@both
def two_passes(t, reentrant):
    x, runs = ones(t), []
    y = utility(t).checkpoint(lambda x: runs.append(1) or x.exp(), x, use_reentrant=reentrant)
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return x.grad, len(runs)


@both
def freed(t, reentrant):
    y = utility(t).checkpoint(lambda x: x.exp().sin(), ones(t), use_reentrant=reentrant)
    y.sum().backward()
    y.sum().backward()


@both
def argument_written_afterwards(t, reentrant):
    a = ones(t) * 2
    y = utility(t).checkpoint(lambda x: x.exp().sin(), a, use_reentrant=reentrant)
    a.add_(1)
    y.sum().backward()


@both
def writes_within(t, reentrant):
    x = ones(t)

    def f(x):
        y = x.exp()
        w = y.sin() * 3
        w.add_(1).relu_()
        return w * y

    utility(t).checkpoint(f, x, use_reentrant=reentrant).sum().backward()
    return x.grad


@both
def nothing_to_differentiate(t, reentrant):
    f = utility(t).checkpoint
    with t.no_grad():
        inside = f(lambda x: x.exp(), ones(t), use_reentrant=reentrant).requires_grad
    return inside, f(lambda x: x.exp(), t.ones(2), use_reentrant=reentrant).requires_grad


@both
def parameters_only(t, reentrant):
    m = model(t)
    y = utility(t).checkpoint(m, t.randn(5, 3), use_reentrant=reentrant)
    if y.requires_grad:
        y.sum().backward()
    return [p.grad for p in m.parameters()]


@both
def custom_function(t, reentrant):
    class Exp(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, g):
            _, y = ctx.saved_tensors
            return g * y

    x = ones(t)
    y = utility(t).checkpoint(lambda x: Exp.apply(x.sin()), x, use_reentrant=reentrant)
    y.sum().backward()
    return x.grad


@both
def fails(t, reentrant):
    def f(x):
        raise ValueError("mine")

    utility(t).checkpoint(f, ones(t), use_reentrant=reentrant)


@program
def second_derivative(t):
    x = ones(t)
    y = utility(t).checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    return g, x.grad


def _differently(first, later, **options):
    def run(t):
        runs = []

        def f(x):
            runs.append(1)
            return (first if len(runs) == 1 else later)(x)

        x = ones(t)
        utility(t).checkpoint(f, x, use_reentrant=False, **options).sum().backward()
        return x.grad

    return run


for name, run in {
    "saves_fewer": _differently(lambda x: x.exp().sin(), lambda x: x.sin()),
    "saves_more": _differently(lambda x: x.sin(), lambda x: x.exp().sin().cos(), early_stop=False),
    "saves_other_shapes": _differently(lambda x: x.sin(), lambda x: x[:2].sin()),
    "is_not_compared": _differently(
        lambda x: x.sin(), lambda x: x[:1].sin(), determinism_check="none"
    ),
    "unknown_check": _differently(lambda x: x, lambda x: x, determinism_check="x"),
}.items():
    run.__name__ = name
    PROGRAMS.append(run)


@program
def early_stop(t):
    def f(x):
        y = x.exp().sin() + 1
        ends.append(1)
        return y

    counts = []
    for wanted in (True, False):
        ends = []
        utility(t).checkpoint(f, ones(t), use_reentrant=False, early_stop=wanted).sum().backward()
        counts.append(len(ends))
        ends = []
        with utility(t).set_checkpoint_early_stop(wanted):
            y = utility(t).checkpoint(f, ones(t), use_reentrant=False)
        y.sum().backward()
        counts.append(len(ends))
    return counts


@program
def contexts(t):
    log = []

    @contextlib.contextmanager
    def context(name):
        log.append(f"{name} begins")
        yield
        log.append(f"{name} ends")

    def both_contexts():
        return context("first"), context("again")

    f = functools.partial(utility(t).checkpoint, use_reentrant=False, early_stop=False)
    f(lambda x: x.exp(), ones(t), context_fn=both_contexts).sum().backward()
    return log


@program
def backward_pass_within(t):
    x = ones(t)

    def f(x):
        z = x.sin().cos()
        (g,) = t.autograd.grad(z.sum(), x, retain_graph=True)
        return g, z

    g, z = utility(t).checkpoint(f, x, use_reentrant=False)
    z.sum().backward()
    return g, x.grad


@program
def backward_pass_within_that_frees(t):
    x = ones(t)

    def f(x):
        (g,) = t.autograd.grad(x.sin().cos().sum(), x)
        return x.cos() * g

    utility(t).checkpoint(f, x, use_reentrant=False).sum().backward()
    return x.grad


@program
def without_saying_which(t):
    return utility(t).checkpoint(lambda x: x * 2, ones(t))


@program
def detach_variable_of_a_list(t):
    utility(t).detach_variable([1])


@program
def unknown_keyword(t):
    utility(t).checkpoint_sequential([t.sin], 1, ones(t), use_reentrant=False, other=1)


@program
def debug_with_contexts(t):
    utility(t).checkpoint(t.sin, ones(t), use_reentrant=False, debug=True, context_fn=lambda: 1)


@program
def debug_with_reentrance(t):
    utility(t).checkpoint(t.sin, ones(t), use_reentrant=True, debug=True)


@program
def training(t):
    m, losses = model(t), []
    step = t.optim.SGD(m.parameters(), 0.1)
    for _ in range(4):
        y = utility(t).checkpoint(m, t.randn(5, 3), use_reentrant=False)
        loss = y.pow(2).sum()
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    return losses


def plain(x):
    if hasattr(x, "detach"):
        return np.array(x.detach().numpy())
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    return x


def outcome(t, f, *args):
    t.manual_seed(0)
    try:
        with warnings.catch_warnings(action="ignore"):
            return plain(f(t, *args))
    except (RuntimeError, ValueError) as error:
        return type(error).__name__, str(error)[:60]


def check(torch, *case):
    wanted = outcome(torch, *case)
    for _ in range(2):
        found = outcome(flambeau, *case)
        same(found, wanted)


def same(found, wanted):
    if isinstance(wanted, list):
        assert len(found) == len(wanted)
        for a, b in zip(found, wanted, strict=True):
            same(a, b)
    elif isinstance(wanted, (np.ndarray, float)):
        np.testing.assert_allclose(found, wanted, 1e-4, 1e-5)
    else:
        assert found == wanted


@pytest.mark.parametrize("run", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(torch, run):
    check(torch, run)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("run", BOTH, ids=lambda f: f.__name__)
def test_both_ways_as_in_torch(torch, run, reentrant):
    check(torch, run, reentrant)


def test_less_is_kept():
    def kept(f):
        x = flambeau.ones(100, requires_grad=True)
        y = f(lambda x: x.exp().sin().tanh().sigmoid(), x).sum()
        y.item()
        return len(y._history[0].saved)

    assert kept(lambda f, x: f(x)) >= 3
    assert kept(lambda f, x: checkpoint(f, x, use_reentrant=False)) == 0


def test_debug_names_the_lines():
    runs = []

    def f(x):
        runs.append(1)
        return x.exp() if len(runs) == 1 else x[:1].exp()

    x = flambeau.ones(3, requires_grad=True)
    y = checkpoint(f, x, use_reentrant=False, debug=True)
    with pytest.raises(CheckpointError, match=r"Saved during recomputation:\n .*test_checkpoint"):
        y.sum().backward()


@pytest.mark.parametrize(
    "policy", [[flambeau.exp], lambda context, op, *args, **kwargs: op.name == "exp"]
)
def test_selected_results_are_kept(policy):
    x = flambeau.ones(3, requires_grad=True)
    contexts = functools.partial(create_selective_checkpoint_contexts, policy)
    y = checkpoint(lambda x: (x.exp() * x).sin(), x, use_reentrant=False, context_fn=contexts)
    y.sum().backward()
    again = flambeau.ones(3, requires_grad=True)
    (again.exp() * again).sin().sum().backward()
    assert x.grad.tolist() == pytest.approx(again.grad.tolist())


def test_kept_results_are_not_computed_again():
    random = flambeau.full((3,), 2.0)
    x = flambeau.ones(3, requires_grad=True)

    def f(x):
        return (x * random).sin()

    def policy(context, op, *args, **kwargs):
        return CheckpointPolicy.MUST_SAVE

    contexts = functools.partial(create_selective_checkpoint_contexts, policy)
    y = checkpoint(f, x, use_reentrant=False, context_fn=contexts)
    y.tolist()
    random.fill_(5.0)  # would count if the product were computed again, and for its derivative does
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([5 * np.cos(2.0)] * 3)


def test_selection_of_what_is_no_function():
    with pytest.raises(TypeError, match="either a function or a list"):
        create_selective_checkpoint_contexts(3)
    with pytest.raises(ValueError, match="operations or functions"):
        create_selective_checkpoint_contexts([3])
