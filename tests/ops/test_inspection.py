"""Small methods of tensors."""

import numpy as np

import flambeau


def test_facts():
    """What a tensor is."""
    x = flambeau.zeros(2, 3)
    assert x.is_cpu
    assert not x.is_nested
    assert not x.is_inference()
    assert x.names == (None, None)
    assert x.dim_order() == (0, 1)
    assert x.t().dim_order() == (1, 0)
    assert x.is_same_size(flambeau.ones(2, 3))
    assert x.is_set_to(x.view(2, 3))
    assert not x.is_set_to(x.clone())
    assert flambeau.tensor(2).is_nonzero()


def test_python_functions():
    """apply_, map_ and map2_ call a Python function for each element."""
    x = flambeau.arange(4.0)
    assert x.apply_(lambda v: v * v) is x
    assert x.tolist() == [0, 1, 4, 9]
    x.map_(flambeau.ones(1), lambda a, b: a + b)
    assert x.tolist() == [1, 2, 5, 10]
    x.map2_(x, x, lambda a, b, c: a + b - c)
    assert x.tolist() == [1, 2, 5, 10]


def test_making():
    """`new` makes tensors of the same dtype; `set_` sees other memory."""
    x = flambeau.ones(2, dtype=flambeau.float64)
    assert x.new(2, 3).shape == (2, 3)
    assert x.new([1, 2]).tolist() == [1, 2]
    assert x.new(flambeau.zeros(2, 1).shape).shape == (2, 1)
    assert x.new().dtype is flambeau.float64
    y = flambeau.zeros(2, dtype=flambeau.float64)
    y.set_(x)
    x[0] = 5
    assert y.tolist() == [5, 1]


def test_python_protocols():
    """reversed(), and NumPy functions that give a tensor."""
    x = flambeau.arange(3)
    assert reversed(x).tolist() == [2, 1, 0]
    assert isinstance(np.add(x, x), flambeau.Tensor)
    assert np.add(x, x).tolist() == [0, 2, 4]
