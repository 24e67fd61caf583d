"""The `jvp` of custom functions, against PyTorch."""

import numpy as np
import pytest

import flambeau


def functions(lib):
    """Custom functions that know their forward derivative."""

    class Cube(lib.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x**3, 3 * x**2

        @staticmethod
        def setup_context(ctx, inputs, output):
            (x,), (_, slope) = inputs, output
            ctx.save_for_backward(x, slope)
            ctx.save_for_forward(x, slope)

        @staticmethod
        def backward(ctx, g, g_slope):
            x, slope = ctx.saved_tensors
            return g * slope + g_slope * 6 * x

        @staticmethod
        def jvp(ctx, t):
            x, slope = ctx.saved_tensors
            return t * slope, 6 * x * t

    class Odd(lib.autograd.Function):
        """Its jvp is not that of its backward, so that one sees which of them was asked."""

        @staticmethod
        def forward(x, scale, y):
            return x * scale * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(*inputs[::2])
            ctx.scale = inputs[1]

        @staticmethod
        def backward(ctx, g):
            return g * 0, None, g * 0

        @staticmethod
        def jvp(ctx, tx, scale, ty):
            x, y = ctx.saved_tensors
            assert scale is None
            return ctx.scale * (tx * y + x * ty) + 100

    return Cube, Odd


X = np.array([1.0, 2.0, -3.0], "float32")
T = np.array([1.0, 0.5, 2.0], "float32")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_jvp_is_asked(torch):
    found = []
    for lib in (torch, flambeau):
        cube, odd = functions(lib)
        x, t, y = lib.tensor(X), lib.tensor(T), lib.tensor([2.0, 3.0, 4.0])
        results = [*lib.func.jvp(lambda x, c=cube: c.apply(x)[0] * 2, (x,), (t,))]
        results += lib.func.jvp(lambda x, c=cube: c.apply(x.sin())[1].sum(), (x,), (t,))
        results += lib.func.jvp(lambda x, y, o=odd: o.apply(x, 3.0, y), (x, y), (t, t))
        results += lib.func.jvp(lambda x, y=y, o=odd: o.apply(x, 3.0, y).sum(), (x,), (t,))
        results.append(lib.func.jacfwd(lambda x, c=cube: c.apply(x)[0])(x))
        found.append([r.numpy() for r in results])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_dual_tensors(torch):
    found = []
    for lib in (torch, flambeau):
        cube, odd = functions(lib)
        forward_ad = lib.autograd.forward_ad
        with forward_ad.dual_level():
            x = forward_ad.make_dual(lib.tensor(X), lib.tensor(T))
            a = forward_ad.unpack_dual(cube.apply(x)[0]).tangent
            b = forward_ad.unpack_dual(odd.apply(x, 2.0, lib.ones(3))).tangent
        found.append([a.numpy(), b.numpy()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5)


def test_backward_is_asked_in_backward_mode():
    cube, odd = functions(flambeau)
    x = flambeau.tensor(X, requires_grad=True)
    (g,) = flambeau.autograd.grad(cube.apply(x)[0].sum(), x)
    np.testing.assert_allclose(g.numpy(), 3 * X**2)
    (g,) = flambeau.autograd.grad(odd.apply(x, 1.0, x).sum(), x)
    assert g.tolist() == [0, 0, 0]


def test_an_error_in_jvp_reaches_the_caller():
    class Broken(flambeau.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 1

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def jvp(ctx, t):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        flambeau.func.jvp(Broken.apply, (flambeau.ones(2),), (flambeau.ones(2),))
