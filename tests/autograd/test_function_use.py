"""How custom `Function`s are used, and their errors, as in torch."""

import contextlib

import pytest

from .programs import Programs, exponential, leaf, square

PROGRAMS = Programs()
program = PROGRAMS.add


@program
def numbers_computed_outside(t):
    class Outside(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            values = x.detach().numpy() ** 2
            return t.from_numpy(values)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return t.from_numpy(2 * x.detach().numpy() * g.numpy())

    x = leaf(t, 1.0, 2.0)
    y = Outside.apply(x * 1)
    (y * y).sum().backward()
    return y, x.grad


@program
def grad_mode_in_forward_and_backward(t):
    log = []

    class Log(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            log.append((t.is_grad_enabled(), x.requires_grad, (x * 2).requires_grad))
            return x * 2

        @staticmethod
        def backward(ctx, g):
            log.append((t.is_grad_enabled(), g.requires_grad))
            return g * 2

    x = leaf(t, 1.0, 2.0)
    Log.apply(x).sum().backward()
    t.autograd.grad((Log.apply(x) ** 2).sum(), x, create_graph=True)
    return log, t.is_grad_enabled()


@program
def backward_within_backward(t):
    class Checkpoint(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x.exp() * x).sin()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with t.enable_grad():
                x = x.detach().requires_grad_()
                y = (x.exp() * x).sin()
            t.autograd.backward(y, g)
            return x.grad

    x = leaf(t, 0.1, 0.2)
    h = Checkpoint.apply(x * 2)
    (Checkpoint.apply(h) * x).sum().backward()
    return x.grad


@program
def saved_argument_is_changed(t):
    x = leaf(t, 1.0, 2.0)
    h = x * 1
    y = square(t).apply(h)
    h.add_(1)
    y.sum().backward()


@program
def saved_result_is_changed(t):
    x = leaf(t, 1.0, 2.0)
    y = exponential(t).apply(x)
    z = y.sum()
    y.mul_(2)
    z.backward()


@program
def saved_argument_is_changed_without_gradients(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    with t.no_grad():
        x.add_(1)
    y.sum().backward()


@program
def the_function_behind_a_target_is_not_asked(t):
    x = leaf(t, 1.0, 2.0)
    y = exponential(t).apply(x)
    with t.no_grad():
        y.mul_(0.5)
    return t.autograd.grad((y * x).sum(), y)


@program
def saved_tensors_after_backward(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    node = y.grad_fn
    before = node.saved_tensors[0]
    y.sum().backward()
    assert before is not None
    return node.saved_tensors


@program
def saved_tensor_is_the_argument(t):
    x = leaf(t, 1.0, 2.0)
    h = x * 2
    y, z = square(t).apply(x), square(t).apply(h)
    saved = z.grad_fn.saved_tensors[0]
    return y.grad_fn.saved_tensors[0] is x, saved, saved.grad_fn is h.grad_fn


@program
def saved_something_else(t):
    class Between(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            middle = x * x
            ctx.save_for_backward(middle)
            return middle * x

        @staticmethod
        def backward(ctx, g):
            (middle,) = ctx.saved_tensors
            return 3 * middle * g

    x = leaf(t, 1.0, 2.0)
    y = Between.apply(x)
    y.sum().item()
    y.sum().backward()
    return x.grad


@program
def save_for_backward_of_a_number(t):
    class Bad(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3.0)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g

    Bad.apply(leaf(t, 1.0))


# Errors


def returning(t, *grads):
    """A function of one argument whose backward returns `grads`."""

    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return grads if len(grads) != 1 else grads[0]

    return Wrong


@program
def too_many_gradients(t):
    returning(t, t.ones(2), t.ones(2)).apply(leaf(t, 1.0, 2.0)).sum().backward()


@program
def too_many_gradients_that_are_none(t):
    x = leaf(t, 1.0, 2.0)
    returning(t, t.ones(2), None, None).apply(x).sum().backward()
    return x.grad


@program
def gradient_of_another_shape(t):
    returning(t, t.ones(3)).apply(leaf(t, 1.0, 2.0)).sum().backward()


@program
def gradient_that_broadcasts(t):
    x = leaf(t, 1.0, 2.0)
    returning(t, t.ones(4, 2)).apply(x).sum().backward()
    return x.grad


@program
def gradient_that_is_too_small(t):
    x = leaf(t, 1.0, 2.0)
    returning(t, t.ones(1)).apply(x).sum().backward()
    return x.grad


@program
def gradient_of_another_dtype(t):
    x = leaf(t, 1.0, 2.0)
    returning(t, t.ones(2, dtype=t.float64)).apply(x).sum().backward()
    return x.grad


@program
def gradient_that_is_no_tensor(t):
    returning(t, 3.0).apply(leaf(t, 1.0, 2.0)).sum().backward()


@program
def gradient_for_what_is_no_tensor(t):
    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, n):
            return x * n

        @staticmethod
        def backward(ctx, g):
            return g, g

    Wrong.apply(leaf(t, 1.0), 2).sum().backward()


@program
def an_error_of_the_user_in_backward(t):
    class Fail(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine")

    Fail.apply(leaf(t, 1.0)).sum().backward()


@program
def after_an_error_in_backward(t):
    class Fail(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            raise ValueError("mine")

    x = leaf(t, 1.0)
    with contextlib.suppress(ValueError):
        (Fail.apply(x) + x).sum().backward()
    mode = t.is_grad_enabled()
    x.grad = None
    (x * 3).sum().backward()
    return mode, x.grad


@program
def an_error_of_the_user_in_forward(t):
    class Fail(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            raise ValueError("mine")

    x = leaf(t, 1.0)
    with contextlib.suppress(ValueError):
        Fail.apply(x)
    return t.is_grad_enabled(), (x * 2).requires_grad


@program
def forward_is_missing(t):
    class Empty(t.autograd.Function):
        pass

    Empty.apply(leaf(t, 1.0))


@program
def backward_is_missing(t):
    class Half(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    Half.apply(leaf(t, 1.0)).sum().backward()


@program
def called_instead_of_applied(t):
    square(t)()(leaf(t, 1.0))


@program
def keyword_arguments(t):
    square(t).apply(x=leaf(t, 1.0))


@program
def result_that_is_nothing(t):
    class Nothing(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return None

        @staticmethod
        def backward(ctx, g):
            return None

    return Nothing.apply(leaf(t, 1.0))


@program
def result_is_a_list(t):
    class Listed(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return [x * 2, x * 3]

        @staticmethod
        def backward(ctx, *gs):
            return gs[0]

    out = Listed.apply(leaf(t, 1.0))
    return type(out).__name__, [y.requires_grad for y in out]


@program
def gradient_of_complex_arguments(t):
    x = t.tensor([1 + 2j, 2 - 1j], requires_grad=True)

    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x.conj()

    Square.apply(x).abs().sum().backward()
    return x.grad


@program
def a_deep_chain(t):
    f, g = square(t), exponential(t)
    x = leaf(t, 0.1, -0.2, dtype="float64")
    h = x
    for _ in range(5):
        h = f.apply(h) + g.apply(h) * 0.1
    h.sum().backward()
    return h, x.grad


@program
def in_a_training_loop(t):
    f = exponential(t)
    w = leaf(t, 0.1, -0.2)
    losses = []
    for _ in range(6):
        loss = (f.apply(w) - t.tensor([2.0, 3.0])).pow(2).sum()
        w.grad = None
        loss.backward()
        with t.no_grad():
            w -= 0.02 * w.grad
        losses.append(loss.item())
    return losses, w


@program
def retain_grad_of_a_result(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x)
    y.retain_grad()
    (y * y).sum().backward()
    return y.grad, x.grad


@program
def attributes_of_the_context(t):
    class Named(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.anything = {"a": 1}
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * ctx.anything["a"]

    x = leaf(t, 1.0)
    y = Named.apply(x)
    y.grad_fn.anything["a"] = 5
    y.sum().backward()
    return x.grad


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
