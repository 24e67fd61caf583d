"""Higher derivatives, and gradients of several dtypes, as in torch."""

import pytest

from .programs import Programs, leaf

PROGRAMS = Programs()
program = PROGRAMS.add


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
