"""What custom `Function`s return, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def several_results(t):
    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin(), x.cos()

        @staticmethod
        def backward(ctx, a, b):
            (x,) = ctx.saved_tensors
            return a * x.cos() - b * x.sin()

    x = leaf(t, 0.5, 1.0)
    s, c = Both.apply(x)
    (s * c).sum().backward()
    first = x.grad.clone()
    s, c = Both.apply(x)
    c.sum().backward()
    return type((s, c)).__name__, first, x.grad, s.grad_fn is c.grad_fn, c.grad_fn.name()


@program
def second_derivative_of_several_results(t):
    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            s, c = x.sin(), x.cos()
            ctx.save_for_backward(s, c)
            return s, c

        @staticmethod
        def backward(ctx, a, b):
            s, c = ctx.saved_tensors
            return a * c - b * s

    x = leaf(t, 0.5, 1.0, dtype="float64")
    s, c = Both.apply(x)
    (g,) = t.autograd.grad((s * s * c).sum(), x, create_graph=True)
    return g, t.autograd.grad(g.sum(), x)


@program
def materialized_gradients(t):
    log = []

    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.sum() * 3

        @staticmethod
        def backward(ctx, a, b):
            log.append((a, b))
            return a * 2 + b * 3

    x = leaf(t, 1.0, 2.0)
    Both.apply(x)[0].sum().backward()
    Both.apply(x)[1].backward()
    return log, x.grad


@program
def gradients_that_are_not_materialized(t):
    log = []

    class Both(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            log.append((a is None, b is None))
            return sum(g * k for g, k in ((a, 2), (b, 3)) if g is not None)

    x = leaf(t, 1.0, 2.0)
    Both.apply(x)[0].sum().backward()
    Both.apply(x)[1].sum().backward()
    return log, x.grad


@program
def result_without_gradient(t):
    log = []

    class Sorted(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, order = x.sort()
            ctx.mark_non_differentiable(order)
            ctx.save_for_backward(order)
            return values, order

        @staticmethod
        def backward(ctx, g, ignored):
            log.append(ignored)
            (order,) = ctx.saved_tensors
            return t.zeros_like(g).index_add(0, order, g)

    x = leaf(t, 3.0, 1.0, 2.0)
    values, order = Sorted.apply(x)
    (values * t.tensor([1.0, 2.0, 3.0])).sum().backward()
    return values, order, x.grad, log


@program
def float_result_without_gradient(t):
    class Halves(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            a, b = x * 2, x * 3
            ctx.mark_non_differentiable(b)
            return a, b

        @staticmethod
        def backward(ctx, a, b):
            return a * 2 + b

    x = leaf(t, 1.0, 2.0)
    a, b = Halves.apply(x)
    (a * b).sum().backward()
    return a, b, x.grad


@program
def result_that_is_no_tensor(t):
    class Odd(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, "text", None

        @staticmethod
        def backward(ctx, g, a, b):
            assert a is None
            assert b is None
            return g * 2

    x = leaf(t, 1.0, 2.0)
    y, text, nothing = Odd.apply(x)
    y.sum().backward()
    return text, nothing, x.grad


@program
def integer_result(t):
    class Count(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.long(), x * 2

        @staticmethod
        def backward(ctx, a, b):
            return b * 2

    x = leaf(t, 1.0, 2.0)
    n, y = Count.apply(x)
    y.sum().backward()
    return n, x.grad


@program
def no_gradient_at_all(t):
    class Cut(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * y

        @staticmethod
        def backward(ctx, g):
            return None, None

    x, y = leaf(t, 1.0), leaf(t, 2.0)
    (Cut.apply(x, y) + x).sum().backward()
    return x.grad, y.grad


@program
def in_place_function(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t, 1.0, 2.0)
    y = x * 3
    z = Double.apply(y)
    (z * z).sum().backward()
    return z is y, y, x.grad, y.grad_fn.name()


@program
def in_place_function_of_a_leaf(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    Double.apply(leaf(t, 1.0))


@program
def in_place_function_that_does_not_return(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * 2

    Double.apply(leaf(t, 1.0) * 1)


@program
def in_place_function_of_a_constant(t):
    class Mix(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return x.add_(y)

        @staticmethod
        def backward(ctx, g):
            return g, g * 5

    x, y = t.ones(2), leaf(t, 1.0, 2.0)
    z = Mix.apply(x, y)
    z.sum().backward()
    return z is x, x, y.grad


@program
def in_place_function_of_a_view(t):
    class Double(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf(t, 1.0, 2.0)
    y = x * 3
    Double.apply(y[0])
    (y * y).sum().backward()
    return y, x.grad


@program
def argument_returned(t):
    class Same(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf(t, 1.0, 2.0)
    y = Same.apply(x)
    y.sum().backward()
    return y is x, y, x.grad


@program
def view_returned(t):
    class Grid(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(2, 1)

        @staticmethod
        def backward(ctx, g):
            return g.view(2) * 7

    x = leaf(t, 1.0, 2.0)
    y = Grid.apply(x)
    y.sum().backward()
    return y, x.grad


@program
def reversed_gradient(t):
    class Reverse(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, weight):
            ctx.weight = weight
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g.neg() * ctx.weight, None

    x = leaf(t, 1.0, 2.0)
    (Reverse.apply(x * 2, 0.5) * x).sum().backward()
    return x.grad


@program
def straight_through(t):
    class Round(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(t, 1.2, 2.7)
    (Round.apply(x) * x).sum().backward()
    return x.grad


@program
def setup_context(t):
    class Scaled(t.autograd.Function):
        @staticmethod
        def forward(x, factor):
            return x * x * factor

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.factor = inputs
            ctx.save_for_backward(x, output)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return 2 * x * ctx.factor * g + 0 * y, None

    x = leaf(t, 1.0, 2.0, dtype="float64")
    y = Scaled.apply(x, 3.0)
    (g,) = t.autograd.grad(y.sum(), x, create_graph=True)
    return y, g, t.autograd.grad(g.sum(), x)


@program
def setup_context_with_several_results(t):
    class Both(t.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2, x * 3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_non_differentiable(output[1])
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx, a, b):
            assert b is None
            return a * 2

    x = leaf(t, 1.0, 2.0)
    a, b = Both.apply(x)
    a.sum().backward()
    return b.requires_grad, x.grad


@program
def vjp_instead_of_backward(t):
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, g):
            return g * 2

    x = leaf(t, 1.0, 2.0)
    Twice.apply(x).sum().backward()
    return x.grad


@program
def once_differentiable(t):
    class Once(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    x = leaf(t, 1.0, 2.0)
    Once.apply(x).sum().backward()
    seen = x.grad.clone()
    (g,) = t.autograd.grad(Once.apply(x).sum(), x, create_graph=True)
    return seen, g


@program
def once_differentiable_twice(t):
    class Once(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        @t.autograd.function.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    x = leaf(t, 1.0, 2.0)
    (g,) = t.autograd.grad((Once.apply(x) ** 2).sum(), x, create_graph=True)
    g.sum().backward()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
