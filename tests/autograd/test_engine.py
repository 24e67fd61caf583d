"""`backward` and `grad`, as in torch: each program runs in both libraries."""

import pytest

PROGRAMS = []


def program(f):
    PROGRAMS.append(f)
    return f


def leaf(t, *values, dtype="float32"):
    """A leaf vector that requires a gradient."""
    return t.tensor(list(values), dtype=getattr(t, dtype), requires_grad=True)


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


# Graphs that are freed, and that are kept


@program
def second_backward(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    y.backward()


@program
def second_backward_of_what_saves_nothing(t):
    x = leaf(t, 1.0, 2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    return x.grad


@program
def second_backward_across_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.item()
    y.backward()
    y.backward()


@program
def retain_graph(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@program
def retain_graph_across_a_sync_point(t):
    x = leaf(t, 1.0, 2.0)
    y = (x * x.exp()).sum()
    y.item()
    y.backward(retain_graph=True)
    x.grad.tolist()
    y.backward()
    return x.grad


@program
def shared_trunk_is_freed(t):
    x = leaf(t, 1.0, 2.0)
    h = x.exp()
    a, b = h.sum(), (h * h).sum()
    a.backward()
    b.backward()


@program
def shared_trunk_is_kept(t):
    x = leaf(t, 1.0, 2.0)
    h = x.exp()
    a, b = h.sum(), (h * h).sum()
    a.backward(retain_graph=True)
    b.backward()
    return x.grad


@program
def shared_trunk_across_sync_points(t):
    x = leaf(t, 1.0, 2.0)
    h = x.exp()
    h.sum().item()
    a, b = h.sum(), (h * h).sum()
    b.item()
    a.backward(retain_graph=True)
    b.backward()
    return x.grad


@program
def a_way_that_was_freed_is_not_needed(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    h = x * x
    t.autograd.grad(h.sum(), x)
    return t.autograd.grad((h * y).sum(), y)


@program
def grad_frees_only_the_way_to_its_inputs(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    a, b = x * x, y * y
    z = (a + b).sum()
    first = t.autograd.grad(z, x)
    second = t.autograd.grad(b.sum(), y)
    return first, second


@program
def create_graph_keeps_the_graph(t):
    x = leaf(t, 1.0, 2.0)
    y = (x**3).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    y.backward()
    return g, x.grad


@program
def create_graph_without_retain(t):
    x = leaf(t, 1.0, 2.0)
    y = (x**3).sum()
    t.autograd.grad(y, x, create_graph=True, retain_graph=False)
    y.backward()


# Higher derivatives


@program
def second_derivative(t):
    x = leaf(t, 0.5, 2.0, dtype="float64")
    (g,) = t.autograd.grad((x**4).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x)
    return g, h


@program
def third_derivative(t):
    x = leaf(t, 0.5, 2.0, dtype="float64")
    y = (x.sin() * x.exp()).sum()
    out = []
    for _ in range(3):
        (y,) = t.autograd.grad(y, x, create_graph=True)
        out.append(y)
        y = y.sum()
    return out


@program
def third_derivative_with_sync_points(t):
    x = leaf(t, 0.5, 2.0, dtype="float64")
    y = (x.sin() * x.exp()).sum()
    out = []
    for _ in range(3):
        y.item()
        (y,) = t.autograd.grad(y, x, create_graph=True)
        out.append(y.tolist())
        y = y.sum()
    return out


@program
def double_backward_into_grad(t):
    x = leaf(t, 0.5, 2.0)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    (first * first).sum().backward()
    return first, x.grad


@program
def gradient_penalty(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    w = leaf(t, 0.1, 0.2, 0.3)
    y = (x * w).tanh().sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    (y + (g.norm() - 1) ** 2).backward()
    return x.grad, w.grad


@program
def gradient_penalty_with_item_between(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    w = leaf(t, 0.1, 0.2, 0.3)
    y = (x * w).tanh().sum()
    y.item()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    g.sum().item()
    (y + (g.norm() - 1) ** 2).backward()
    return x.grad, w.grad


@program
def hessian_vector_product(t):
    x = leaf(t, 1.0, 2.0, 3.0, dtype="float64")
    v = t.tensor([1.0, -1.0, 0.5], dtype=t.float64)
    y = (x.prod() * x.sum()).log()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    return t.autograd.grad(g, x, v)


@program
def derivative_by_the_cotangent(t):
    x = leaf(t, 1.0, 2.0)
    v = leaf(t, 3.0, 5.0)
    (g,) = t.autograd.grad(x.exp(), x, v, create_graph=True)
    return t.autograd.grad(g.sum(), [v, x])


@program
def double_backward_of_a_linear_function(t):
    x = leaf(t, 1.0, 2.0)
    (g,) = t.autograd.grad((x * 3).sum(), x, create_graph=True)
    return g, g.requires_grad


@program
def the_second_derivative_of_what_is_linear(t):
    x = leaf(t, 1.0, 2.0)
    (g,) = t.autograd.grad((x * 3).sum(), x, create_graph=True)
    t.autograd.grad(g.sum(), x)


@program
def grad_is_detached_without_create_graph(t):
    x = leaf(t, 1.0, 2.0)
    (g,) = t.autograd.grad((x**3).sum(), x)
    g.sum().backward()


@program
def jacobian_by_rows(t):
    x = leaf(t, 1.0, 2.0, 3.0)
    y = x.cumsum(0) * x
    return [t.autograd.grad(y[k], x, retain_graph=True)[0] for k in range(3)]


@program
def unrolled_inner_steps(t):
    w = leaf(t, 1.0, -1.0, dtype="float64")
    rate = t.tensor(0.1, dtype=t.float64, requires_grad=True)
    x = w
    for _ in range(3):
        (g,) = t.autograd.grad((x**4).sum(), x, create_graph=True)
        x = x - rate * g
    (x * x).sum().backward()
    return w.grad, rate.grad


@program
def unrolled_inner_steps_that_are_watched(t):
    w = leaf(t, 1.0, -1.0, dtype="float64")
    rate = t.tensor(0.1, dtype=t.float64, requires_grad=True)
    x = w
    seen = []
    for _ in range(3):
        (g,) = t.autograd.grad((x**4).sum(), x, create_graph=True)
        x = x - rate * g
        seen.append(x.sum().item())
    (x * x).sum().backward()
    return seen, w.grad, rate.grad


# Sync points


@program
def item_between_forward_and_backward(t):
    x = leaf(t, 1.0, 2.0)
    y = (x.exp() * x).sum()
    seen = y.item()
    y.backward()
    return seen, x.grad


@program
def sync_points_within_the_forward_pass(t):
    x = leaf(t, 1.0, 2.0)
    h = x
    seen = []
    for _ in range(4):
        h = h.sin() * x
        seen.append(h.sum().item())
    h.sum().backward()
    return seen, x.grad


@program
def branch_on_data(t):
    x = leaf(t, 1.0, -2.0)
    total = t.zeros(())
    for k in range(2):
        if x[k] > 0:
            total = total + x[k] ** 2
        else:
            total = total - x[k] * 3
    total.backward()
    return x.grad


@program
def training_with_item_and_without(t):
    w = leaf(t, 0.5, -0.5)
    losses = []
    for k in range(6):
        loss = ((w * t.tensor([1.0, 2.0]) - 1) ** 2).mean()
        if k % 2:
            losses.append(loss.item())
        w.grad = None
        loss.backward()
        with t.no_grad():
            w -= 0.1 * w.grad
    return losses, w


@program
def leaf_made_in_the_middle(t):
    x = leaf(t, 1.0, 2.0)
    h = x * x
    middle = h.detach().requires_grad_()
    (middle.exp()).sum().backward()
    h.backward(middle.grad)
    return x.grad, middle.grad


@program
def graph_lives_longer_than_its_root(t):
    x = leaf(t, 1.0, 2.0)
    h = x.exp()
    y = h * 2
    y.sum().item()
    del y
    h.sum().backward()
    return x.grad


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
    z = (x * 3).sigmoid_().tanh_().exp_()
    (y * z).sum().backward()
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
    y[3:].exp_()
    v.add_(x.view(2, 2))
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


@program
def assigned_grad_of_another_shape(t):
    leaf(t, 1.0, 2.0).grad = t.ones(3)


@program
def assigned_grad_of_another_dtype(t):
    leaf(t, 1.0, 2.0).grad = t.ones(2, dtype=t.float64)


@program
def assigned_grad_that_is_no_tensor(t):
    leaf(t, 1.0, 2.0).grad = 1.0


@program
def assigned_grad_that_is_the_tensor_itself(t):
    x = leaf(t, 1.0, 2.0)
    x.grad = x


@program
def grad_deleted(t):
    x = leaf(t, 1.0, 2.0)
    x.sum().backward()
    del x.grad
    return x.grad


# Dtypes


@program
def gradients_have_the_dtype_of_their_leaf(t):
    kinds = ("float16", "bfloat16", "float32", "float64")
    leaves = [leaf(t, 1.0, 2.0, dtype=k) for k in kinds]
    total = sum((x.double() * (k + 1)).sum() for k, x in enumerate(leaves))
    total.backward()
    return [x.grad.float() for x in leaves], [str(x.grad.dtype) for x in leaves]


@program
def mixed_dtypes(t):
    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0, dtype="float64")
    n = t.tensor([2, 3])
    (x * y * n).sum().backward()
    return x.grad, y.grad


@program
def broadcast_gradients(t):
    x, y = t.ones(3, 1, requires_grad=True), t.ones(4, requires_grad=True)
    s = t.tensor(2.0, requires_grad=True)
    (x * y * s).sum().backward()
    return x.grad, y.grad, s.grad


@program
def gradient_is_as_contiguous_as_in_torch(t):
    x = t.ones(3, 4, requires_grad=True)
    (x.t() * t.arange(12.0).view(4, 3)).sum().backward()
    return x.grad.is_contiguous(), x.grad.stride(), x.grad


@program
def gradient_of_a_transposed_leaf(t):
    x = t.arange(6.0).view(2, 3).t().requires_grad_()
    (x * x).sum().backward()
    return x.grad.stride(), x.grad


@program
def gradient_of_an_expanded_root(t):
    x = leaf(t, 1.0)
    x.expand(3).sum().backward()
    return x.grad


# Complex numbers


@program
def complex_leaf(t):
    x = t.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    (x * x.conj()).real.sum().backward()
    return x.grad


@program
def complex_root_needs_a_gradient(t):
    x = t.tensor(1 + 2j, requires_grad=True)
    (x * x).backward()


@program
def complex_root_with_a_gradient(t):
    x = t.tensor([1 + 2j, -1j], requires_grad=True)
    (x * x * (2 - 1j)).backward(t.tensor([1j, 1.0 + 0j]))
    return x.grad


@program
def real_leaf_in_complex_arithmetic(t):
    x = leaf(t, 1.0, 2.0)
    z = x * (1 + 2j)
    (z * z).abs().sum().backward()
    return x.grad


@program
def complex_functions(t):
    x = t.tensor([0.5 + 0.2j, 0.3 - 1j], dtype=t.complex128, requires_grad=True)
    y = x.exp() * x.sin() / (x + 2) + x.angle()
    return t.autograd.grad(y.abs().sum(), x)


@program
def complex_second_derivative(t):
    x = t.tensor([0.5 + 0.2j, 0.3 - 1j], dtype=t.complex128, requires_grad=True)
    y = (x * x * x).abs().sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    return g, t.autograd.grad(g.abs().sum(), x)


@program
def complex_gradient_for_a_real_root(t):
    x = leaf(t, 1.0, 2.0)
    (x * 2).backward(t.tensor([1j, 2j]))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
