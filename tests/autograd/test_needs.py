"""Second backward passes: refused where the derivative uses a value that was given up."""

import pytest

import flambeau
from flambeau.autograd.needs import needs_of
from flambeau.ops.core import OPS
from flambeau.recorder.handle import intern

EXPRESSIONS = """
x * 2 | x * w | x * c | x / 2 | 2 / x | x + 1 | 1 - x | x + w | x - 1 | -x | x ** 2 | x.exp()
t.lerp(x, w, 0.3) | t.lerp(x, w, c) | t.lerp(x, c, c) | t.fmod(x, 2.0) | t.fmod(x, c) | x % 2
t.fmod(x, w) | t.remainder(x, c) | x.view(2, 2).tril() | x.view(2, 2).triu() | x.unfold(0, 2, 1)
x.index_add(0, i, w[:2]) | x.index_add(0, i, c[:2]) | c.index_add(0, i, x[:2])
x.index_fill(0, i, 1.0) | x.index_select(0, i) | x[i] | x[c > 0] | x.gather(0, i)
x.scatter(0, i, c[:2]) | x.masked_fill(c > 0, 1.0) | t.where(c > 0, x, w) | x.relu()
x.clamp(0, 1) | x.abs() | x.sum() | x.mean() | x.view(2, 2).sum(0) | x.view(2, 2).mean(0)
x.prod() | x.var() | x.norm() | x.cumsum(0) | x.cumprod(0) | x.max() | x.sort()[0]
t.einsum('i,i->i', x, w) | t.einsum('ij->ji', x.view(2, 2)) | t.einsum('ij->i', x.view(2, 2))
x.view(2, 2) @ w.view(2, 2) | x.dot(w) | t.cat([x, w]) | t.stack([x, w]) | x.split(2)[0]
x.flip(0) | x.roll(1) | x.repeat(2) | t.nn.functional.pad(x, (1, 1)) | x.softmax(0)
x.sigmoid() | x.tanh() | x.sign() | x.floor() | x.diag() | x.view(2, 2).diagonal() | x.double()
x.expand(3, 4) | x.view(2, 2).permute(1, 0) | x.clone() | t.addcmul(x, c, c) | x.unbind()[0]
t.addcmul(x, w, c) | t.maximum(x, c) | t.nn.functional.mse_loss(x, c) | x.as_strided((2,), (1,))
x.clone().fill_(0) | x.clone().mul_(2) | x.clone().add_(w) | x.diff() | x.as_strided((2,), (2,))
t.nn.functional.layer_norm(x, (4,)) | t.nn.functional.linear(x, w.view(1, 4)) | t.kron(x, c)
"""
CASES = [e.strip() for line in EXPRESSIONS.strip().splitlines() for e in line.split("|")]


def second(t, expression, sync):
    """Whether a second backward pass is refused, None where there is no first one."""
    x = t.tensor([0.4, 0.6, 0.8, 1.2], requires_grad=True)
    w = t.tensor([0.5, 0.7, 0.9, 1.1], requires_grad=True)
    c, i = t.tensor([0.3, 1.7, 0.1, 0.9]), t.tensor([0, 1])
    y = eval(expression, {"t": t, "x": x, "w": w, "c": c, "i": i})
    if not y.requires_grad:
        return None
    if sync:
        y.tolist()
    y.backward(t.ones_like(y))
    try:
        y.backward(t.ones_like(y))
    except RuntimeError as error:
        return "second time" in str(error) or str(error)
    return False


@pytest.mark.parametrize("expression", CASES)
def test_as_in_torch(torch, expression):
    wanted = second(torch, expression, False)
    assert second(flambeau, expression, False) == wanted
    assert second(flambeau, expression, True) == wanted


def test_only_what_the_wanted_gradients_use_counts():
    kind = flambeau.float32
    plain, tracked = intern((3,), kind), intern((3,), kind, requires_grad=True)
    product = OPS["mul"]
    assert needs_of(product, (tracked, tracked), (), (tracked,)) == (0, 1)
    assert needs_of(product, (tracked, plain), (), (tracked,)) == (1,)
    assert needs_of(product, (plain, tracked), (), (tracked,)) == (0,)
    assert needs_of(OPS["exp"], (tracked,), (), (tracked,)) == (-1,)
    assert needs_of(OPS["add"], (tracked, tracked), (), (tracked,)) == ()


def test_graphs_of_a_freed_pass_give_the_same_again():
    x = flambeau.arange(4.0).requires_grad_()
    y = x.view(2, 2).tril()
    for _ in range(3):
        y.backward(flambeau.ones(2, 2))
    assert x.grad.tolist() == [3.0, 0.0, 3.0, 3.0]
