"""Jacobians, Hessians and their products with vectors, as in torch."""

import pytest

from .programs import Programs

PROGRAMS = Programs()
program = PROGRAMS.add


def vector(t, *values, grad=False):
    """A float64 vector."""
    return t.tensor(list(values), dtype=t.float64, requires_grad=grad)


@program
def jacobian(t):
    return t.autograd.functional.jacobian(lambda x: x.sin() * x.sum(), vector(t, 0.5, 1.0, 2.0))


@program
def jacobian_of_a_matrix(t):
    x = t.arange(6.0, dtype=t.float64).view(2, 3)
    return t.autograd.functional.jacobian(lambda x: (x @ x.t()).exp() * 0.01, x)


@program
def jacobian_of_a_number(t):
    return t.autograd.functional.jacobian(lambda x: x.prod(), vector(t, 0.5, 1.0, 2.0))


@program
def jacobian_of_several(t):
    x, y = vector(t, 0.5, 1.0), vector(t, 2.0, 3.0, 4.0)
    return t.autograd.functional.jacobian(lambda x, y: (x * y.sum(), y * y, x.sum()), (x, y))


@program
def jacobian_of_what_requires_grad(t):
    x = vector(t, 0.5, 1.0, grad=True)
    out = t.autograd.functional.jacobian(lambda x: x * x, x)
    return out, x.grad, x.requires_grad


@program
def jacobian_with_graph(t):
    x = vector(t, 0.5, 1.0, grad=True)
    out = t.autograd.functional.jacobian(lambda x: x**3 * x.sum(), x, create_graph=True)
    return out, t.autograd.grad(out.sum(), x)


@program
def jacobian_of_a_constant(t):
    return t.autograd.functional.jacobian(lambda x: t.ones(2), vector(t, 0.5, 1.0))


@program
def jacobian_of_a_constant_is_strictly_refused(t):
    t.autograd.functional.jacobian(lambda x, y: x, (vector(t, 0.5), vector(t, 1.0)), strict=True)


@program
def jacobian_vectorized(t):
    x = vector(t, 0.5, 1.0, 2.0)
    return t.autograd.functional.jacobian(lambda x: x.cos() * x.sum(), x, vectorize=True)


@program
def jacobian_within_no_grad(t):
    with t.no_grad():
        return t.autograd.functional.jacobian(lambda x: x * x, vector(t, 0.5, 1.0))


@program
def jacobian_of_what_is_no_tensor(t):
    t.autograd.functional.jacobian(lambda x: x, 3.0)


@program
def hessian(t):
    return t.autograd.functional.hessian(lambda x: (x.sin() * x).sum() ** 2, vector(t, 0.5, 1.0))


@program
def hessian_of_a_linear_function(t):
    return t.autograd.functional.hessian(lambda x: (x * 2).sum(), vector(t, 0.5, 1.0))


@program
def hessian_of_several(t):
    x, y = vector(t, 0.5, 1.0), vector(t, 2.0, 3.0, 4.0)
    return t.autograd.functional.hessian(lambda x, y: (x.prod() * y * y).sum(), (x, y))


@program
def hessian_with_graph(t):
    x = vector(t, 0.5, 1.0, grad=True)
    out = t.autograd.functional.hessian(lambda x: (x**4).sum() * x.sum(), x, create_graph=True)
    return out, t.autograd.grad(out.sum(), x)


@program
def hessian_of_a_vector(t):
    t.autograd.functional.hessian(lambda x: x * x, vector(t, 0.5, 1.0))


@program
def vjp(t):
    x, v = vector(t, 0.5, 1.0), vector(t, 2.0, -1.0)
    return t.autograd.functional.vjp(lambda x: x.exp() * x.sum(), x, v)


@program
def vjp_of_a_number(t):
    x, y = vector(t, 0.5, 1.0), vector(t, 2.0, 3.0)
    return t.autograd.functional.vjp(lambda x, y: (x * y).sum(), (x, y))


@program
def vjp_without_a_vector(t):
    t.autograd.functional.vjp(lambda x: x * x, vector(t, 0.5, 1.0))


@program
def vjp_with_a_vector_of_another_size(t):
    t.autograd.functional.vjp(lambda x: x * x, vector(t, 0.5, 1.0), vector(t, 1.0))


@program
def jvp(t):
    x, v = vector(t, 0.5, 1.0), vector(t, 2.0, -1.0)
    return t.autograd.functional.jvp(lambda x: (x.exp() * x.sum(), x[0] * 2), x, v)


@program
def jvp_of_several(t):
    x, y = vector(t, 0.5, 1.0), vector(t, 2.0, 3.0)
    return t.autograd.functional.jvp(lambda x, y: x * y * y, (x, y), (y, x))


@program
def vhp(t):
    x, v = vector(t, 0.5, 1.0), vector(t, 2.0, -1.0)
    return t.autograd.functional.vhp(lambda x: (x**3).sum() * x.prod(), x, v)


@program
def hvp(t):
    x, v = vector(t, 0.5, 1.0), vector(t, 2.0, -1.0)
    return t.autograd.functional.hvp(lambda x: (x**3).sum() * x.prod(), x, v)


@program
def hvp_of_several(t):
    x, y = vector(t, 0.5, 1.0), vector(t, 2.0, 3.0)
    return t.autograd.functional.hvp(lambda x, y: (x * x * y).sum() ** 2, (x, y), (y, x))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_torch(agree, program):
    agree(program)
