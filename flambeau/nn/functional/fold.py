"""Windows of images as columns, and columns summed back into images."""

import math

from ... import dtypes
from ...ops.unfold import fit, fold_op, reach, windows_op
from .window import require_tensor, whole

__all__ = ["fold", "unfold"]


def _pair(argument, value, name):
    values = whole(name, argument, value)
    if len(values) not in (1, 2):
        raise RuntimeError(f"It is expected {argument} equals to 2, but got size {len(values)}")
    return values * 2 if len(values) == 1 else values


def _geometry(name, kernel_size, dilation, padding, stride):
    kernel = _pair("kernel_size", kernel_size, name)
    dilation, stride = _pair("dilation", dilation, name), _pair("stride", stride, name)
    padding = _pair("padding", padding, name)
    for what, values in (("kernel size", kernel), ("dilation", dilation), ("stride", stride)):
        if min(values) <= 0:
            raise RuntimeError(f"{what} should be greater than zero, but got {list(values)}")
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got {list(padding)}")
    return kernel, dilation, padding, stride


def _counts(size, kernel, dilation, padding, stride):
    window = reach((1, 1), stride, kernel, dilation)
    sizes = zip(size, padding, window, stride, strict=True)
    return tuple((n + 2 * p - w) // s + 1 for n, p, w, s in sizes)


def _require_dtype(name, x):
    kind = x._meta.dtype
    if kind.category == dtypes.INT:
        raise NotImplementedError(f'"{name}" not implemented for {kind.name} tensors')


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of images as columns: (N, C, H, W) gives (N, C * height * width, windows).

    Args:
        input: of shape (N, C, H, W) or (C, H, W).
        kernel_size: of a window, an int or (height, width).

    Raises RuntimeError where no window fits.

    >>> import flambeau as torch
    >>> torch.nn.functional.unfold(torch.zeros(1, 3, 10, 12), (4, 5)).shape
    torch.Size([1, 60, 56])
    """
    require_tensor("unfold", input=input)
    kernel, dilation, padding, stride = _geometry("unfold", kernel_size, dilation, padding, stride)
    if input.dim() not in (3, 4):
        error = IndexError if input.dim() < 3 else RuntimeError
        raise error(f"unfold(): expected a 3D or 4D tensor, but got: {list(input.shape)}")
    if 0 in input.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(input.shape)}"
        )
    _require_dtype("unfold", input)
    size = tuple(input.shape[-2:])
    count = _counts(size, kernel, dilation, padding, stride)
    if min(count) < 1:
        raise RuntimeError(
            f"Given input with spatial size {size}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, calculated shape of the array of sliding blocks as {count}, but "
            "its components must be at least one."
        )
    x = fit(input, padding, reach(count, stride, kernel, dilation))
    x = windows_op(x, kernel=kernel, count=count, stride=stride, dilation=dilation)
    rows = input.shape[-3] * math.prod(kernel)
    return x.reshape((*input.shape[:-3], rows, math.prod(count)))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns summed where `unfold` took them from: (N, C * height * width, windows) in.

    Args:
        input: of shape (N, C * height * width, windows), or without N.
        output_size: of the images, an int or (height, width).

    Returns: images of shape (N, C, *output_size). Raises RuntimeError where sizes do not fit.

    >>> import flambeau as torch
    >>> torch.nn.functional.fold(torch.ones(1, 4, 4), (3, 3), 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    require_tensor("fold", input=input)
    size = _pair("output_size", output_size, "fold")
    kernel, dilation, padding, stride = _geometry("fold", kernel_size, dilation, padding, stride)
    if input.dim() not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(input.shape)}"
        )
    rows, columns = input.shape[-2:]
    if rows % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, "
            f"but got input.size(1)={rows} and kernel_size={kernel}."
        )
    count = _counts(size, kernel, dilation, padding, stride)
    if min(count) < 1 or math.prod(count) != columns:
        raise RuntimeError(
            f"Given output_size={size}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match "
            f"the calculated number of sliding blocks {count[0]} * {count[1]} = "
            f"{math.prod(count)}, but got input.size(2)={columns}."
        )
    _require_dtype("fold", input)
    if input._meta.dtype is dtypes.bool_:
        return fold(input.int().float(), size, kernel, dilation, padding, stride) > 0
    x = input.reshape((*input.shape[:-2], rows // math.prod(kernel), *kernel, *count))
    return fold_op(x, size=size, before=padding, stride=stride, dilation=dilation)
