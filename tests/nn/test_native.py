"""The norms with their statistics and the convolutions beneath `nn.functional`, against PyTorch."""

import numpy as np
import pytest

import flambeau

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 4, 6)).astype("float32")
W = RNG.standard_normal(4).astype("float32")


def both(torch, call, *arrays):
    """Results and gradients of the first one must be equal in both libraries."""
    found = []
    for lib in (torch, flambeau):
        tensors = [lib.tensor(a, requires_grad=True) for a in arrays]
        results = call(lib, *tensors)
        results = results if isinstance(results, tuple) else (results,)
        (results[0] * results[0]).sum().backward()
        found.append([r.detach().numpy() for r in results] + [t.grad.numpy() for t in tensors])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


def test_native_layer_norm(torch):
    both(torch, lambda m, x: m.native_layer_norm(x, [6], None, None, 1e-5), X)
    weights = RNG.standard_normal((2, 4, 6)).astype("float32")
    both(torch, lambda m, x, w, b: m.native_layer_norm(x, [4, 6], w, b, 1e-5), X, *weights)


def test_native_group_norm(torch):
    both(torch, lambda m, x, w: m.native_group_norm(x, w, None, 2, 4, 6, 2, 1e-5), X, W)
    for lib in (torch, flambeau):
        with pytest.raises(RuntimeError):
            lib.native_group_norm(lib.ones(2, 4, 6), None, None, 2, 4, 7, 2, 1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_native_batch_norm(torch, training):
    def call(lib, x, w):
        mean, var = lib.zeros(4), lib.ones(4)
        out = lib.native_batch_norm(x, w, None, mean, var, training, 0.1, 1e-5)
        return *out, mean, var

    both(torch, call, X, W)


def test_convolution_forwards_and_transposed(torch):
    weight = RNG.standard_normal((4, 2, 3)).astype("float32")
    both(
        *(torch, lambda m, x, w: m.convolution(x, w, None, [2], [1], [1], True, [1], 1)),
        *(X, weight),
    )
    both(
        *(torch, lambda m, x, w: m.convolution(x, w, None, [2], [1], [1], False, [0], 2)),
        *(X, weight),
    )


def test_conv_tbc(torch):
    x, w = (RNG.standard_normal(s).astype("float32") for s in ((7, 2, 3), (3, 3, 5)))
    b = RNG.standard_normal(5).astype("float32")
    both(torch, lambda m, x, w, b: m.conv_tbc(x, w, b, 1), x, w, b)
    with pytest.raises(RuntimeError):
        flambeau.conv_tbc(flambeau.ones(2, 3), flambeau.ones(1, 2, 3), flambeau.ones(3))
