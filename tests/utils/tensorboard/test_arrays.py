"""Arrays as TensorBoard wants them."""

import numpy as np
import pytest

import flambeau
from flambeau.utils.tensorboard import arrays


def test_to_array():
    """Tensors of all sorts, lists and numbers."""
    assert arrays.to_array(flambeau.ones(2, requires_grad=True)).tolist() == [1, 1]
    assert arrays.to_array(flambeau.ones(2, dtype=flambeau.bfloat16)).tolist() == [1, 1]
    assert arrays.to_array([flambeau.ones(2), flambeau.zeros(2)]).shape == (2, 2)
    assert arrays.to_array([1, 2]).tolist() == [1, 2]
    assert arrays.number(flambeau.tensor([[3.0]])) == 3
    with pytest.raises(ValueError, match="one number"):
        arrays.number([1, 2])


def test_edges():
    """Edges grow by a tenth, on both sides of zero."""
    edges = arrays.bucket_edges()
    assert (np.diff(edges) > 0).all()
    assert np.array_equal(edges, -edges[::-1])
    positive = edges[edges > 0]
    assert positive[0] == pytest.approx(1e-12)
    np.testing.assert_allclose(positive[1:] / positive[:-1], 1.1)


def test_histogram():
    """Empty buckets at both ends are left out; neighbours are joined."""
    limits, counts = arrays.histogram([1.0, 2.0, 2.5, 9.0], [0, 1, 2, 3, 10, 20])
    assert limits.tolist() == [1, 2, 3, 10]
    assert counts.tolist() == [0, 1, 2, 1]
    limits, counts = arrays.histogram(np.arange(10.0), 10, max_bins=3)
    assert counts.sum() == 10
    assert len(counts) == 4


def test_pixels():
    """Orders of dims, channels, kinds of numbers."""
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    for order, shape in (("HW", (4, 6)), ("CHW", (1, 4, 6)), ("HWC", (4, 6, 1))):
        made = arrays.pixels(image.reshape(shape), order)
        assert made.shape == (4, 6, 3)
        assert np.array_equal(made[..., 0], image)
    assert arrays.pixels(np.full((2, 2), 0.5), "HW").max() == 127
    assert arrays.pixels(np.full((2, 2), 7.0), "HW").max() == 255
    assert arrays.pixels(np.zeros((3, 1, 2, 2)), "NCHW").shape == (2, 6, 3)
    assert arrays.tiled(np.ones((3, 1, 2, 2)), columns=2).sum() == 12


def test_precision_recall():
    """At each threshold, those at least as sure as it count as found."""
    rows = arrays.precision_recall([0, 1, 1, 0], [0.1, 0.8, 0.4, 0.6], 5, None)
    tp, fp, tn, fn, precision, recall = rows.tolist()
    assert tp == [2, 2, 1, 1, 0]
    assert fp == [2, 1, 1, 0, 0]
    assert tn == [0, 1, 1, 2, 2]
    assert fn == [0, 0, 1, 1, 2]
    assert precision == pytest.approx([0.5, 2 / 3, 0.5, 1, 0])
    assert recall == pytest.approx([1, 1, 0.5, 0.5, 0])
    weighted = arrays.precision_recall([1, 0], [0.9, 0.9], 2, [2.0, 1.0])
    assert weighted[0].tolist() == [2, 0]
