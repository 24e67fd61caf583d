"""Memory orders, and memory shared with other libraries."""

import numpy as np
import pytest

import flambeau


def test_strides():
    """empty_strided and empty_permuted lie in memory as asked."""
    assert flambeau.empty_strided((2, 3), (1, 2)).stride() == (1, 2)
    assert flambeau.empty_permuted((2, 3, 4), (0, 2, 1)).stride() == (12, 1, 3)
    made = flambeau.ones(2, dtype=flambeau.int64).new_empty_strided((2, 2), (1, 2))
    assert made.dtype is flambeau.int64
    with pytest.raises(RuntimeError, match="mismatch in length"):
        flambeau.empty_strided((2, 3), (1,))
    with pytest.raises(RuntimeError, match="physical_layout"):
        flambeau.empty_permuted((2, 3), (0, 2))


def test_dlpack_shares():
    """Writes are seen on the other side, both ways."""
    array = np.arange(3.0)
    x = flambeau.from_dlpack(array)
    array[0] = 7
    assert x.tolist() == [7, 1, 2]
    y = np.from_dlpack(flambeau.ones(2, 2))
    assert y.tolist() == [[1, 1], [1, 1]]
    assert flambeau.utils.dlpack.from_dlpack(flambeau.to_dlpack(x)).tolist() == [7, 1, 2]
    assert x.__dlpack_device__() == (1, 0)


def test_dlpack_refuses():
    """A tensor that requires a gradient must be detached first."""
    with pytest.raises(BufferError, match="require gradient"):
        flambeau.ones(2, requires_grad=True).__dlpack__()
    with pytest.raises(TypeError):
        flambeau.to_dlpack(1)
