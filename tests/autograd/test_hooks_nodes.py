"""Hooks of graph nodes, and of several tensors, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


# Hooks of nodes


@program
def hook_of_a_node(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    log = []
    z = x * y
    z.grad_fn.register_hook(lambda inputs, outputs: log.append((inputs, outputs)))
    (z * 2).sum().backward()
    return log, x.grad


@program
def hook_of_a_node_that_changes_gradients(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    z = x * y
    z.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10, inputs[1] * 100))
    z.sum().backward()
    return x.grad, y.grad


@program
def hook_before_a_node(t):
    x = leaf(t, 1.0, 2.0)
    z = x.exp()
    log = []
    z.grad_fn.register_prehook(lambda outputs: log.append(outputs))
    z.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    z.sum().backward()
    return log, x.grad


@program
def hook_of_a_node_after_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    z = x.exp()
    z.sum().item()
    z.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
    z.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] + 1,))
    (z * z).sum().backward()
    return x.grad


@program
def hook_of_a_node_removed(t):
    x = leaf(t, 1.0, 2.0)
    z = x.exp()
    handle = z.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10,))
    handle.remove()
    z.sum().backward()
    return x.grad


@program
def hook_of_the_node_of_a_leaf(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    node = x.view_as(x).grad_fn.next_functions[0][0]
    node.register_hook(lambda inputs, outputs: log.append((inputs, outputs)))
    node.register_prehook(lambda outputs: (outputs[0] * 10,))
    (x * x).sum().backward()
    return log, x.grad


@program
def hooks_of_tensor_and_node(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    z = x * 3
    z.register_hook(lambda g: log.append("tensor"))
    z.grad_fn.register_prehook(lambda outputs: log.append("before"))
    z.grad_fn.register_hook(lambda inputs, outputs: log.append("after"))
    z.sum().backward()
    return log


@program
def hook_of_the_node_of_a_function(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t, 1.0, 2.0)
    log = []
    z = Double.apply(x)
    z.grad_fn.register_hook(lambda inputs, outputs: log.append((inputs, outputs)))
    (z * z).sum().backward()
    return log, x.grad


@program
def multi_grad_hook(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    log = []
    h, k = x * x, y * y
    handle = t.autograd.graph.register_multi_grad_hook((h, k), lambda grads: log.append(grads))
    y = (h * k).sum()
    y.backward(retain_graph=True)
    handle.remove()
    y.backward()
    return log


@program
def multi_grad_hook_any(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    log = []
    h, k = x * 2, y * 2
    t.autograd.graph.register_multi_grad_hook((h, k), lambda g: log.append(g), mode="any")
    (h + k).sum().backward()
    (h + k).sum().backward()
    return log


@program
def multi_grad_hook_with_one_unused(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    log = []
    h, k = x * 2, y * 2
    t.autograd.graph.register_multi_grad_hook((h, k), lambda grads: log.append(grads))
    h.sum().backward()
    return log


@program
def multi_grad_hook_of_an_unknown_mode(t):
    t.autograd.graph.register_multi_grad_hook((leaf(t, 1.0),), print, mode="some")


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
