"""`backward` and `grad`, as in torch: each program runs in both libraries."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


# Accumulation


@program
def backward_twice_on_two_graphs_accumulates(t):
    x = leaf(t, 1.0, 2.0)
    for k in range(3):
        (x * x * (k + 1)).sum().backward()
    return x.grad


@program
def the_same_grad_object_is_accumulated_into(t):
    x = leaf(t, 1.0, 2.0)
    (x * 2).sum().backward()
    seen = x.grad
    (x * 3).sum().backward()
    return seen is x.grad, seen


@program
def with_create_graph_the_grad_is_another_object(t):
    x = leaf(t, 1.0, 2.0)
    (x * 2).sum().backward()
    seen = x.grad
    (x**3).sum().backward(create_graph=True)
    return seen is x.grad, seen, x.grad


@program
def grad_set_to_none_and_zeroed(t):
    x = leaf(t, 1.0, 2.0)
    (x * 2).sum().backward()
    x.grad = None
    (x * 3).sum().backward()
    first = x.grad.clone()
    x.grad.zero_()
    (x * 5).sum().backward()
    return first, x.grad


@program
def grad_written_by_the_user(t):
    x = leaf(t, 1.0, 2.0)
    x.grad = t.tensor([10.0, 20.0])
    (x * x).sum().backward()
    return x.grad


@program
def grads_of_two_leaves_do_not_share(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    (x + y).sum().backward()
    x.grad.add_(1)
    return x.grad, y.grad


@program
def the_gradient_given_is_not_aliased(t):
    x = leaf(t, 1.0, 2.0)
    g = t.tensor([1.0, 1.0])
    x.clone().backward(g)
    x.grad.mul_(7)
    return g, x.grad


@program
def a_leaf_that_is_its_own_root(t):
    x = leaf(t, 3.0).sum().detach().requires_grad_()
    x.backward()
    x.backward()
    return x.grad


@program
def one_leaf_many_times(t):
    x = leaf(t, 0.5, 1.5)
    ((x + x) * x - x / x + x).sum().backward()
    return x.grad


@program
def unused_leaf_has_no_grad(t):
    x, y = leaf(t, 1.0), leaf(t, 2.0)
    (x * 3).sum().backward()
    return x.grad, y.grad


@program
def constant_zero_gradient(t):
    x = leaf(t, 1.0, -2.0)
    (x.sign() * 0 + x.round()).sum().backward()
    return x.grad


# Roots


@program
def several_roots(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    a, b = (x * y).sum(), x * 3
    t.autograd.backward([a, b], [None, t.tensor([1.0, 10.0])])
    return x.grad, y.grad


@program
def the_same_root_twice(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    t.autograd.backward([y, y])
    return x.grad


@program
def a_root_behind_another(t):
    x = leaf(t, 1.0, 2.0)
    a = x * x
    b = (a * 3).sum()
    t.autograd.backward([a.sum(), b], inputs=[x])
    return x.grad


@program
def roots_with_and_without_graph(t):
    x = leaf(t, 1.0, 2.0)
    t.autograd.backward([(x * 2).sum(), t.tensor(1.0)])
    return x.grad


@program
def root_is_a_leaf_among_others(t):
    x = leaf(t, 1.0, 2.0)
    t.autograd.backward([x, (x * 3).sum()], [t.tensor([5.0, 6.0]), None])
    return x.grad


@program
def vector_root_needs_a_gradient(t):
    (leaf(t, 1.0, 2.0) * 2).backward()


@program
def one_element_root_of_two_dims(t):
    x = leaf(t, 3.0)
    (x * 2).reshape(1, 1).backward()
    return x.grad


@program
def gradient_of_another_shape(t):
    (leaf(t, 1.0, 2.0) * 2).backward(t.ones(3))


@program
def gradient_that_would_broadcast(t):
    (leaf(t, 1.0, 2.0) * 2).backward(t.ones(1))


@program
def gradient_of_another_dtype(t):
    x = leaf(t, 1.0, 2.0)
    (x * 2).backward(t.ones(2, dtype=t.float64))
    return x.grad


@program
def no_graph_at_all(t):
    t.ones(2).sum().backward()


@program
def no_graph_in_grad(t):
    x = leaf(t, 1.0)
    t.autograd.grad(t.ones(2).sum(), x)


@program
def counts_that_differ(t):
    x = leaf(t, 1.0, 2.0)
    t.autograd.backward([x.sum(), x.prod()], [None])


@program
def empty_root(t):
    x = t.zeros(0, 3, requires_grad=True)
    (x * 2).sum().backward()
    return x.grad


# Inputs, unused ones


@program
def only_some_inputs(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    (x * y).sum().backward(inputs=[x])
    return x.grad, y.grad


@program
def one_input_that_is_no_list(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    (x * y).sum().backward(inputs=y)
    return x.grad, y.grad


@program
def empty_inputs(t):
    x = leaf(t, 1.0, 2.0)
    x.sum().backward(inputs=[])


@program
def inputs_that_are_no_leaves(t):
    x = leaf(t, 1.0, 2.0)
    h = x * 3
    (h * h).sum().backward(inputs=[h])
    return x.grad, h.grad


@program
def inputs_unused(t):
    x, y = leaf(t, 1.0), leaf(t, 2.0)
    (x * x).sum().backward(inputs=[x, y])
    return x.grad, y.grad


@program
def inputs_without_grad(t):
    x, y = leaf(t, 1.0), t.tensor([1.0])
    (x * y).sum().backward(inputs=[y])


@program
def grad_of_unused(t):
    x, y = leaf(t, 1.0), leaf(t, 2.0)
    t.autograd.grad((x * x).sum(), [x, y])


@program
def grad_allow_unused(t):
    x, y = leaf(t, 1.0), leaf(t, 2.0)
    return t.autograd.grad((x * x).sum(), [x, y], allow_unused=True)


@program
def grad_materialize(t):
    x, y = leaf(t, 1.0), leaf(t, 2.0, dtype="float64")
    return t.autograd.grad((x * x).sum(), [x, y], materialize_grads=True)


@program
def grad_materialize_against_allow_unused(t):
    x = leaf(t, 1.0)
    return t.autograd.grad((x * x).sum(), [x], allow_unused=False, materialize_grads=True)


@program
def grad_of_something_without_grad(t):
    x, y = leaf(t, 1.0), t.tensor([2.0])
    t.autograd.grad((x * y).sum(), [y])


@program
def grad_of_inner_values(t):
    x = leaf(t, 1.0, 2.0)
    a = x * x
    b = a.exp()
    return t.autograd.grad(b.sum(), [b, a, x]), x.grad


@program
def grad_by_the_root_itself(t):
    x = leaf(t, 1.0, 2.0)
    y = x * x
    return t.autograd.grad(y, y, t.tensor([3.0, 4.0]))


@program
def grad_by_the_same_input_twice(t):
    x = leaf(t, 1.0, 2.0)
    return t.autograd.grad((x * x).sum(), [x, x])


@program
def grad_of_several_outputs(t):
    x = leaf(t, 1.0, 2.0)
    return t.autograd.grad([(x * x).sum(), x * 2], x, [None, t.tensor([1.0, 5.0])])


@program
def grad_does_not_touch_grad(t):
    x = leaf(t, 1.0, 2.0)
    (x * 2).sum().backward()
    t.autograd.grad((x * x).sum(), x)
    return x.grad


@program
def a_use_after_the_input_counts_no_more(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    kept = h
    h = h + 1
    y = (h * kept).sum()
    return t.autograd.grad(y, [h, kept, x])


@program
def grad_batched(t):
    x = leaf(t, 1.0, 2.0)
    return t.autograd.grad(x * x, x, t.eye(2), is_grads_batched=True)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
