"""What custom functions must not do, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


def custom(t, forward, backward=lambda ctx, g: g, **others):
    """A custom function of these static methods."""
    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    members |= {name: staticmethod(f) for name, f in others.items()}
    return type("Custom", (t.autograd.Function,), members)


def marking(t, mark):
    def forward(ctx, x):
        mark(ctx, x)
        return x * 1

    return custom(t, forward).apply(leaf(t, 1.0, 2.0))


@program
def saves_a_number(t):
    return marking(t, lambda ctx, x: ctx.save_for_backward(3))


@program
def saves_a_number_for_forward(t):
    try:
        marking(t, lambda ctx, x: ctx.save_for_forward(3))
    except AssertionError as error:
        return str(error)


@program
def saves_for_forward(t):
    y = marking(t, lambda ctx, x: ctx.save_for_forward(x, None))
    y.sum().backward()
    return y


@program
def marks_a_number_dirty(t):
    marking(t, lambda ctx, x: ctx.mark_dirty(3))


@program
def marks_a_number_constant(t):
    marking(t, lambda ctx, x: ctx.mark_non_differentiable(3))


@program
def materializes_a_number(t):
    marking(t, lambda ctx, x: ctx.set_materialize_grads(3))


@program
def no_jvp(t):
    t.autograd.Function.jvp(None, 1)


@program
def no_vmap(t):
    t.autograd.Function.vmap(None, (0,), 1)


@program
def rules_for_batches(t):
    return t.autograd.Function.generate_vmap_rule


@program
def called_as_an_object(t):
    custom(t, lambda ctx, x: x * 1)()(leaf(t, 1.0))


@program
def gradient_of_another_shape(t):
    custom(t, lambda ctx, x: x * 1, lambda ctx, g: g[:1].expand(3)).apply(
        leaf(t, 1.0, 2.0)
    ).sum().backward()


@program
def too_many_gradients(t):
    custom(t, lambda ctx, x: x * 1, lambda ctx, g: (g, g)).apply(leaf(t, 1.0)).backward()


@program
def gradient_that_is_no_tensor(t):
    custom(t, lambda ctx, x: x * 1, lambda ctx, g: 3).apply(leaf(t, 1.0)).backward()


@program
def complex_gradient_of_a_real_argument(t):
    try:
        custom(t, lambda ctx, x: x * 1, lambda ctx, g: g * 1j).apply(leaf(t, 1.0)).backward()
    except RuntimeError:
        return "refused"


@program
def write_to_a_view_of_an_argument(t):
    y = custom(t, lambda ctx, x: x[:2]).apply(leaf(t, 1.0, 2.0, 3.0) * 1)
    y.add_(1)


@program
def write_to_an_argument_that_is_returned(t):
    y = custom(t, lambda ctx, x: x).apply(leaf(t, 1.0, 2.0, 3.0) * 1)
    y.add_(1)


@program
def write_to_one_of_several_views(t):
    y, _ = custom(t, lambda ctx, x: (x[:2], x[1:]), lambda ctx, g, h: g).apply(
        leaf(t, 1.0, 2.0, 3.0) * 1
    )
    y.add_(1)


@program
def write_to_a_view_without_gradients(t):
    y = custom(t, lambda ctx, x: x[:2]).apply(leaf(t, 1.0, 2.0, 3.0) * 1)
    with t.no_grad():
        y.add_(1)
        return y.tolist()


@program
def one_result_returned_twice(t):
    def forward(ctx, x):
        y = x * 2
        return y, y

    x = leaf(t, 1.0, 2.0)
    a, b = custom(t, forward, lambda ctx, g, h: g + h).apply(x)
    (a * b).sum().backward()
    return a is b, x.grad


@program
def what_is_in_the_context(t):
    found = []

    def forward(ctx, x, y):
        ctx.save_for_backward(x)
        ctx.mark_non_differentiable(y)
        found.append((len(ctx.to_save), len(ctx.non_differentiable), ctx.needs_input_grad))
        return x * 2, y

    custom(t, forward, lambda ctx, g, h: (g, None)).apply(leaf(t, 1.0), t.ones(1))
    return found


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
