"""Hooks of tensors, as in torch."""

import contextlib

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def hook_of_a_leaf(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    x.register_hook(lambda g: log.append(g))
    (x * x).sum().backward()
    (x * 3).sum().backward()
    return log, x.grad


@program
def hook_of_a_leaf_that_changes_the_gradient(t):
    x = leaf(t, 1.0, 2.0)
    x.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    (x * x).sum().backward()
    return x.grad


@program
def hook_of_a_leaf_sees_the_sum_of_all_ways(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    x.register_hook(lambda g: log.append(g))
    h = x.exp()
    h.sum().item()
    (h * x + x).sum().backward()
    return log


@program
def hook_of_a_result(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    h = x * x
    h.register_hook(lambda g: log.append(g))
    h.register_hook(lambda g: g * 2)
    (h * h + h).sum().backward()
    return log, x.grad


@program
def hook_of_the_root(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.register_hook(lambda g: g * 5)
    y.backward()
    return x.grad


@program
def hook_after_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.sum().item()
    h.register_hook(lambda g: g * 3)
    y = (h * h).sum()
    y.item()
    y.backward()
    return x.grad


@program
def hook_before_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.register_hook(lambda g: g * 3)
    y = (h * h).sum()
    y.item()
    y.backward()
    return x.grad


@program
def hook_that_syncs(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    h = x * x
    h.register_hook(lambda g: log.append(g.sum().item()))
    x.register_hook(lambda g: log.append(g.tolist()))
    (h.exp() * x).sum().backward()
    return log, x.grad


@program
def hook_that_syncs_where_values_were_not_kept(t):
    x, c = leaf(t, 1.0, 2.0), t.tensor([3.0, 4.0])
    log = []
    h = c * (x + 1)
    h.register_hook(lambda g: log.append(g.sum().item()))
    k = h * (c + 1)
    k.sum().item()
    (k * c).sum().backward()
    x.register_hook(lambda g: log.append(g.sum().item()))
    t.autograd.grad((x * c).sum() * 2, x)
    return log, x.grad


@program
def hook_that_branches_on_data(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.register_hook(lambda g: g * 0.1 if g.norm() > 2 else g)
    (h * 3).sum().backward()
    (x * x * 0.1).sum().backward()
    return x.grad


@program
def hook_in_a_loop_changes_its_number(t):
    x = leaf(t, 1.0, 2.0)
    out = []
    for k in range(5):
        x.grad = None
        h = x * x
        h.register_hook(lambda g, k=k: g * (k + 1))
        (h * x).sum().backward()
        out.append(x.grad)
    return out


@program
def hook_removed(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    handles = [v.register_hook(lambda g: g * 10) for v in (x, h)]
    for handle in handles:
        handle.remove()
        handle.remove()
    h.sum().backward()
    return x.grad


@program
def hook_removed_by_with(t):
    x = leaf(t, 1.0, 2.0)
    with x.register_hook(lambda g: g * 10):
        x.sum().backward()
    x.sum().backward()
    return x.grad


@program
def hook_that_removes_itself(t):
    x = leaf(t, 1.0, 2.0)
    log = []

    def hook(g):
        log.append(1)
        handle.remove()

    handle = x.register_hook(hook)
    x.register_hook(lambda g: log.append(2))
    x.sum().backward()
    x.sum().backward()
    return log


@program
def hook_in_grad(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    x.register_hook(lambda g: g * 10)
    h.register_hook(lambda g: g + 1)
    return t.autograd.grad((h * 2).sum(), [x]), t.autograd.grad((x * 2).sum(), x)


@program
def captured_gradient_and_hook(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    h.register_hook(lambda g: g * 10)
    return t.autograd.grad((h * 2).sum(), [h])


@program
def hook_of_a_leaf_that_is_not_asked_for(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    log = []
    x.register_hook(lambda g: log.append("x"))
    y.register_hook(lambda g: log.append("y"))
    t.autograd.grad((x * y).sum(), x)
    (x * y).sum().backward(inputs=[y])
    return log


@program
def hook_of_an_unused_result(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    h = x * 2
    h.register_hook(lambda g: log.append(g))
    (x * 3).sum().backward()
    return log, x.grad


@program
def hook_with_create_graph(t):
    x = leaf(t, 1.0, 2.0, dtype="float64")
    h = x * x
    h.register_hook(lambda g: g * g)
    (g,) = t.autograd.grad((h * h).sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x)


@program
def hook_sees_the_grad_mode(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    x.register_hook(lambda g: log.append((t.is_grad_enabled(), g.requires_grad)))
    (x * x).sum().backward()
    (x * x * x).sum().backward(create_graph=True)
    return log


@program
def hook_returns_another_shape(t):
    x = leaf(t, 1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    x.sum().backward()


@program
def hook_returns_another_dtype(t):
    x = leaf(t, 1.0, 2.0)
    h = x * 2
    h.register_hook(lambda g: g.double())
    h.sum().backward()
    return x.grad


@program
def hook_returns_no_tensor(t):
    x = leaf(t, 1.0, 2.0)
    x.register_hook(lambda g: 3.0)
    x.sum().backward()


@program
def hook_changes_the_gradient_in_place(t):
    x = leaf(t, 1.0, 2.0)
    h = x * 2
    h.register_hook(lambda g: g.mul_(10))
    (h * h).sum().backward()
    return x.grad


@program
def hook_raises(t):
    x = leaf(t, 1.0, 2.0)

    def hook(g):
        raise ValueError("mine")

    handle = x.register_hook(hook)
    with contextlib.suppress(ValueError):
        (x * x).sum().backward()
    handle.remove()
    mode = t.is_grad_enabled()
    x.grad = None
    (x * 3).sum().backward()
    return mode, x.grad


@program
def hook_of_a_constant(t):
    t.ones(2).register_hook(lambda g: g)


@program
def hook_after_an_in_place_change(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    h = x * 2
    h.register_hook(lambda g: log.append(("before", g)))
    h.mul_(3)
    h.register_hook(lambda g: log.append(("after", g)))
    h.sum().backward()
    return log, x.grad


@program
def hook_of_a_view(t):
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    log = []
    h = x * 2
    v = h.view(2, 2)
    v.register_hook(lambda g: log.append(g))
    row = v[0]
    row.register_hook(lambda g: g * 10)
    (row.sum() + (v * v).sum()).backward()
    return log, x.grad


@program
def order_of_hooks(t):
    x = leaf(t, 1.0, 2.0)
    log = []
    a = x * 2
    b = a.exp()
    c = a + b
    for name, v in (("x", x), ("a", a), ("b", b), ("c", c)):
        v.register_hook(lambda g, name=name: log.append(name))
        v.register_hook(lambda g, name=name: log.append(name + "2"))
    c.sum().backward()
    return log


@program
def hook_of_every_layer_twice(t):
    w = [leaf(t, 0.1 * k, 0.2) for k in range(3)]
    log = []
    for _ in range(2):
        h = t.ones(2)
        for v in w:
            h = (h * v).tanh()
            h.register_hook(lambda g: log.append(g))
        h.sum().backward()
    return log, [v.grad for v in w]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
