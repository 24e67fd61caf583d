"""Custom `Function`s, as in torch."""

import pytest

from .programs import Programs, exponential, leaf, square

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def saves_its_argument(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    (y * y).sum().backward()
    return y, x.grad, y.grad_fn.name()


@program
def saves_its_result(t):
    x = leaf(t, 1.0, 2.0)
    y = exponential(t).apply(x)
    (y * x).sum().backward()
    return y, x.grad


@program
def across_sync_points(t):
    x = leaf(t, 1.0, 2.0)
    y = exponential(t).apply(square(t).apply(x))
    y.sum().item()
    z = (y * x).sum()
    z.item()
    z.backward()
    return y, x.grad


@program
def double_backward(t):
    x = leaf(t, 0.5, 1.0, dtype="float64")
    y = square(t).apply(exponential(t).apply(x)).sum()
    (g,) = t.autograd.grad(y, x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    return g, h, t.autograd.grad(h.sum(), x)


@program
def double_backward_across_sync_points(t):
    x = leaf(t, 0.5, 1.0, dtype="float64")
    y = square(t).apply(exponential(t).apply(x)).sum()
    seen = [y.item()]
    (g,) = t.autograd.grad(y, x, create_graph=True)
    seen.append(g.tolist())
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    seen.append(h.tolist())
    return seen, t.autograd.grad(h.sum(), x)


@program
def two_backward_passes(t):
    x = leaf(t, 1.0, 2.0)
    y = exponential(t).apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


@program
def second_backward_without_retain(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x).sum()
    y.backward()
    y.backward()


@program
def two_arguments(t):
    class Product(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b, g * a

    x, y = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0)
    Product.apply(x, y).sum().backward()
    Product.apply(x, x).sum().backward()
    return x.grad, y.grad


@program
def needs_input_grad(t):
    log = []

    class Three(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, c, n):
            log.append(ctx.needs_input_grad)
            return a + b + c

        @staticmethod
        def backward(ctx, g):
            log.append(ctx.needs_input_grad)
            return tuple(g if k else None for k in ctx.needs_input_grad)

    x, y = leaf(t, 1.0), leaf(t, 2.0)
    Three.apply(x, t.ones(1), y, 3).sum().backward()
    with t.no_grad():
        Three.apply(x, t.ones(1), y, 3)
    return log, x.grad, y.grad


@program
def arguments_that_are_no_tensors(t):
    class Scale(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor, name, items):
            ctx.factor, ctx.items = factor, items
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor * len(ctx.items), None, None, None

    x = leaf(t, 1.0, 2.0)
    y = Scale.apply(x, 3.0, "name", [1, 2])
    y.sum().backward()
    return x.grad


@program
def the_factor_changes(t):
    class Scale(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x * factor

        @staticmethod
        def backward(ctx, g):
            return g * ctx.factor, None

    x = leaf(t, 1.0, 2.0)
    out = []
    for k in range(5):
        x.grad = None
        y = Scale.apply(x, k + 0.5)
        y.sum().backward()
        out.append((y, x.grad))
    return out


@program
def tensors_in_a_list_are_not_seen(t):
    class Sum(t.autograd.Function):
        @staticmethod
        def forward(ctx, xs):
            return xs[0] + xs[1]

        @staticmethod
        def backward(ctx, g):
            return (None,)

    return Sum.apply([leaf(t, 1.0), leaf(t, 2.0)]).requires_grad


@program
def none_as_argument(t):
    class Bias(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, bias):
            ctx.save_for_backward(x, bias)
            return x if bias is None else x + bias

        @staticmethod
        def backward(ctx, g):
            _, bias = ctx.saved_tensors
            return g * 2, None if bias is None else g * 3

    x, b = leaf(t, 1.0), leaf(t, 2.0)
    (Bias.apply(x, None) + Bias.apply(x, b)).sum().backward()
    return x.grad, b.grad


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
