"""Leaves, and what cuts or changes the graph above them, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


# Values that change between forward and backward


@program
def operand_without_gradient_changes_in_between(t):
    x, c = leaf(t, 1.0, 2.0), t.tensor([3.0, 4.0])
    y = (x + c).sum()
    c.add_(100)
    y.backward()
    return x.grad


@program
def in_place_operations_chain(t):
    x = leaf(t, 1.0, 2.0)
    y = x * 2
    y.add_(1).mul_(3)
    y += x
    (y * y).sum().backward()
    return x.grad


@program
def in_place_activation(t):
    x = leaf(t, -1.0, 2.0)
    y = (x * 2).relu_()
    z, w, v = (x * 3).sigmoid_(), (x * 3).tanh_(), (x * 3).exp_()
    (y * z + w * v).sum().backward()
    return x.grad


@program
def in_place_on_a_part(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x * 2
    y[1] = 7.0
    y[2:] *= x[0]
    (y * t.tensor([1.0, 10.0, 100.0])).sum().backward()
    return x.grad


@program
def in_place_on_a_view_and_its_base(t):
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    y = x * 1
    v = y.view(2, 2)
    v[0].mul_(3)
    v.add_(x.view(2, 2))
    y[3:].exp_()
    return y, v, t.autograd.grad((v * y.view(2, 2)).sum(), x)


@program
def in_place_across_a_sync_point(t):
    x = leaf(t, 1.0, 2.0, 3.0, 4.0)
    y = x * 1
    v = y.view(2, 2)
    y.sum().item()
    v[0].mul_(3)
    y.sum().item()
    y[3:].exp_()
    y.sum().item()
    (v * v).sum().backward()
    return y, x.grad


@program
def in_place_makes_a_constant_part_of_the_graph(t):
    x = leaf(t, 1.0, 2.0)
    buffer = t.zeros(2, 2)
    for k in range(2):
        buffer[k] = x * (k + 1)
    out = buffer.requires_grad, buffer.is_leaf
    (buffer**2).sum().backward()
    return out, x.grad


@program
def the_leaf_is_updated_without_gradients(t):
    x = leaf(t, 1.0, 2.0)
    y = (x + 3).sum()
    with t.no_grad():
        x.mul_(10)
    y.backward()
    return x, x.grad


@program
def the_leaf_is_updated_through_data(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * 3).sum()
    x.data.mul_(10)
    y.backward()
    return x, x.grad


# Detach


@program
def detach_cuts(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    (y * y.detach()).sum().backward()
    return x.grad, y.detach()


@program
def detach_in_place_cuts_and_makes_a_leaf(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    y.detach_()
    return y, y.is_leaf, y.requires_grad, y.grad_fn


@program
def detach_in_place_keeps_what_was_recorded(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    z = (y * 3).sum()
    y.detach_()
    z.backward()
    return x.grad, y


@program
def detach_in_place_after_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    z = (y * 3).sum()
    z.item()
    y.detach_()
    y.requires_grad_()
    (y * 2).sum().backward()
    z.backward()
    return x.grad, y.grad


@program
def truncated_backpropagation(t):
    w = leaf(t, 0.5)
    h = t.ones(1)
    for _ in range(4):
        h = h.detach()
        for _ in range(3):
            h = (h * w).tanh() + w
        h.sum().backward()
    return w.grad


@program
def write_to_a_detached_tensor_is_seen(t):
    x = leaf(t, 1.0, 2.0)
    d = x.detach()
    d.zero_()
    return x, d


# requires_grad


@program
def requires_grad_of_results(t):
    x, c = leaf(t, 1.0), t.ones(1)
    rows = [x * c, c * c, x.detach(), x > 0, x.argmax(), x.round(), x.long(), x.clone(), x[0]]
    rows += [t.zeros_like(x), t.ones(1, requires_grad=True) * c, x.data, t.empty_like(x) * 0]
    return [(r.requires_grad, r.is_leaf, r.grad_fn is None) for r in rows]


@program
def requires_grad_of_integers(t):
    t.tensor([1, 2]).requires_grad_()


@program
def requires_grad_of_integers_when_made(t):
    t.tensor([1, 2], requires_grad=True)


@program
def requires_grad_of_integers_by_a_factory(t):
    t.zeros(2, dtype=t.int64, requires_grad=True)


@program
def requires_grad_of_integers_by_the_attribute(t):
    x = t.tensor([1, 2])
    x.requires_grad = True


@program
def requires_grad_of_bools_is_refused_but_false_is_not(t):
    x = t.tensor([True])
    x.requires_grad_(False)
    x.requires_grad_()


@program
def requires_grad_off_for_a_result(t):
    y = leaf(t, 1.0) * 2
    y.requires_grad = False


@program
def requires_grad_off_for_a_result_by_the_method(t):
    y = leaf(t, 1.0) * 2
    y.requires_grad_(False)


@program
def requires_grad_on_for_a_result(t):
    y = (leaf(t, 1.0) * 2).requires_grad_()
    return y.is_leaf, y.requires_grad


@program
def requires_grad_off_and_on(t):
    x = leaf(t, 1.0, 2.0)
    a = x * 2
    x.requires_grad_(False)
    b = x * 3
    x.requires_grad_(True)
    (a + b + x * 5).sum().backward()
    return x.grad, b.requires_grad


@program
def requires_grad_of_a_leaf_after_use(t):
    x = t.tensor([1.0, 2.0])
    a = x * x
    x.requires_grad_()
    (a + x * x).sum().backward()
    return x.grad, a.requires_grad


@program
def requires_grad_of_a_view_of_a_constant(t):
    x = t.ones(2, 2)
    row = x[0].requires_grad_()
    (row * 3).sum().backward()
    return row.grad, x.requires_grad, row.is_leaf, row


@program
def the_grad_of_a_view_is_its_own(t):
    x = leaf(t, 1.0, 2.0)
    v = x.view(2)
    v.retain_grad()
    (v * 3 + x).sum().backward()
    return x.grad, v.grad


# Grads that users assign


def refused(x, grad):
    """The kind of error that an assignment to `.grad` ends with."""
    try:
        x.grad = grad
    except (RuntimeError, TypeError) as error:
        return type(error).__name__, x.grad


@program
def assigned_grad_of_another_shape(t):
    return refused(leaf(t, 1.0, 2.0), t.ones(3))


@program
def assigned_grad_of_another_dtype(t):
    return refused(leaf(t, 1.0, 2.0), t.ones(2, dtype=t.float64))


@program
def assigned_grad_that_is_no_tensor(t):
    return refused(leaf(t, 1.0, 2.0), 1.0)


@program
def grad_deleted(t):
    x = leaf(t, 1.0, 2.0)
    x.sum().backward()
    del x.grad
    return x.grad


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
