"""`observe` sees every operation that is recorded, and nothing afterwards."""

import flambeau
from flambeau.autograd.operations import observe


def test_forward_and_backward():
    """Operations of both passes, with operands and results."""
    seen = []
    x = flambeau.ones(3, requires_grad=True)
    with observe(lambda op, operands, attrs, result: seen.append((op.name, operands, result))):
        y = (x * 2).exp().sum()
        names = [name for name, *_ in seen]
        y.backward()
    assert names == ["mul", "exp", "sum"]
    assert seen[0][1][0] is x
    assert seen[2][2] is y
    assert len(seen) > 3
    count = len(seen)
    x.exp()
    assert len(seen) == count


def test_nested():
    """Both see what is recorded within."""
    outer, inner, x = [], [], flambeau.ones(2)
    with observe(lambda op, *_: outer.append(op.name)):
        with observe(lambda op, *_: inner.append(op.name)):
            x.exp()
        x.sin()
    assert inner == ["exp"]
    assert outer == ["exp", "sin"]
