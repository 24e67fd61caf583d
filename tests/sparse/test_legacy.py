"""`torch.sparse.FloatTensor` and the other constructors by element type, against PyTorch."""

import re

import pytest

import flambeau

CASES = """
T.sparse.FloatTensor(i, v, T.Size([2, 3])); T.sparse.FloatTensor(i, v); T.sparse.FloatTensor()
T.sparse.FloatTensor(2, 3); T.sparse.FloatTensor(T.Size([2, 3])); T.sparse.LongTensor(2, 3)
T.sparse.FloatTensor(i, v.double(), T.Size([2, 3])); T.sparse.LongTensor(i, i[0], T.Size([2, 3]))
T.sparse.FloatTensor(i.int(), v, T.Size([2, 3])); T.sparse.FloatTensor([[0], [0]], [1.0])
T.sparse.FloatTensor(i, v, (3,)); T.sparse.FloatTensor.dtype; T.sparse.FloatTensor.layout
isinstance(s, T.sparse.FloatTensor); isinstance(s, T.sparse.LongTensor)
isinstance(d, T.sparse.FloatTensor); isinstance(s, T.FloatTensor); isinstance(d, T.FloatTensor)
s.type(T.sparse.DoubleTensor); s.type("torch.sparse.DoubleTensor"); d.type(T.sparse.LongTensor)
repr(T.sparse.HalfTensor); T.spmm(s, d.t()); T.dsmm(s, d.t())
"""


@pytest.mark.parametrize("expression", re.split(r"[;\n]\s*", CASES.strip()))
def test_as_in_torch(same, expression):
    same(expression)


def test_gradient_of_the_values():
    values = flambeau.tensor([1.0, 2.0], requires_grad=True)
    x = flambeau.sparse.FloatTensor(flambeau.tensor([[0, 1], [1, 0]]), values, (2, 2))
    flambeau.spmm(x, flambeau.ones(2, 1)).sum().backward()
    assert values.grad.tolist() == [1.0, 1.0]
