"""Hooks after accumulation, and gradients that tensors retain, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def after_accumulation(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    x.register_post_accumulate_grad_hook(lambda p: log.append((p is x, p.grad.clone())))
    (x * x).sum().backward()
    (x * 3).sum().backward()
    return log


@program
def optimizer_in_the_backward_pass(t):
    w = [leaf(t, 1.0, 2.0), leaf(t, 0.5, 0.1)]

    def step(p):
        with t.no_grad():
            p -= 0.1 * p.grad
        p.grad = None

    for p in w:
        p.register_post_accumulate_grad_hook(step)
    for _ in range(4):
        ((w[0] * w[1]).tanh() - 1).pow(2).sum().backward()
    return w, [p.grad for p in w]


@program
def after_accumulation_removed(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    with x.register_post_accumulate_grad_hook(lambda p: log.append(1)):
        x.sum().backward()
    x.sum().backward()
    return log


@program
def after_accumulation_in_grad(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    x.register_post_accumulate_grad_hook(lambda p: log.append(1))
    t.autograd.grad(x.sum(), x)
    return log


@program
def after_accumulation_of_a_result(t):
    (leaf(t, 1.0) * 2).register_post_accumulate_grad_hook(lambda p: None)


@program
def after_accumulation_of_a_constant(t):
    t.ones(2).register_post_accumulate_grad_hook(lambda p: None)


@program
def both_kinds_of_hooks_of_a_leaf(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    x.register_post_accumulate_grad_hook(lambda p: log.append(("after", p.grad.clone())))
    x.register_hook(lambda g: log.append(("before", g)))
    (x * x).sum().backward()
    return log


# retain_grad


@program
def retained(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.retain_grad()
    h.retain_grad()
    (h * h).sum().backward()
    return h.retains_grad, x.retains_grad, h.grad, x.grad


@program
def retained_accumulates(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.retain_grad()
    y = (h * h).sum()
    y.backward(retain_graph=True)
    y.backward()
    return h.grad


@program
def retained_after_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.sum().item()
    h.retain_grad()
    y = (h * h).sum()
    y.item()
    y.backward()
    return h.grad, x.grad


@program
def retained_root(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.retain_grad()
    y.backward()
    return y.grad


@program
def retained_and_hooked(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.retain_grad()
    h.register_hook(lambda g: g * 10)
    h.sum().backward()
    return h.grad, x.grad


@program
def hooked_and_retained(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.register_hook(lambda g: g * 10)
    h.retain_grad()
    h.sum().backward()
    return h.grad, x.grad


@program
def retained_before_an_in_place_change(t):
    x = leaf(t, 1.0, 2.0)
    h = x * 2
    h.retain_grad()
    h.mul_(3)
    (h * h).sum().backward()
    return h.grad, x.grad


@program
def retained_with_create_graph(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.retain_grad()
    (h * h).sum().backward(create_graph=True)
    g = h.grad
    x.grad = None
    g.sum().backward()
    return g, x.grad


@program
def retained_by_grad(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.retain_grad()
    t.autograd.grad((h * 3).sum(), x)
    return h.grad


@program
def retained_of_a_constant(t):
    t.ones(2).retain_grad()


@program
def not_retained(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.sum().backward()
    return h.grad


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
