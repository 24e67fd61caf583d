"""Pooling: the largest elements, means and norms of windows."""

import math

import flambeau

from ... import dtypes
from ...ops import pooling as ops
from ...ops.unfold import reach
from .window import numbers, require_tensor

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]


def _require_batch(name, x, n):
    """Raise RuntimeError unless `x` has n dims behind channels, of which none is empty."""
    require_tensor(name, input=x)
    if x.dim() not in (n + 1, n + 2) or 0 in x.shape[-n - 1 :]:
        raise RuntimeError(
            f"{name}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch "
            f"size for input, but got: {list(x.shape)}"
        )


def _refuse(name, x, accepted):
    kind = x._meta.dtype
    if not accepted(kind):
        raise NotImplementedError(f'"{name}" not implemented for {kind.name} tensors')


def _check_numbers(name, kernel, stride, padding, dilation):
    for argument, values in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(values) <= 0:
            raise RuntimeError(
                f"{name}: {argument} should be greater than zero, but got {list(values)}"
            )
    if min(padding) < 0:
        raise RuntimeError(f"{name}: pad must be non-negative, but got pad: {list(padding)}")
    for p, k, d in zip(padding, kernel, dilation, strict=True):
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={p}, kernel_size={k} and dilation={d}"
            )


def _count(size, padding, window, stride, ceil_mode):
    """How many windows a dim has; with `ceil_mode` the last may reach beyond the end."""
    room = size + 2 * padding - window
    count = (room + (stride - 1 if ceil_mode else 0)) // stride + 1
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1  # a window must not start behind the input
    return count


def _geometry(name, x, n, kernel_size, stride, padding, dilation, ceil_mode):
    """The keyword arguments `kernel`, `stride`, `dilation`, `before` and `count`; checked."""
    kernel = numbers(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None or stride in ((), []) else numbers(name, "stride", stride, n)
    padding = numbers(name, "padding", padding, n)
    dilation = numbers(name, "dilation", dilation, n)
    _check_numbers(name, kernel, stride, padding, dilation)
    window = reach((1,) * n, stride, kernel, dilation)
    sizes = zip(x.shape[-n:], padding, window, stride, strict=True)
    count = tuple(_count(*numbers, ceil_mode) for numbers in sizes)
    if min(count) < 1:
        given, made = ("x".join(map(str, (x.shape[-n - 1], *s))) for s in (x.shape[-n:], count))
        raise RuntimeError(
            f"{name}: Given input size: ({given}). Calculated output size: ({made}). Output size "
            "is too small"
        )
    return {
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "before": padding,
        "count": count,
    }


def _max_pool(n, name, input, kernel_size, stride, padding, dilation, ceil_mode, indices):
    _require_batch(name, input, n)
    how = _geometry(name, input, n, kernel_size, stride, padding, dilation, ceil_mode)
    least = dtypes.FLOAT if n == 1 and not indices else dtypes.INT
    _refuse(name, input, lambda kind: least <= kind.category <= dtypes.FLOAT)
    if not indices:
        return ops.max_pool[n](input, **how)
    positions = ops.max_positions(input, **how)
    return ops.read_at(input, positions, n=n), positions


def max_pool1d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """(`max_pool1d`, where in the input the largest elements are)."""
    how = (kernel_size, stride, padding, dilation, ceil_mode, True)
    return _max_pool(1, "max_pool1d", input, *how)


def max_pool2d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """(`max_pool2d`, where in the input the largest elements are, counted row by row)."""
    how = (kernel_size, stride, padding, dilation, ceil_mode, True)
    return _max_pool(2, "max_pool2d", input, *how)


def max_pool3d_with_indices(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """(`max_pool3d`, where in the input the largest elements are, counted row by row)."""
    how = (kernel_size, stride, padding, dilation, ceil_mode, True)
    return _max_pool(3, "max_pool3d", input, *how)


def max_pool1d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest elements of windows of a signal; see `max_pool2d`."""
    how = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(1, "max_pool1d", input, *how)


def max_pool2d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest elements of windows.

    Args:
        input: of shape (N, C, H, W) or (C, H, W).
        kernel_size: of a window, an int or one for each dim.
        stride: elements from one window to the next; that is its size by default.
        padding: how many elements windows may reach beyond both sides, at most half of one.
        dilation: elements from one of a window to its next.
        ceil_mode: whether a last window may reach beyond the end.
        return_indices: whether to return also where the elements are, counted row by row.

    Raises RuntimeError where no window fits.

    >>> import flambeau as torch
    >>> x = torch.arange(16.0).reshape(1, 4, 4)
    >>> torch.nn.functional.max_pool2d(x, 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    how = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(2, "max_pool2d", input, *how)


def max_pool3d(
    input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False
):
    """The largest elements of windows of a volume; see `max_pool2d`."""
    how = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(3, "max_pool3d", input, *how)


def _avg_pool(n, name, input, kernel_size, stride, padding, ceil_mode, include, divisor):
    _require_batch(name, input, n)
    how = _geometry(name, input, n, kernel_size, stride, padding, 1, ceil_mode)
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor must be not zero")
    _refuse(name, input, lambda kind: kind.is_floating_point or kind is dtypes.int64)
    del how["dilation"]
    return ops.avg_pool(input, **how, padding=bool(include), divisor=divisor)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The means of windows of a signal; see `avg_pool2d`."""
    how = (kernel_size, stride, padding, ceil_mode, count_include_pad, None)
    return _avg_pool(1, "avg_pool1d", input, *how)


def avg_pool2d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The means of windows.

    Args: as those of `max_pool2d`, and
        padding: how many zeros to add on both sides.
        count_include_pad: whether these count as elements.
        divisor_override: what to divide sums by instead of the number of elements.

    >>> import flambeau as torch
    >>> x = torch.arange(16.0).reshape(1, 4, 4)
    >>> torch.nn.functional.avg_pool2d(x, 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    how = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _avg_pool(2, "avg_pool2d", input, *how)


def avg_pool3d(
    input,
    kernel_size,
    stride=None,
    padding=0,
    ceil_mode=False,
    count_include_pad=True,
    divisor_override=None,
):
    """The means of windows of a volume; see `avg_pool2d`."""
    how = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _avg_pool(3, "avg_pool3d", input, *how)


def _lp_pool(n, name, input, norm_type, kernel_size, stride, ceil_mode):
    require_tensor(name, input=input)
    kernel = numbers(name, "kernel_size", kernel_size, n)
    how = (kernel, stride, 0, ceil_mode, True, None)
    means = _avg_pool(n, name, input.pow(norm_type), *how)
    means = flambeau.where(means == 0, 0.0, means)  # its root has gradient zero there
    return (means * math.prod(kernel)).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p over each window)^(1/p) of a signal; see `lp_pool2d`."""
    return _lp_pool(1, "lp_pool1d", input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p over each window)^(1/p), where p is `norm_type`.

    Args: as those of `max_pool2d`.

    >>> import flambeau as torch
    >>> torch.nn.functional.lp_pool2d(torch.ones(1, 2, 2), 2, 2)
    tensor([[[2.]]])
    """
    return _lp_pool(2, "lp_pool2d", input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of x^p over each window)^(1/p) of a volume; see `lp_pool2d`."""
    return _lp_pool(3, "lp_pool3d", input, norm_type, kernel_size, stride, ceil_mode)
