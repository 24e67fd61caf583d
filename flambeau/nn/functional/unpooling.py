"""The inverse of max pooling: elements back where they were, zeros elsewhere."""

from ...ops import pooling as ops
from ...ops.core import composite
from .window import numbers, require_tensor

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


@composite
def _unpool(x, positions, *, size):
    return ops.add_at(x, positions, size, "set")


@_unpool.vjp
def _(g, out, x, positions, *, size):
    return ops.read_at(g, positions, n=len(size)), None


def _output_size(x, kernel, stride, padding, given):
    """The sizes of the result: those given, if they are near the ones that pooling started from."""
    n = len(kernel)
    dims = zip(x.shape[-n:], kernel, stride, padding, strict=True)
    sizes = [(s - 1) * t + k - 2 * p for s, k, t, p in dims]
    if given is None:
        return tuple(sizes)
    given = tuple(given)
    if len(given) == n + 2:
        given = given[2:]
    if len(given) != n:
        raise ValueError(
            f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a "
            f"length of '{len(given)}'"
        )
    for d, (size, usual, step) in enumerate(zip(given, sizes, stride, strict=True)):
        if not usual - step < size < usual + step:
            raise ValueError(
                f'invalid output_size "{given}" (dim {d} must be between {usual - step} and '
                f"{usual + step})"
            )
    return given


def _max_unpool(n, name, input, indices, kernel_size, stride, padding, output_size):
    require_tensor(name, input=input, indices=indices)
    kernel = numbers(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None or stride in ((), []) else numbers(name, "stride", stride, n)
    padding = numbers(name, "padding", padding, n)
    size = _output_size(input, kernel, stride, padding, output_size)
    if str(indices._meta.dtype.name) != "int64":
        raise RuntimeError(
            f"elements in indices should be type int64 but got: {indices._meta.dtype.name}"
        )
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(
            f"Input to {name} should be a {n + 1}d or {n + 2}d Tensor, but got a tensor with "
            f"{input.dim()} dimensions."
        )
    if input.shape != indices.shape:
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(input.shape)}) but got indices tensor with shape: {list(indices.shape)}"
        )
    if 0 in input.shape[-n - 1 :]:
        raise RuntimeError(
            f"{name}(): Expected input to have non-zero size for non-batch dimensions, but got "
            f"{list(input.shape)}"
        )
    if min(stride) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(stride)}")
    if not input._meta.dtype.is_floating_point:
        raise NotImplementedError(f'"{name}" not implemented for {input._meta.dtype.name} tensors')
    return _unpool(input, indices, size=size)


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements of a signal back where `max_pool1d` found them; see `max_unpool2d`."""
    how = (kernel_size, stride, padding, output_size)
    return _max_unpool(1, "max_unpool1d", input, indices, *how)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements back where `max_pool2d` found them, and zeros elsewhere.

    Args:
        input, indices: what `max_pool2d` returns with `return_indices`.
        kernel_size, stride, padding: of that pooling.
        output_size: that of its input, where more than one size is pooled to the same.

    Raises ValueError for a size that could not have been pooled to this one.

    >>> import flambeau as torch
    >>> x = torch.arange(16.0).reshape(1, 4, 4)
    >>> largest, where = torch.nn.functional.max_pool2d(x, 2, return_indices=True)
    >>> torch.nn.functional.max_unpool2d(largest, where, 2)[0, 1]
    tensor([0., 5., 0., 7.])
    """
    how = (kernel_size, stride, padding, output_size)
    return _max_unpool(2, "max_unpool2d", input, indices, *how)


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements of a volume back where `max_pool3d` found them; see `max_unpool2d`."""
    how = (kernel_size, stride, padding, output_size)
    return _max_unpool(3, "max_unpool3d", input, indices, *how)
