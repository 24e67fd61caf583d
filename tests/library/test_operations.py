"""Operations of one's own: called, derived, registered piece by piece, checked."""

import numpy as np
import pytest

import flambeau
from flambeau import Tensor, library


def sine(name="test::sine"):
    """An operation that NumPy computes."""

    @library.custom_op(name, mutates_args=())
    def op(x: Tensor, by: float = 1.0) -> Tensor:
        return flambeau.from_numpy(by * np.sin(x.numpy(force=True)))

    return op


def test_call():
    """By its object and by its name, with arguments by name and by default."""
    op, x = sine(), flambeau.ones(2)
    assert repr(op) == "<CustomOpDef(test::sine)>"
    assert op(x).tolist() == pytest.approx([np.sin(1)] * 2)
    assert flambeau.ops.test.sine(x, by=2.0).tolist() == pytest.approx([2 * np.sin(1)] * 2)
    assert flambeau.ops.test.sine.default is op
    assert dir(flambeau.ops.test) == ["sine"]
    with pytest.raises(AttributeError, match="has no attribute 'cosine'"):
        flambeau.ops.test.cosine  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nowhere'"):
        flambeau.ops.nowhere  # noqa: B018
    with pytest.raises(RuntimeError, match="for argument 'x' but instead found type 'int'"):
        op(3)
    with pytest.raises(RuntimeError, match="missing value for argument 'x'"):
        op()
    with pytest.raises(RuntimeError, match="expected at most 2"):
        op(x, 1.0, 2.0)
    with pytest.raises(RuntimeError, match="Unknown keyword argument 'z'"):
        op(x, z=1)


def test_gradients():
    """Without a derivative a backward pass is an error, with one it is right."""
    op, x = sine(), flambeau.linspace(0, 1, 3).requires_grad_()
    y = op(x, 2.0)
    assert y.grad_fn.name() == "GeneratedBackwardFor_test_sine_defaultBackward"
    with pytest.raises(RuntimeError, match="no autograd formula was registered"):
        y.sum().backward()

    def setup(ctx, inputs, output):
        ctx.by = inputs[1]
        ctx.save_for_backward(inputs[0])

    op.register_autograd(
        lambda ctx, g: (g * ctx.by * ctx.saved_tensors[0].cos(), None), setup_context=setup
    )
    op(x, 2.0).sum().backward()
    assert x.grad.tolist() == pytest.approx((2 * np.cos([0, 0.5, 1])).tolist())
    with flambeau.no_grad():
        assert not op(x).requires_grad


def test_lists():
    """Lists of tensors, as arguments and results; arguments by keyword only."""

    @library.custom_op("test::scaled", mutates_args=())
    def scaled(xs: list[Tensor], *, by: float = 2.0) -> list[Tensor]:
        return [x * by for x in xs]

    def setup(ctx, inputs, output, keyword_only_inputs):
        ctx.by = keyword_only_inputs["by"]

    scaled.register_autograd(
        lambda ctx, *gs: ([g * ctx.by for g in gs],),
        setup_context=setup,
    )
    a, b = (flambeau.ones(2, requires_grad=True) for _ in range(2))
    c, d = scaled([a, b], by=3.0)
    (c + 2 * d).sum().backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([3, 3], [6, 6])


def test_mutation():
    """Arguments that are changed; results that are arguments are refused."""

    @library.custom_op("test::increase", mutates_args={"x"})
    def increase(x: Tensor) -> None:
        x.add_(1)

    x = flambeau.zeros(2)
    assert increase(x) is None
    assert x.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="non-functional operator"):
        increase.register_autograd(lambda ctx, g: g)

    @library.custom_op("test::same", mutates_args=())
    def same(x: Tensor) -> Tensor:
        return x

    @library.custom_op("test::part", mutates_args=())
    def part(x: Tensor) -> Tensor:
        return x[0]

    for op in (same, part):
        with pytest.raises(RuntimeError, match="must not also be an input"):
            op(flambeau.ones(2))


def test_devices():
    """A function for another device does not compute here; one for this one does."""

    @library.custom_op("test::there", mutates_args=(), device_types="cuda")
    def there(x: Tensor) -> Tensor:
        return x.clone()

    with pytest.raises(NotImplementedError, match="'CPU' backend"):
        there(flambeau.ones(2))

    @library.register_kernel("test::there", "cpu")
    def here(x):
        return x * 5

    assert there(flambeau.ones(2)).tolist() == [5, 5]
    with pytest.raises(AttributeError):
        library.register_kernel("test::nothing", "cpu")
    with pytest.raises(ValueError, match=r"namespace::name"):
        library.custom_op("bad", here, mutates_args=(), schema="(Tensor x) -> Tensor")
    with pytest.raises(ValueError, match="mutates"):
        library.custom_op("a::b", here, mutates_args={"x"}, schema="(Tensor x) -> Tensor")


def test_library():
    """Named first, computed and derived by what comes later."""
    made = library.Library("test", "DEF")
    assert made.define("foo(Tensor x, int n=3) -> Tensor") == "foo"
    with pytest.raises(NotImplementedError):
        flambeau.ops.test.foo(flambeau.ones(2))
    library.Library("test", "IMPL", "CPU").impl("foo", lambda x, n=3: x * n)
    made.impl("foo", lambda x, n=3: flambeau.empty_like(x), "Meta")
    library.register_autograd("test::foo", lambda ctx, g: (g * 3, None))
    x = flambeau.ones(2, requires_grad=True)
    flambeau.ops.test.foo(x).sum().backward()
    assert x.grad.tolist() == [3, 3]
    assert set(library.opcheck(flambeau.ops.test.foo, (x,)).values()) == {"SUCCESS"}
    library.define("test::bar", "(Tensor x) -> Tensor")

    @library.impl("test::bar", "default")
    def bar(x):
        return -x

    assert flambeau.ops.test.bar(flambeau.ones(1)).item() == -1
    for error, call in (
        (RuntimeError, lambda: made.define("foo(Tensor x) -> Tensor")),
        (ValueError, lambda: library.Library("test", "XX")),
        (ValueError, lambda: library.Library("aten", "IMPL")),
        (ValueError, lambda: made.impl("foo", bar, "Odd")),
        (AttributeError, lambda: made.impl("baz", bar)),
    ):
        with pytest.raises(error):
            call()
