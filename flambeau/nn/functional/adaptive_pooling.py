"""Pooling to a given size: adaptive, and fractional with random windows."""

import flambeau

from ...ops import pooling as ops
from .window import require_tensor, whole

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]


def _require_floating(name, x):
    if not x._meta.dtype.is_floating_point:
        raise NotImplementedError(f'"{name}" not implemented for {x._meta.dtype.name} tensors')


def _sizes(name, x, n, output_size):
    """The sizes asked for, None meaning the input's; checked with the input."""
    require_tensor(name, input=x)
    several = isinstance(output_size, (tuple, list))
    if x.dim() not in (n + 1, n + 2):
        error = ValueError if several and x.dim() <= len(output_size) and n > 1 else RuntimeError
        raise error(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(x.shape)}")
    sizes = list(output_size) if several else [output_size] * n
    if len(sizes) != n:
        raise RuntimeError(f"{name}: output_size must be {n}, but got {sizes}")
    pairs = zip(sizes, x.shape[-n:], strict=True)
    sizes = whole(name, "output_size", [have if size is None else size for size, have in pairs])
    if min(sizes) < 0:
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0, but got "
            f"{list(sizes)}"
        )
    return sizes


def _require_elements(name, x, dims):
    if 0 in x.shape[-dims:]:
        empty = x.dim() - dims + list(x.shape[-dims:]).index(0)
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input "
            f"has sizes {list(x.shape)} with dimension {empty} being empty"
        )


def _nothing(x, n, sizes):
    """The result where a size is zero."""
    return x.reshape(-1)[:0].reshape((*x.shape[:-n], *sizes))


def _adaptive_avg(n, name, input, output_size):
    sizes = _sizes(name, input, n, output_size)
    _require_elements(name, input, n)
    _require_floating(name, input)
    if 0 in sizes:
        return _nothing(input, n, sizes)
    return ops.adaptive_mean(input, count=sizes)


def adaptive_avg_pool1d(input, output_size):
    """The means of as many windows as asked for; see `adaptive_avg_pool2d`."""
    return _adaptive_avg(1, "adaptive_avg_pool1d", input, output_size)


def adaptive_avg_pool2d(input, output_size):
    """The means of windows that cover the input, as many as asked for.

    Window i of m along a dim of size n is from floor(i n / m) to ceil((i + 1) n / m).

    Args:
        input: of shape (N, C, H, W) or (C, H, W).
        output_size: an int or one for each dim, None for the size of the input.

    >>> import flambeau as torch
    >>> x = torch.arange(16.0).reshape(1, 4, 4)
    >>> torch.nn.functional.adaptive_avg_pool2d(x, 1)
    tensor([[[7.5000]]])
    """
    return _adaptive_avg(2, "adaptive_avg_pool2d", input, output_size)


def adaptive_avg_pool3d(input, output_size):
    """The means of as many windows as asked for; see `adaptive_avg_pool2d`."""
    return _adaptive_avg(3, "adaptive_avg_pool3d", input, output_size)


def _adaptive_max(n, name, input, output_size, return_indices):
    sizes = _sizes(name, input, n, output_size)
    _require_elements(name, input, n + 1)
    _require_floating(name, input)
    have = tuple(input.shape[-n:])
    if 0 in sizes:
        empty = _nothing(input, n, sizes)
        return (empty, empty.long()) if return_indices else empty
    if all(h % s == 0 for h, s in zip(have, sizes, strict=True)):  # windows of one size
        kernel = tuple(h // s for h, s in zip(have, sizes, strict=True))
        how = {"kernel": kernel, "stride": kernel, "dilation": (1,) * n, "before": (0,) * n}
        how["count"] = sizes
        if not return_indices:
            return ops.max_pool[n](input, **how)
        positions = ops.max_positions(input, **how)
    else:
        bounds = [ops.adaptive_bounds(h, s) for h, s in zip(have, sizes, strict=True)]
        longest = tuple(ops.longest(h, s) for h, s in zip(have, sizes, strict=True))
        flat = [b.unsqueeze(0) for pair in zip(*bounds, strict=True) for b in pair]
        rows = input.detach().reshape((-1, *have)) if input.numel() else input.new_zeros((0, *have))
        positions = ops.bounded_positions(rows, *flat, kernel=longest)
        positions = positions.reshape((*input.shape[:-n], *sizes))
    out = ops.read_at(input, positions, n=n)
    return (out, positions) if return_indices else out


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """(`adaptive_max_pool1d`, where in the input the largest elements are)."""
    return _adaptive_max(1, "adaptive_max_pool1d", input, output_size, True)


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """(`adaptive_max_pool2d`, where in the input the largest elements are)."""
    return _adaptive_max(2, "adaptive_max_pool2d", input, output_size, True)


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """(`adaptive_max_pool3d`, where in the input the largest elements are)."""
    return _adaptive_max(3, "adaptive_max_pool3d", input, output_size, True)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The largest elements of as many windows as asked for; see `adaptive_max_pool2d`."""
    return _adaptive_max(1, "adaptive_max_pool1d", input, output_size, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """The largest elements of windows that cover the input, as many as asked for.

    Args: as those of `adaptive_avg_pool2d`, and
        return_indices: whether to return also where the elements are, counted row by row.

    >>> import flambeau as torch
    >>> x = torch.arange(16.0).reshape(1, 4, 4)
    >>> torch.nn.functional.adaptive_max_pool2d(x, (1, 2))
    tensor([[[13., 15.]]])
    """
    return _adaptive_max(2, "adaptive_max_pool2d", input, output_size, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """The largest elements of as many windows as asked for; see `adaptive_max_pool2d`."""
    return _adaptive_max(3, "adaptive_max_pool3d", input, output_size, return_indices)


# Random windows


def _fractional_sizes(name, x, n, kernel_size, output_size, output_ratio):
    """(kernel, sizes), checked."""
    require_tensor(name, input=x)
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if x.dim() not in (n + 1, n + 2) or 0 in x.shape[-n - 1 :]:
        error = IndexError if x.dim() <= n else RuntimeError
        raise error(
            f"{name}(): Expected {n + 1}D or {n + 2}D tensor with non-empty non-batch dims, but "
            f"got: {list(x.shape)}"
        )
    if output_size is None:
        if len(output_ratio) != n:
            raise ValueError(f"{name} requires output_ratio to have {n} numbers: {output_ratio}")
        output_size = [int(s * r) for s, r in zip(x.shape[-n:], output_ratio, strict=True)]
    kernel, sizes = whole(name, "kernel_size", kernel_size), whole(name, "output_size", output_size)
    for what, values in (("kernel_size", kernel), ("output_size", sizes)):
        if len(values) not in (1, n):
            raise RuntimeError(f"{name}: {what} must be a single int or {n}: {list(values)}")
    kernel, sizes = (v * n if len(v) == 1 else v for v in (kernel, sizes))
    for have, k, size in zip(x.shape[-n:], kernel, sizes, strict=True):
        if k < 1 or size < 1 or size + k - 1 > have:
            raise RuntimeError(
                f"{name}(): {size} windows of size {k} do not fit into input of size {have}: pool "
                f"too large relative to input {list(x.shape)}"
            )
    return kernel, sizes


def _starts(samples, have, kernel, count):
    """Where windows start: floor((i + u) a) - floor(u a), the last one at the end of the dim.

    samples: u, of shape [rows]; a = (have - kernel) / (count - 1) (arXiv:1412.6071).
    """
    last = have - kernel
    if count == 1:
        return flambeau.full((samples.shape[0], 1), last, dtype=flambeau.int64)
    alpha = last / (count - 1)
    i = flambeau.arange(count - 1, dtype=samples.dtype)
    u = samples.unsqueeze(1)
    starts = ((i + u) * alpha).to(flambeau.int64) - (u * alpha).to(flambeau.int64)
    return flambeau.cat([starts, flambeau.full((len(u), 1), last, dtype=flambeau.int64)], 1)


def _fractional(n, name, input, kernel_size, output_size, output_ratio, return_indices, samples):
    how = (kernel_size, output_size, output_ratio)
    kernel, sizes = _fractional_sizes(name, input, n, *how)
    _require_floating(name, input)
    have, batch = tuple(input.shape[-n:]), input.shape[0] if input.dim() == n + 2 else 1
    channels = input.shape[-n - 1]
    if samples is None:
        samples = flambeau.rand(batch, channels, n, dtype=input.dtype)
    elif tuple(samples.shape[1:]) != (channels, n) or samples.shape[0] < batch:
        raise RuntimeError(
            f"{name}: expected _random_samples of shape {[batch, channels, n]}, for the batch, the "
            f"channels and the dims, but got {list(samples.shape)}"
        )
    samples = samples.detach()[:batch].reshape((batch * channels, n))
    # Of two dims the first sample is for the last one.
    order = (1, 0) if n == 2 else range(n)
    dims = zip(order, have, kernel, sizes, strict=True)
    starts = [_starts(samples[:, d], h, k, size) for d, h, k, size in dims]
    ends = [s + k for s, k in zip(starts, kernel, strict=True)]
    rows = input.detach().reshape((batch * channels, *have))
    positions = ops.bounded_positions(rows, *starts, *ends, kernel=kernel)
    positions = positions.reshape((*input.shape[:-n], *sizes))
    out = ops.read_at(input, positions, n=n)
    return (out, positions) if return_indices else out


def fractional_max_pool2d_with_indices(
    input,
    kernel_size,
    output_size=None,
    output_ratio=None,
    return_indices=False,
    _random_samples=None,
):
    """(`fractional_max_pool2d`, where in the input the largest elements are)."""
    how = (kernel_size, output_size, output_ratio, True, _random_samples)
    return _fractional(2, "fractional_max_pool2d", input, *how)


def fractional_max_pool3d_with_indices(
    input,
    kernel_size,
    output_size=None,
    output_ratio=None,
    return_indices=False,
    _random_samples=None,
):
    """(`fractional_max_pool3d`, where in the input the largest elements are)."""
    how = (kernel_size, output_size, output_ratio, True, _random_samples)
    return _fractional(3, "fractional_max_pool3d", input, *how)


def fractional_max_pool2d(
    input,
    kernel_size,
    output_size=None,
    output_ratio=None,
    return_indices=False,
    _random_samples=None,
):
    """The largest elements of windows at random distances (arXiv:1412.6071).

    Args:
        input: of shape (N, C, H, W) or (C, H, W).
        kernel_size: of a window, an int or one for each dim.
        output_size: how many windows, an int or one for each dim.
        output_ratio: the same as parts of the size of the input.
        return_indices: whether to return also where the elements are, counted row by row.
        _random_samples: numbers in [0, 1) of shape (N, C, 2) to take instead of random ones.

    Raises ValueError without a size or ratio, RuntimeError where windows do not fit.
    """
    how = (kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return _fractional(2, "fractional_max_pool2d", input, *how)


def fractional_max_pool3d(
    input,
    kernel_size,
    output_size=None,
    output_ratio=None,
    return_indices=False,
    _random_samples=None,
):
    """The largest elements of windows at random distances; see `fractional_max_pool2d`."""
    how = (kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return _fractional(3, "fractional_max_pool3d", input, *how)
