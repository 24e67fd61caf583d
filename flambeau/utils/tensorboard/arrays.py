"""What TensorBoard shows as NumPy arrays: images, sounds and histograms."""

import math

import numpy as np

from ...extras import optional
from ...recorder.handle import Tensor

__all__ = [
    "bucket_edges",
    "histogram",
    "number",
    "pixels",
    "precision_recall",
    "sound",
    "tiled",
    "to_array",
    "with_boxes",
]


def to_array(x):
    """A tensor, an array, a number or a list as an array."""
    if isinstance(x, Tensor):
        x = x.detach()
        return (x.float() if x.dtype.coded else x).numpy()
    if isinstance(x, (list, tuple)) and x and isinstance(x[0], Tensor):
        return np.stack([to_array(item) for item in x])
    return np.asarray(x)


def number(x):
    """The one number in `x`. Raises ValueError if there are more."""
    array = to_array(x)
    if array.size != 1:
        raise ValueError(f"expected one number, got an array of shape {array.shape}")
    return float(array.reshape(()))


def bucket_edges():
    """The edges of the buckets that suit numbers of any size: a tenth apart, on both sides of 0."""
    steps = math.ceil(math.log(1e20 / 1e-12) / math.log(1.1))
    positive = 1e-12 * np.cumprod(np.full(steps, 1.1)) / 1.1
    return np.concatenate([-positive[::-1], [0.0], positive])


def histogram(values, bins, max_bins=None):
    """(limits, counts): how many values are at most each limit, and above the one before.

    Args: bins: those of `numpy.histogram`, or "tensorflow" for `bucket_edges`; max_bins: neighbours
        are joined until there are not more. Raises ValueError for no values.
    """
    values = to_array(values).astype(np.float64).reshape(-1)
    if not values.size:
        raise ValueError("The input has no element.")
    counts, edges = np.histogram(values, bins=bucket_edges() if bins == "tensorflow" else bins)
    if max_bins is not None and len(counts) > max_bins:
        together = -(-len(counts) // max_bins)
        counts = np.add.reduceat(counts, np.arange(0, len(counts), together))
        edges = np.append(edges[:-1:together], edges[-1])
    filled = np.flatnonzero(counts)
    if not filled.size:
        raise ValueError("The histogram is empty, please file a bug report.")
    first, last = filled[0], filled[-1] + 1
    return edges[first : last + 1], np.concatenate([[0], counts[first:last]])


def _scale(image):
    """255 for floats, which go from 0 to 1, else 1."""
    return 1 if image.dtype == np.uint8 else 255


def _bytes(image):
    return np.clip(image.astype(np.float32) * _scale(image), 0, 255).astype(np.uint8)


def tiled(images, columns=8):
    """Images [N, C, H, W] side by side in one [C, H, W], `columns` in a row."""
    count, channels, height, width = images.shape
    across = min(count, columns)
    down = -(-count // across)
    result = np.zeros((channels, down * height, across * width), images.dtype)
    for k, image in enumerate(images):
        y, x = k // across * height, k % across * width
        result[:, y : y + height, x : x + width] = image
    return result


def pixels(image, dataformats):
    """An image, or several in a grid, as bytes [H, W, 3 or 4].

    Args: dataformats: a letter for each dim: of N (images), C (1, 3 or 4 channels), H and W.
    Raises: ValueError if that does not fit.
    """
    image, order = to_array(image), dataformats.upper()
    if len(set(order)) != len(order) or not set("HW") <= set(order) <= set("NCHW"):
        raise ValueError(f"dataformats {dataformats}: expected each of H and W, maybe N, C, once")
    if len(order) != image.ndim:
        raise ValueError(
            f"size of input tensor and input format are different: {image.shape} is not {order}"
        )
    axes = [order.index(letter) for letter in "NCHW" if letter in order]
    image = image.transpose(axes)
    if "C" not in order:
        image = np.expand_dims(image, -3)
    if "N" in order:
        image = tiled(image)
    if image.shape[0] == 1:
        image = image.repeat(3, 0)
    if image.shape[0] not in (3, 4):
        raise ValueError(f"an image has 1, 3 or 4 channels, not {image.shape[0]}")
    return _bytes(image.transpose(1, 2, 0))


def with_boxes(image, boxes, labels=None):
    """An image [H, W, C] of bytes with red boxes (left, top, right, bottom) and their labels."""
    picture = optional("PIL.Image", "tensorboard").fromarray(image[..., :3])
    draw = optional("PIL.ImageDraw", "tensorboard").Draw(picture)
    for k, box in enumerate(to_array(boxes).reshape(-1, 4).tolist()):
        draw.rectangle(box, outline="red", width=2)
        if labels:
            draw.text(box[:2], str(labels[k]), fill="black")
    return np.asarray(picture)


def sound(wave):
    """A sound between -1 and 1, [frames] or [1, frames], as 16-bit numbers."""
    wave = to_array(wave).squeeze()
    if wave.ndim != 1:
        raise ValueError("input tensor should be 1 dimensional.")
    return (np.clip(wave, -1, 1) * np.iinfo(np.int16).max).astype("<i2")


def precision_recall(labels, predictions, thresholds, weights):
    """[6, thresholds]: true and false positives, true and false negatives, precision, recall.

    Args: labels: of two classes; predictions: how sure each is of class 1; weights: of each, or
        None.
    """
    labels = to_array(labels).reshape(-1).astype(bool)
    predictions = to_array(predictions).reshape(-1)
    if weights is None:
        weights = 1.0
    weights = np.broadcast_to(to_array(weights).astype(np.float64), labels.shape)
    bucket = np.floor(predictions * (thresholds - 1)).astype(np.int64)

    def above(chosen):
        counts = np.bincount(bucket[chosen], weights[chosen], minlength=thresholds)
        return counts[::-1].cumsum()[::-1]

    tp, fp = above(labels), above(~labels)
    tn, fn = fp[0] - fp, tp[0] - tp
    tiny = 1e-7
    precision, recall = tp / np.maximum(tiny, tp + fp), tp / np.maximum(tiny, tp + fn)
    return np.stack([tp, fp, tn, fn, precision, recall])
