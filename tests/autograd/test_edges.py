"""Gradient edges, batches of gradients, versions and other arguments of backward passes."""

import numpy as np
import pytest

import flambeau

from .programs import Programs, exponential, leaf, square

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def edge_of_a_result(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    edge = t.autograd.graph.get_gradient_edge(y)
    z = (y * y).sum()
    return t.autograd.grad(z, edge), edge.output_nr, edge.node.name()


@program
def edge_of_a_leaf(t):
    x = leaf(t, 1.0, 2.0)
    edge = t.autograd.graph.get_gradient_edge(x)
    return t.autograd.grad((x * 2).sum(), [edge])


@program
def edge_as_a_root(t):
    x = leaf(t, 1.0, 2.0)
    edge = t.autograd.graph.get_gradient_edge(x * 2)
    t.autograd.backward(edge, t.ones(2))
    return x.grad


@program
def edge_before_a_write(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    edge = t.autograd.graph.get_gradient_edge(y)
    y.mul_(3)
    return t.autograd.grad(y.sum(), edge)


@program
def edge_of_a_constant(t):
    t.autograd.graph.get_gradient_edge(t.ones(2))


@program
def old_name_of_gradients(t):
    x = leaf(t, 1.0, 2.0)
    t.autograd.backward(x * 2, grad_variables=t.ones(2))
    return x.grad


@program
def both_names_of_gradients(t):
    t.autograd.backward(leaf(t, 1.0) * 2, grad_tensors=t.ones(1), grad_variables=t.ones(1))


@program
def batch_of_gradients(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    return t.autograd.grad(
        [x * w, (x + w).sum()], [x, w], [t.eye(2), t.ones(2)], is_grads_batched=True
    )


@program
def batch_with_unused_inputs(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    return t.autograd.grad(x**2, [x, w], t.eye(2), is_grads_batched=True, allow_unused=True)


@program
def batches_of_different_sizes(t):
    x, w = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    try:
        t.autograd.grad([x * w, x + w], [x], [t.eye(2), t.ones(3, 2)], is_grads_batched=True)
    except ValueError:
        return "refused"


@program
def inputs_that_are_no_leaves(t):
    x = leaf(t, 1.0, 2.0)
    z = x * x
    t.autograd.backward(z.sum(), inputs=[z])
    return z.grad, x.grad


@program
def requires_grad_is_a_bool(t):
    x = leaf(t, 1.0)
    x.requires_grad = 1


@program
def versions(t):
    x = t.ones(3)
    seen = [x._version]
    for change in (
        lambda: x.add_(1),
        lambda: x[0].mul_(2),
        lambda: x.detach().zero_(),
        lambda: x.data.add_(1),
        lambda: x.__setitem__(0, 5.0),
        lambda: x.view(3, 1).fill_(2),
        lambda: t.add(x, 1, out=x),
        lambda: x.copy_(t.ones(3)),
        lambda: t.autograd.graph.increment_version(x),
        lambda: t.autograd.graph.increment_version([x, x[:1]]),
    ):
        change()
        seen.append(x._version)
    return seen, x.clone()._version


@program
def saved_result_written(t):
    y = exponential(t).apply(leaf(t, 1.0, 2.0))
    y.mul_(2)
    y.sum().backward()


@program
def saved_argument_written(t):
    a = leaf(t, 1.0, 2.0) * 1
    y = square(t).apply(a)
    a.add_(1)
    y.sum().backward()


@program
def multithreading(t):
    seen = [t.autograd.is_multithreading_enabled()]
    with t.autograd.set_multithreading_enabled(False):
        seen.append(t.autograd.is_multithreading_enabled())
    return [*seen, t.autograd.is_multithreading_enabled()]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)


TWICE = {
    "add": lambda lib, x: lib.add(x, x, alpha=2),
    "sub": lambda lib, x: lib.sub(x, x, alpha=3.5),
    "rsub": lambda lib, x: lib.rsub(x, x, alpha=3),
    "deg2rad": lambda lib, x: lib.deg2rad(x),
    "rad2deg": lambda lib, x: lib.rad2deg(x),
    "trapezoid": lambda lib, x: lib.trapezoid(x, dx=2.0),
    "cumulative_trapezoid": lambda lib, x: lib.cumulative_trapezoid(x, dx=2.0),
    "addmm": lambda lib, x: lib.addmm(x, lib.ones(2, 2), lib.ones(2, 2), alpha=2, beta=3),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_second_backward_pass_needs_nothing_of_numbers(torch, name):
    found = []
    for lib in (torch, flambeau):
        x = lib.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
        y = TWICE[name](lib, x)
        out = y.sum()
        out.backward()
        out.backward()
        found.append((y.detach().numpy(), x.grad.numpy()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-6)


@pytest.mark.parametrize("name", ["geqrf", "ldl_factor"])
def test_what_has_no_derivative_says_so_in_the_backward_pass(torch, name):
    for lib in (torch, flambeau):
        x = lib.tensor([[4.0, 1.0], [1.0, 3.0]], requires_grad=True)
        factor = getattr(lib if name == "geqrf" else lib.linalg, name)
        y = factor(x)[0] + x
        assert y.tolist() is not None
        with pytest.raises(RuntimeError, match="is not implemented"):
            y.sum().backward()
