"""`flambeau.nn.parallel.scatter_gather`."""

import collections

import pytest

import flambeau
from flambeau.nn.parallel import gather, scatter

TWO = ["cpu", flambeau.device("cpu")]
Pair = collections.namedtuple("Pair", ["x", "y"])


def lists(value):
    """The same structure with lists in place of tensors."""
    if isinstance(value, flambeau.Tensor):
        return value.tolist()
    if isinstance(value, dict):
        return {k: lists(v) for k, v in value.items()}
    if isinstance(value, Pair):
        return Pair(*map(lists, value))
    return type(value)(map(lists, value)) if isinstance(value, (tuple, list)) else value


def test_structures():
    x = flambeau.arange(4)
    first, second = ([0, 1], [2, 3])
    assert lists(scatter(x, TWO)) == [first, second]
    assert lists(scatter([x, (x, 1)], TWO)) == [[first, (first, 1)], [second, (second, 1)]]
    assert lists(scatter({"x": x}, TWO)) == [{"x": first}, {"x": second}]
    assert lists(scatter(Pair(x, "s"), TWO)) == [Pair(first, "s"), Pair(second, "s")]
    assert scatter((), TWO) == [(), ()]
    assert scatter({}, TWO) == [{}, {}]
    assert lists(scatter(flambeau.arange(6).view(2, 3), TWO, dim=1)) == [
        [[0, 1], [3, 4]],
        [[2], [5]],
    ]


def test_fewer_parts_than_devices():
    assert len(scatter((flambeau.arange(1), 5), TWO)) == 1


def test_gather_undoes_it():
    x = flambeau.arange(4)
    for value in (x, [x, (x, x)], {"x": x}, Pair(x, x)):
        assert lists(gather(scatter(value, TWO), "cpu")) == lists(value)
    assert gather([None, None], "cpu") is None


def test_scalars_become_a_vector():
    with pytest.warns(UserWarning, match="all input tensors were scalars"):
        made = gather([flambeau.tensor(1.0), flambeau.tensor(2.0)], "cpu")
    assert made.tolist() == [1.0, 2.0]


def test_dicts_of_different_sizes():
    with pytest.raises(ValueError, match="same number of keys"):
        gather([{}, {"x": flambeau.ones(1)}], "cpu")


def test_gradients():
    x = flambeau.arange(4.0).requires_grad_()
    (gather([part * k for k, part in enumerate(scatter(x, TWO), 1)], "cpu")).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 2.0, 2.0]
