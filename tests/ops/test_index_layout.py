"""Where the elements of x[...] lie in memory, and those of copies with a layout of their own."""

import math
import random

import pytest

import flambeau


def _indexed(lib, seed):
    """A permuted tensor of random shape, indexed by tensors along some of its dims."""
    choose = random.Random(seed)
    ndim = choose.randint(2, 4)
    shape = [choose.randint(2, 4) for _ in range(ndim)]
    order = choose.sample(range(ndim), ndim)
    x = lib.arange(math.prod(shape)).reshape([shape[order.index(d)] for d in range(ndim)])
    x = x.permute(order)
    index = [slice(None)] * ndim
    for d in choose.sample(range(ndim), choose.randint(1, ndim)):
        rows = [choose.randrange(shape[d]) for _ in range(2)]
        index[d] = lib.tensor([rows, rows] if choose.random() < 0.3 else rows)
    return x[tuple(index)]


def _layout(x):
    return [s for s, n in zip(x.stride(), x.shape, strict=True) if n > 1]


@pytest.mark.parametrize("seed", range(60))
def test_indexed(torch, seed):
    ours, theirs = _indexed(flambeau, seed), _indexed(torch, seed)
    assert ours.tolist() == theirs.tolist()
    assert _layout(ours) == _layout(theirs)
    assert ours._base is None


def test_columns_are_contiguous():
    x = flambeau.arange(12.0, requires_grad=True)
    columns = x.reshape(3, 4)[:, flambeau.tensor([2, 0])]
    assert columns.view(-1).tolist() == [2, 0, 6, 4, 10, 8]
    assert columns.grad_fn.name() == "IndexBackward0"
    (columns * flambeau.tensor([1.0, 10.0])).sum().backward()
    assert x.grad.tolist() == [10, 0, 1, 0] * 3


@pytest.mark.parametrize("name", ["tril", "triu", "roll"])
def test_copies_without_the_order_of_dims(torch, name):
    for order in ((1, 0, 2), (2, 1, 0), (0, 2, 1)):
        for given in (0, 1):
            args = (given, 0) if name == "roll" else (given,)
            ours = getattr(flambeau.arange(24).reshape(2, 3, 4).permute(order), name)(*args)
            theirs = getattr(torch.arange(24).reshape(2, 3, 4).permute(order), name)(*args)
            assert ours.tolist() == theirs.tolist()
            assert ours.stride() == theirs.stride()
