"""Gradients through in-place changes and views, as in torch."""

import pytest

from .cases import Cases, both, same_each_time

CASES = Cases()
case = CASES.add


@case
def gradient_of_in_place(t):
    x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x * 2
    y.mul_(x)
    y[1] = 0
    y += 1
    y.sum().backward()
    return x.grad, y


@case
def gradient_through_written_view(t):
    x = t.ones(2, 3, requires_grad=True)
    y = t.zeros(2, 3)
    y[0] = x[1] * 3
    view = y[:, 1]
    view.mul_(2)
    (y * y).sum().backward()
    return x.grad, y, view


@case
def a_view_made_before_sees_the_gradient(t):
    w = t.tensor([2.0, 3.0], requires_grad=True)
    base = t.zeros(4)
    view = base[1:3]
    base[1:3] = w * w
    view.sum().backward()
    return w.grad, view, base


@case
def base_after_a_write_to_its_view(t):
    w = t.ones(3, requires_grad=True)
    base = w * 2
    base.view(3, 1)[1:].mul_(5)
    base.sum().backward()
    return w.grad


@case
def write_through_transposed_view(t):
    w = t.ones(2, 3, requires_grad=True)
    base = w * 1
    base.t()[1].mul_(w[:, 0] * 4)
    (base * t.arange(6.0).reshape(2, 3)).sum().backward()
    return w.grad


@case
def write_through_a_detached_alias(t):
    w = t.ones(3, requires_grad=True)
    x = w * 2
    d = x.detach()
    d[0] = 10
    x.sum().backward()
    return w.grad, x, d


@case
def write_to_a_part_of_a_detached_alias(t):
    w = t.ones(4, requires_grad=True)
    d = (w * 2).detach()[1:]
    d[:2] = w[:2] * 3
    d.sum().backward()
    return w.grad, d


@case
def write_twice_into_a_part(t):
    w = t.ones(4, requires_grad=True)
    d = t.zeros(6).detach()[1:]
    d[:2] = w[:2] * 3
    d[1:3] = w[2:] * 5
    (d * t.arange(5.0)).sum().backward()
    return w.grad, d


@case
def untracked_write_keeps_the_gradient(t):
    w = t.ones(3, requires_grad=True)
    y = w * 2
    with t.no_grad():
        y.add_(5)
    y.sum().backward()
    return w.grad, y


@case
def untracked_write_to_a_leaf(t):
    w = t.ones(3, requires_grad=True)
    view = w[1:]
    with t.no_grad():
        w -= 0.5
        w[0] = 9
    (w * w).sum().backward()
    return w, w.grad, view


@case
def leaf_in_place(t):
    return t.ones(3, requires_grad=True).add_(1)


@case
def view_of_a_leaf_in_place(t):
    return t.ones(3, requires_grad=True)[1:].add_(1)


@case
def leaf_item_assignment(t):
    x = t.ones(3, requires_grad=True)
    x[0] = 2.0
    return x


@case
def view_made_without_gradients(t):
    x = t.ones(3, requires_grad=True) * 1
    with t.no_grad():
        view = x[1:]
    view += t.ones(2, requires_grad=True)
    return x


@case
def detach_in_place(t):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    z = y * 3
    y.detach_()
    z.sum().backward()
    return x.grad, y


@case
def detach_a_view_in_place(t):
    return (t.ones(3, requires_grad=True) * 2)[1:].detach_()


@case
def requires_grad_in_the_middle(t):
    x = t.ones(3)
    y = x * 2
    x.requires_grad_()
    z = x * 3
    (y + z).sum().backward()
    return x.grad


@case
def zero_cuts_the_gradient(t):
    x = t.ones(3, requires_grad=True)
    y = x * 2
    y.zero_()
    y[1] = x[0]
    y.sum().backward()
    return x.grad


@case
def accumulate_into_a_buffer(t):
    w = t.ones(2, requires_grad=True)
    out = t.zeros(3, 2)
    for k in range(3):
        out[k] = w * k
    out.sum().backward()
    return w.grad, out.requires_grad


@case
def gradient_across_a_sync_point(t):
    w = t.ones(2, requires_grad=True)
    y = w * 3
    y.tolist()
    y[0] *= 2
    y.tolist()
    y.add_(w)
    y.tolist()
    y.sum().backward()
    return w.grad


@case
def sgd_by_hand(t):
    w = t.tensor([1.0, -2.0], requires_grad=True)
    for _ in range(4):
        loss = (w * w).sum()
        loss.backward()
        with t.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w, w.grad


@case
def grad_is_a_tensor_like_others(t):
    w = t.ones(3, requires_grad=True)
    (w * 2).sum().backward()
    kept = w.grad
    (w * 3).sum().backward()
    w.grad[0] = 0
    return kept, w.grad is kept


@pytest.mark.parametrize("name", CASES)
def test_as_in_torch(torch, name):
    both(torch, CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_the_second_time(name):
    same_each_time(CASES[name])
