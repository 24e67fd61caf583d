"""gradcheck and gradgradcheck: what they accept and what they refuse, as in torch."""

import pytest

from .programs import Programs

PROGRAMS = Programs()
program = PROGRAMS.add


def doubles(t, *values):
    """A float64 vector that requires a gradient."""
    return t.tensor(list(values), dtype=t.float64, requires_grad=True)


def wrong(t, factor):
    """x^2 with a derivative that is off by a factor."""

    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x * factor

    return Wrong.apply


def wrong_twice(t):
    """sin(x) whose first derivative is right and whose second is zero."""

    class Wrong(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * x.detach().cos()

    return Wrong.apply


@program
def right(t):
    return t.autograd.gradcheck(lambda x: x.sin() * x, (doubles(t, 0.5, 1.5),))


@program
def right_for_one_input_that_is_no_tuple(t):
    return t.autograd.gradcheck(t.exp, doubles(t, 0.5, 1.5))


@program
def right_for_several_inputs_and_outputs(t):
    x, y = doubles(t, 0.5, 1.5), doubles(t, 2.0, 3.0)
    return t.autograd.gradcheck(lambda x, y, n: (x * y * n, x / y, x.sum()), (x, y, 3))


@program
def right_for_an_input_without_gradient(t):
    c = t.tensor([1.0, 2.0], dtype=t.float64)
    return t.autograd.gradcheck(lambda x, c: x * c, (doubles(t, 0.5, 1.5), c))


@program
def right_for_an_unused_input(t):
    x, y = doubles(t, 0.5, 1.5), doubles(t, 2.0, 3.0)
    return t.autograd.gradcheck(lambda x, y: x * 2, (x, y))


@program
def right_for_a_matrix(t):
    x = t.arange(6.0, dtype=t.float64).view(2, 3).requires_grad_()
    y = t.arange(6.0, dtype=t.float64).view(3, 2).add(1).requires_grad_()
    return t.autograd.gradcheck(lambda a, b: (a @ b).tanh(), (x, y))


@program
def right_for_a_transposed_input(t):
    x = t.arange(6.0, dtype=t.float64).view(2, 3).t().requires_grad_()
    return t.autograd.gradcheck(lambda a: a.sin().sum(0), (x,))


@program
def right_for_complex_numbers(t):
    x = t.tensor([0.5 + 1j, 1.5 - 0.2j], dtype=t.complex128, requires_grad=True)
    return t.autograd.gradcheck(lambda x: (x * x.conj() + x).abs(), (x,))


@program
def right_from_complex_to_complex(t):
    x = t.tensor([0.5 + 1j, 1.5 - 0.2j], dtype=t.complex128, requires_grad=True)
    return t.autograd.gradcheck(lambda x: x.exp() * x, (x,))


@program
def right_from_real_to_complex(t):
    return t.autograd.gradcheck(lambda x: x * (1 + 2j) + 1j, (doubles(t, 0.5, 1.5),))


@program
def right_in_place(t):
    def f(x):
        y = x * 2
        y.mul_(x)
        y[0] = x[1]
        return y

    return t.autograd.gradcheck(f, (doubles(t, 0.5, 1.5),))


@program
def right_custom_function(t):
    return t.autograd.gradcheck(wrong(t, 1.0), (doubles(t, 0.5, 1.5),))


@program
def wrong_by_a_factor(t):
    x = doubles(t, 0.5, 1.5)
    return t.autograd.gradcheck(wrong(t, 1.5), (x,), raise_exception=False)


@program
def wrong_by_a_little(t):
    x = doubles(t, 0.5, 1.5)
    f = wrong(t, 1 + 1e-4)
    loose = t.autograd.gradcheck(f, (x,), raise_exception=False)
    tight = t.autograd.gradcheck(f, (x,), rtol=1e-6, atol=1e-8, raise_exception=False)
    return loose, tight


@program
def wrong_raises(t):
    t.autograd.gradcheck(wrong(t, 1.5), (doubles(t, 0.5, 1.5),))


@program
def wrong_raises_its_own_kind_of_error(t):
    try:
        t.autograd.gradcheck(wrong(t, 1.5), (doubles(t, 0.5, 1.5),))
    except t.autograd.gradcheck.__globals__["GradcheckError"] as error:
        return isinstance(error, RuntimeError), str(error)[:45]


@program
def wrong_for_the_second_input(t):
    f = wrong(t, 2.0)
    x, y = doubles(t, 0.5, 1.5), doubles(t, 2.0, 3.0)
    return t.autograd.gradcheck(lambda a, b: a + f(b), (x, y), raise_exception=False)


@program
def wrong_in_fast_mode(t):
    f, x = wrong(t, 2.0), doubles(t, 0.5, 1.5)
    right = t.autograd.gradcheck(wrong(t, 1.0), (x,), fast_mode=True)
    return right, t.autograd.gradcheck(f, (x,), fast_mode=True, raise_exception=False)


@program
def wrong_where_detached(t):
    f = lambda x: x * x.detach()  # noqa: E731
    return t.autograd.gradcheck(f, (doubles(t, 0.5, 1.5),), raise_exception=False)


@program
def wrong_in_single_precision(t):
    x = t.tensor([0.5, 1.5], requires_grad=True)
    return t.autograd.gradcheck(lambda x: x.sin(), (x,), raise_exception=False)


@program
def no_input_requires_grad(t):
    t.autograd.gradcheck(t.sin, (t.ones(2, dtype=t.float64),))


@program
def an_expanded_input(t):
    x = t.ones(1, dtype=t.float64).expand(3).requires_grad_()
    t.autograd.gradcheck(t.sin, (x,))


@program
def inputs_keep_their_values_and_have_no_grad(t):
    x = doubles(t, 0.5, 1.5)
    t.autograd.gradcheck(lambda x: x.sin(), (x,))
    return x, x.grad


@program
def second_derivative_right(t):
    x, y = doubles(t, 0.5, 1.5), doubles(t, 2.0, 3.0)
    return t.autograd.gradgradcheck(lambda a, b: a.sin() * b * b, (x, y))


@program
def second_derivative_of_a_matrix_product(t):
    x = t.arange(4.0, dtype=t.float64).view(2, 2).requires_grad_()
    return t.autograd.gradgradcheck(lambda a: (a @ a).tanh(), (x,))


@program
def second_derivative_with_given_cotangents(t):
    x = doubles(t, 0.5, 1.5)
    g = doubles(t, 0.3, -0.2)
    return t.autograd.gradgradcheck(lambda a: a.exp(), (x,), (g,))


@program
def second_derivative_wrong(t):
    f, x = wrong_twice(t), doubles(t, 0.5, 1.5)
    first = t.autograd.gradcheck(f, (x,))
    return first, t.autograd.gradgradcheck(f, (x,), raise_exception=False)


@program
def second_derivative_wrong_raises(t):
    t.autograd.gradgradcheck(wrong_twice(t), (doubles(t, 0.5, 1.5),))


@program
def second_derivative_of_complex_numbers(t):
    x = t.tensor([0.5 + 1j, 1.5 - 0.2j], dtype=t.complex128, requires_grad=True)
    return t.autograd.gradgradcheck(lambda x: x * x * x, (x,))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
