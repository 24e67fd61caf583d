"""`flambeau.ops.unfold`: windows, their sums, and what pads them."""

import numpy as np
import pytest

import flambeau
from flambeau.ops.unfold import fit, fold_op, reach, windows_op


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2])
def test_fold_is_the_transpose_of_windows(stride, dilation):
    flambeau.manual_seed(0)
    how = {"stride": (stride, 1), "dilation": (dilation, 3)}
    kernel, count, before = (3, 2), (3, 4), (1, 2)
    covered = reach(count, how["stride"], kernel, how["dilation"])
    size = tuple(n - b for n, b in zip(covered, before, strict=True))
    x = flambeau.randn(2, *size, dtype=flambeau.float64)
    y = flambeau.randn(2, *kernel, *count, dtype=flambeau.float64)
    seen = windows_op(fit(x, before, covered), kernel=kernel, count=count, **how)
    summed = fold_op(y, size=size, before=before, **how)
    np.testing.assert_allclose((seen * y).sum().item(), (x * summed).sum().item(), rtol=1e-12)


def test_windows_come_after_their_elements():
    x = flambeau.arange(5)
    how = {"kernel": (2,), "count": (2,), "stride": (2,), "dilation": (2,)}
    assert windows_op(x, **how).tolist() == [[0, 2], [2, 4]]


def test_fit_pads_and_crops():
    x = flambeau.arange(1, 5).reshape(2, 2)
    assert fit(x, (1, -1), (3, 3), value=9).tolist() == [[9, 9, 9], [2, 9, 9], [4, 9, 9]]
    assert fit(x, (0, 0), (2, 2)) is x
    assert fit(x, (-5, 0), (1, 2)).tolist() == [[0, 0]]


def test_gradient_of_fit():
    x = flambeau.randn(2, 3, dtype=flambeau.float64, requires_grad=True)
    for before, size in (((1, 2), (4, 6)), ((-1, 1), (3, 2)), ((0, -2), (2, 4))):

        def f(x, before=before, size=size):
            return fit(x, before, size)

        assert flambeau.autograd.gradcheck(f, (x,))
        assert flambeau.autograd.gradgradcheck(f, (x,))
