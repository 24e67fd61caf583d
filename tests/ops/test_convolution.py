"""`flambeau.ops.convolution`: three bilinear maps that are the derivatives of one another."""

import numpy as np
import pytest

import flambeau
from flambeau.ops.convolution import convolution, kernel_gradient, transposed


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (1, 2), (2, 1), (3, 2)])
def test_all_three_give_the_same_sum(groups, stride, dilation):
    flambeau.manual_seed(0)
    x, w, y = (
        flambeau.randn(*shape, dtype=flambeau.float64)
        for shape in ((2, 4, 9, 8), (6, 4 // groups, 3, 2), (2, 6, 3, 4))
    )
    how = {"stride": (stride, 1), "dilation": (dilation, 2), "groups": groups, "before": (1, 0)}
    sums = (
        (convolution(x, w, None, **how, count=(3, 4)) * y).sum().item(),
        (transposed(y, w, None, **how, size=(9, 8)) * x).sum().item(),
        (kernel_gradient(x, y, **how, kernel=(3, 2)) * w).sum().item(),
    )
    np.testing.assert_allclose(sums, sums[0], rtol=1e-12)
