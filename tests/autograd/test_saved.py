"""Hooks of saved tensors."""

import contextlib

import pytest

import flambeau

from .programs import Programs, exponential, leaf, square

PROGRAMS = Programs()
program = PROGRAMS.add


def packed_and_unpacked(t, f, backward=True):
    """The shapes of what f(x, w) packs, of what its backward pass unpacks, and the gradients."""
    packed, unpacked = [], []

    def pack(x):
        packed.append((tuple(x.shape), x.requires_grad, t.is_grad_enabled()))
        return x

    def unpack(x):
        unpacked.append(tuple(x.shape))
        return x

    x, w = leaf(t, 0.4, 0.6), leaf(t, 0.5, 0.7)
    with t.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = f(x, w)
    if backward:
        y.sum().backward()
    return packed, unpacked, x.grad, w.grad


for name, f in {
    "product": lambda x, w: x * w,
    "product_of_one": lambda x, w: x * x,
    "by_a_number": lambda x, w: (x + 1) - w,
    "exp": lambda x, w: x.exp() + w,
    "sum": lambda x, w: x.sum() + w.sum(),
    "power": lambda x, w: x**2 + w,
    "chain": lambda x, w: (x * w).tanh(),
}.items():

    def saves(t, f=f):
        return packed_and_unpacked(t, f)

    saves.__name__ = f"saves_of_{name}"
    PROGRAMS.append(saves)


@program
def custom_function(t):
    found = packed_and_unpacked(t, lambda x, w: square(t).apply(x) * w)
    return len(found[0]), found[2:]


@program
def custom_function_that_saves_its_result(t):
    found = packed_and_unpacked(t, lambda x, w: exponential(t).apply(x) + w)
    return found


@program
def unpacked_values_count(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x * 2, lambda x: x):
        y = x.exp()
    y.sum().backward()
    return x.grad


@program
def numpy_in_between(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.numpy(), t.from_numpy):
        y = x * x * x
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    g.sum().backward()
    return g, x.grad


@program
def second_derivative_with_sync_points(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: [x.tolist()], lambda x: t.tensor(x[0])):
        y = (x.sin() * x.exp()).sum()
        y.item()
        (g,) = t.autograd.grad(y, x, create_graph=True)
        g.tolist()
    g.sum().backward()
    return g, x.grad


@program
def the_innermost_counts(t):
    seen = []
    hooks = t.autograd.graph.saved_tensors_hooks
    x = leaf(t, 1.0, 2.0)
    with hooks(lambda x: seen.append("outer") or x, lambda x: x):
        with hooks(lambda x: seen.append("inner") or x, lambda x: x):
            y = x.exp()
        (y.exp() + x.exp()).sum().backward()
    return seen, x.grad


@program
def twice_with_retained_graph(t):
    seen = []
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: seen.append(1) or x):
        y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return len(seen), x.grad


@program
def twice_after_freeing(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        y = (x * x).sum()
    y.backward()
    y.backward()


@program
def no_gradients_no_hooks(t):
    seen = []
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.saved_tensors_hooks(lambda x: seen.append(1) or x, lambda x: x):
        with t.no_grad():
            x.exp()
        t.ones(2).exp()
    return seen


@program
def pack_changes_its_argument(t):
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.mul_(2), lambda x: x):
        leaf(t, 1.0).exp()


@program
def unpack_returns_no_tensor(t):
    with t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: 3):
        y = leaf(t, 1.0).exp()
    y.backward()


@program
def pack_fails(t):
    with t.autograd.graph.saved_tensors_hooks(lambda: 1, lambda x: x):
        leaf(t, 1.0).exp()


@program
def hooks_are_gone_after_an_error(t):
    seen = []
    hooks = t.autograd.graph.saved_tensors_hooks(lambda x: seen.append(1) or x, lambda x: x)
    with contextlib.suppress(KeyError), hooks:
        raise KeyError
    leaf(t, 1.0).exp().backward()
    return seen


@program
def on_cpu(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.save_on_cpu():
        y = (x * 3).exp() * x
    y.sum().backward()
    return x.grad


@program
def disabled(t):
    hooks = t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x)
    with t.autograd.graph.disable_saved_tensors_hooks("not here"), hooks:
        pass


@program
def disabled_within(t):
    hooks = t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x)
    with hooks, t.autograd.graph.disable_saved_tensors_hooks("not here"):
        pass


@program
def disabled_and_enabled_again(t):
    with t.autograd.graph.disable_saved_tensors_hooks("not here"):
        pass
    with t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        return leaf(t, 1.0).exp()


@program
def mutation_is_allowed(t):
    x = leaf(t, 1.0, 2.0)
    with t.autograd.graph.allow_mutation_on_saved_tensors() as context:
        a = x.clone()
        y = square(t).apply(a) + a.exp()
        a.mul_(3)
        y.sum().backward()
        context.clear()
    return x.grad


@program
def mutation_contexts_are_not_nested(t):
    allowed = t.autograd.graph.allow_mutation_on_saved_tensors
    with allowed(), allowed():
        pass


@program
def a_model(t):
    t.manual_seed(0)
    model = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.LayerNorm(4), t.nn.Linear(4, 2))
    with t.autograd.graph.saved_tensors_hooks(lambda x: x.detach().clone(), lambda x: x):
        loss = t.nn.functional.cross_entropy(model(t.ones(5, 3)), t.tensor([0, 1, 1, 0, 1]))
    loss.backward()
    return [p.grad for p in model.parameters()]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)


def test_written_after_it_was_saved():
    # The hook has the tensor itself: PyTorch would use what it is now.
    x = flambeau.ones(2, requires_grad=True)
    with flambeau.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x):
        y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="output 0 of Add, is at version 1; expected version 0"):
        y.sum().backward()


def test_packed_values_are_not_kept():
    def kept(hooks):
        x = flambeau.ones(100, requires_grad=True)
        if hooks:
            with flambeau.autograd.graph.saved_tensors_hooks(lambda x: 0, lambda x: x):
                y = x.exp().sin().tanh().sum()
        else:
            y = x.exp().sin().tanh().sum()
        y.item()
        return len(y._history[0].saved)

    assert kept(False) > 1
    assert kept(True) == 0
