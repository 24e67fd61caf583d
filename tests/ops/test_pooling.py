"""`flambeau.ops.pooling`: sums of windows and positions of largest elements."""

import numpy as np
import pytest

import flambeau
from flambeau.ops import pooling


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
def test_spread_is_the_transpose_of_sum_pool(stride, kernel):
    flambeau.manual_seed(0)
    how = {"kernel": (kernel, 2), "stride": (stride, 3), "before": (1, 0)}
    x = flambeau.randn(2, 9, 7, dtype=flambeau.float64)
    y = flambeau.randn(2, 3, 2, dtype=flambeau.float64)
    pooled = pooling.sum_pool(x, **how, count=(3, 2))
    spread = pooling.spread(y, **how, size=(9, 7))
    np.testing.assert_allclose((pooled * y).sum().item(), (x * spread).sum().item(), rtol=1e-12)


def test_positions():
    x = flambeau.tensor([[1.0, 5.0, 2.0, 5.0], [7.0, 0.0, 3.0, 4.0]])
    how = {"kernel": (2, 2), "stride": (1, 2), "dilation": (1, 1), "before": (1, 0)}
    found = pooling.max_positions(x, **how, count=(2, 2))
    assert found.tolist() == [[1, 3], [4, 3]]
    assert pooling.read_at(x, found, n=2).tolist() == [[5.0, 5.0], [7.0, 5.0]]
    back = pooling.add_at(flambeau.ones(2, 2), found, (2, 4))
    assert back.tolist() == [[0.0, 1.0, 0.0, 2.0], [1.0, 0.0, 0.0, 0.0]]


def test_bounds_of_adaptive_windows():
    starts, ends = pooling.adaptive_bounds(7, 3)
    assert (starts.tolist(), ends.tolist()) == ([0, 2, 4], [3, 5, 7])
    assert pooling.longest(7, 3) == 3
    assert pooling.longest(7, 5) == 3
