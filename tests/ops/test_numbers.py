"""Numbers in the place of tensors."""

import pytest

import flambeau

CALLS = {
    "add": lambda t, x: t.add(2, x),
    "add of two": lambda t, x: t.add(2, 3.5),
    "add with alpha": lambda t, x: t.add(2, x, alpha=3),
    "sub": lambda t, x: t.sub(1.5, x),
    "subtract": lambda t, x: t.subtract(2, x),
    "mul": lambda t, x: t.mul(0.5, x),
    "multiply": lambda t, x: t.multiply(2, x),
    "div": lambda t, x: t.div(2, x),
    "div of two": lambda t, x: t.div(2, 3),
    "div rounded": lambda t, x: t.div(7, x, rounding_mode="floor"),
    "div truncated": lambda t, x: t.div(-7, x, rounding_mode="trunc"),
    "divide": lambda t, x: t.divide(2, x),
    "true_divide": lambda t, x: t.true_divide(2, x),
    "floor_divide": lambda t, x: t.floor_divide(7, x),
}


@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("name", CALLS)
def test_first_operand(torch, name, dtype):
    ours, theirs = (
        CALLS[name](t, t.tensor([1, 2, 4], dtype=getattr(t, dtype))) for t in (flambeau, torch)
    )
    assert str(ours.dtype) == str(theirs.dtype)
    assert ours.tolist() == theirs.tolist()


def test_gradient():
    x = flambeau.tensor([1.0, 2.0], requires_grad=True)
    flambeau.sub(1, flambeau.mul(3, x)).sum().backward()
    assert x.grad.tolist() == [-3.0, -3.0]


def test_what_is_no_number():
    with pytest.raises(TypeError, match="must be Tensor"):
        flambeau.add("a", flambeau.ones(2))
