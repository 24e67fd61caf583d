"""Views in place: the tensor itself gets another shape, and gradients still pass."""

import numpy as np
import pytest

import flambeau


def test_shape_and_memory():
    """Writes after t_() go to the same memory."""
    x = flambeau.arange(6.0).reshape(2, 3)
    base = x.view(6)
    assert x.t_() is x
    assert x.shape == (3, 2)
    assert x.stride() == (1, 3)
    x[0, 1] = 9
    assert base.tolist() == [0, 1, 2, 9, 4, 5]


def test_of_a_part():
    """A view of a part of another tensor."""
    x = flambeau.arange(6.0)
    part = x[1:4]
    part.unsqueeze_(0).mul_(2)
    assert x.tolist() == [0, 2, 4, 6, 4, 5]
    assert part.shape == (1, 3)


@pytest.mark.parametrize("sync", [False, True])
def test_gradient(torch, sync):
    """Through transpose_, squeeze_ and a write after them, with a sync between or without."""
    grads = []
    for lib in (flambeau, torch):
        x = lib.arange(6.0).reshape(2, 3).requires_grad_()
        y = (x * 2).unsqueeze(0)
        y.squeeze_(0).transpose_(0, 1)
        y.mul_(y.detach() + 1)
        if sync:
            y.detach().numpy()
        (y * y).sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(*grads, rtol=1e-6)


def test_leaf_is_refused():
    """A leaf that requires a gradient can not change."""
    with pytest.raises(RuntimeError, match="leaf Variable"):
        flambeau.ones(2, 3, requires_grad=True).t_()
