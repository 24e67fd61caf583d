"""Two tensors that become each other."""

import pytest

import flambeau
from flambeau.utils import swap_tensors


def kinds():
    """Tensors of several kinds, new ones for each call."""
    ones = flambeau.ones(2)
    return {
        "plain": flambeau.arange(3.0) + 1,
        "pending": flambeau.ones(4).exp(),
        "leaf": flambeau.ones(2, requires_grad=True),
        "computed": flambeau.ones(5, requires_grad=True) * 2,
        "parameter": flambeau.nn.Parameter(flambeau.zeros(2, 2)),
        "view": flambeau.arange(6).view(2, 3)[1],
        "shared": flambeau.from_numpy(ones.numpy()),
    }


@pytest.mark.parametrize("first", kinds())
@pytest.mark.parametrize("second", kinds())
def test_everything_is_exchanged(first, second):
    a, b = kinds()[first], kinds()[second]
    a.mark, ids = 1, (id(a), id(b))
    before = [(type(x), x.tolist(), x.requires_grad, x.is_leaf, x.dtype) for x in (a, b)]
    swap_tensors(a, b)
    after = [(type(x), x.tolist(), x.requires_grad, x.is_leaf, x.dtype) for x in (a, b)]
    assert after == before[::-1]
    assert ids == (id(a), id(b))
    assert b.mark == 1
    assert not hasattr(a, "mark")


def test_gradients_go_along():
    a = flambeau.nn.Parameter(flambeau.ones(2))
    b = flambeau.nn.Parameter(flambeau.full((3,), 2.0))
    (a * 3).sum().backward()
    swap_tensors(a, b)
    assert a.grad is None
    assert b.grad.tolist() == [3.0, 3.0]
    (a * a).sum().backward()
    assert a.grad.tolist() == [4.0, 4.0, 4.0]


def test_memory_goes_along():
    a, b = flambeau.arange(4.0), flambeau.zeros(3)
    view = a.view(2, 2)
    swap_tensors(a, b)
    b[0] = 9.0
    a[0] = 5.0
    assert view.tolist() == [[9.0, 1.0], [2.0, 3.0]]
    view.mul_(2)
    assert b.tolist() == [18.0, 2.0, 4.0, 6.0]
    swap_tensors(b, view)  # of one storage
    assert b.tolist() == [[18.0, 2.0], [4.0, 6.0]]
    view[1] = 0.0
    assert b.tolist() == [[18.0, 0.0], [4.0, 6.0]]


def test_optimizers_see_the_content_of_the_other():
    layer = flambeau.nn.Linear(2, 1, bias=False)
    optimizer = flambeau.optim.SGD(layer.parameters(), lr=1.0)
    swap_tensors(layer.weight, flambeau.nn.Parameter(flambeau.zeros(1, 2)))
    layer(flambeau.ones(1, 2)).sum().backward()
    optimizer.step()
    assert layer.weight.tolist() == [[-1.0, -1.0]]


def test_the_same_and_unlike_classes():
    a = flambeau.ones(1)
    swap_tensors(a, a)
    assert a.tolist() == [1.0]

    class Slotted(flambeau.Tensor):
        __slots__ = ("more",)

    slotted = flambeau.Tensor._make_subclass(Slotted, flambeau.ones(1), False)
    with pytest.raises(RuntimeError, match="different slots"):
        swap_tensors(a, slotted)
