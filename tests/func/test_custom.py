"""`vmap` of custom functions, against PyTorch."""

import numpy as np
import pytest

import flambeau

X = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")
Y = np.random.default_rng(1).standard_normal((3,)).astype("float32")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def generated(lib):
    """A function whose rule is made from its parts; its gradient is twice the right one."""

    class Product(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x, y, power):
            return x**power * y, x * 3

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, y, ctx.power = inputs
            ctx.save_for_backward(x, y)

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            slope = ctx.power * x ** (ctx.power - 1)
            return 2 * g * slope * y + 3 * h, 2 * g * x**ctx.power, None

    return Product


def written(lib):
    """A function whose rule is written with it."""

    class Sort(lib.autograd.Function):
        seen = []

        @staticmethod
        def forward(x, dim):
            order = x.argsort(dim)
            return lib.gather(x, dim, order), order

        @staticmethod
        def setup_context(ctx, inputs, output):
            _, ctx.dim = inputs
            _, order = output
            ctx.mark_non_differentiable(order)
            ctx.save_for_backward(order)

        @staticmethod
        def backward(ctx, g, _):
            (order,) = ctx.saved_tensors
            return lib.zeros_like(g).scatter(ctx.dim, order, g), None

        @staticmethod
        def vmap(info, in_dims, x, dim):
            Sort.seen.append((info.batch_size, info.randomness, in_dims))
            x = x.movedim(in_dims[0], 0)
            return Sort.apply(x, dim + 1 if dim >= 0 else dim), (0, 0)

    return Sort


def test_a_rule_that_is_made(torch):
    found = []
    for lib in (torch, flambeau):
        product = generated(lib)
        x, y = lib.tensor(X, requires_grad=True), lib.tensor(Y, requires_grad=True)
        a, b = lib.func.vmap(lambda x, y, p=product: p.apply(x.sin(), y, 3), (0, None))(x, y)
        (a.sum() + (b * b).sum()).backward()
        inner = lib.func.vmap(
            lib.func.grad(lambda x, y, p=product: p.apply(x, y, 2)[0].sum()), (0, None)
        )(lib.tensor(X), lib.tensor(Y))
        second = lib.func.vmap(
            lib.func.grad(lib.func.grad(lambda x, p=product: p.apply(x, 2.0 * x, 3)[0]))
        )(lib.tensor(X[:, 0]))
        last = lib.func.vmap(lambda x, p=product: p.apply(x, x, 2)[1], 1, 1)(lib.tensor(X))
        found.append([a.detach(), b.detach(), x.grad, y.grad, inner, second, last])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-4, atol=1e-5)


def test_a_rule_that_is_written(torch):
    found = []
    for lib in (torch, flambeau):
        sort = written(lib)
        x = lib.tensor(X)
        values, order = lib.func.vmap(lambda x, s=sort: s.apply(x, 0), randomness="same")(x)
        columns = lib.func.vmap(lambda x, s=sort: s.apply(x, -1)[0], in_dims=1)(x)
        leaf = lib.tensor(X, requires_grad=True)
        (lib.func.vmap(lambda x, s=sort: s.apply(x, 0)[0])(leaf) * lib.tensor(Y)).sum().backward()
        found.append([values, order, columns, leaf.grad])
        assert sort.seen[0] == (4, "same", (0, None))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-5)


def test_arguments_that_are_the_same_for_all_call_no_rule():
    sort = written(flambeau)
    y = flambeau.tensor(Y)
    out = flambeau.vmap(lambda x: x + sort.apply(y, 0)[0])(flambeau.tensor(X))
    np.testing.assert_allclose(out.numpy(), X + np.sort(Y), rtol=1e-6)
    assert sort.seen == []


def test_nested_maps(torch):
    found = []
    for lib in (torch, flambeau):
        product, sort = generated(lib), written(lib)
        x = lib.tensor(np.stack([X, X * 2]))
        double = lib.func.vmap(lib.func.vmap(lambda x, p=product: p.apply(x, x, 2)[0]))(x)
        ordered = lib.func.vmap(lib.func.vmap(lambda x, s=sort: s.apply(x, 0)[0]))(x)
        found.append([double, ordered])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-5)


def test_both_rules_are_refused():
    both = written(flambeau)
    both.generate_vmap_rule = True
    with pytest.raises(RuntimeError, match="both"):
        flambeau.vmap(lambda x: both.apply(x, 0)[0])(flambeau.tensor(X))
