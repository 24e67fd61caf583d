"""Convolutions of 1, 2 and 3 dims, and the convolutions transposed."""

from ... import dtypes
from ...ops import convolution as ops
from ...ops.unfold import reach
from .window import as_batch, require_tensor, whole

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def _per_dim(argument, value, n, name):
    values = whole(name, argument, value)
    if len(values) not in (1, n):
        raise RuntimeError(
            f"expected {argument} to be a single integer value or a list of {n} values to match "
            f"the convolution dimensions, but got {argument}={list(values)}"
        )
    return values * n if len(values) == 1 else values


def _check_numbers(stride, padding, dilation, groups):
    if groups <= 0:
        raise RuntimeError(f"non-positive groups is not supported: groups={groups}")
    if min(stride) <= 0:
        raise RuntimeError(f"non-positive stride is not supported: stride={list(stride)}")
    if min(padding) < 0:
        raise RuntimeError(f"negative padding is not supported: padding={list(padding)}")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")


def _check_operands(name, x, weight, bias, groups, transposed):
    """Raise RuntimeError where sizes or dtypes do not fit; channels are dim 1 of the input."""
    size, given = list(weight.shape), f"Given transposed={int(transposed)}, " * transposed
    outputs = size[1] * groups if transposed else size[0]
    if size[0] < groups or size[1] < transposed:
        dim = int(size[0] >= groups)
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {1 if dim else groups} at "
            f"dimension {dim}, but got weight of size {size} instead"
        )
    if size[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size {size} instead"
        )
    channels = size[0] if transposed else size[1] * groups
    if x.shape[1] != channels:
        given = given or f"Given groups={groups}, "
        raise RuntimeError(
            f"{given}weight of size {size}, expected input{list(x.shape)} to have {channels} "
            f"channels, but got {x.shape[1]} channels instead"
        )
    if bias is not None and tuple(bias.shape) != (outputs,):
        raise RuntimeError(
            f"{given or 'Given '}weight of size {size}, expected bias to be 1-dimensional with "
            f"{outputs} elements, but got bias of size {list(bias.shape)} instead"
        )
    for what, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.dtype != x.dtype:
            raise RuntimeError(
                f"Input type ({x.dtype}) and {what} type ({other.dtype}) should be the same "
                f"({name}())"
            )
    kind = x._meta.dtype
    if kind is dtypes.bool_ or (transposed and kind.category == dtypes.INT and kind.itemsize < 8):
        raise NotImplementedError(f'"{name}" not implemented for {kind.name} tensors')


def _check_sizes(x, kernel):
    if min(kernel) <= 0:
        raise RuntimeError(f"kernel size should be greater than zero, but got {kernel}")
    if 0 in x.shape[2:]:
        raise RuntimeError(
            "Only zero batch or zero channel inputs are supported, but got input shape: "
            f"{list(x.shape)}"
        )


def _times(sizes):
    return "(" + " x ".join(map(str, sizes)) + ")"


def _batched(name, input, weight, n):
    require_tensor(name, input=input, weight=weight)
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input "
            f"of size: {list(input.shape)}"
        )
    if weight.dim() != n + 2:
        raise RuntimeError(
            f"{name}: expected weight to have {n + 2} dims, but got weight of size "
            f"{list(weight.shape)}"
        )
    return as_batch(input, n)


def _string_padding(padding, kernel, stride, dilation):
    """(in front, behind) of each dim."""
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(s != 1 for s in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return [(t // 2, t - t // 2) for t in totals]


def _convolution(n, name, input, weight, bias, stride, padding, dilation, groups):
    x, single = _batched(name, input, weight, n)
    stride, dilation = _per_dim("stride", stride, n, name), _per_dim("dilation", dilation, n, name)
    kernel = tuple(weight.shape[2:])
    if isinstance(padding, str):
        pads = _string_padding(padding, kernel, stride, dilation)
    else:
        pads = [(p, p) for p in _per_dim("padding", padding, n, name)]
    _check_numbers(stride, [front for front, _ in pads], dilation, groups)
    _check_operands(name, x, weight, bias, groups, False)
    window = reach((1,) * n, stride, kernel, dilation)
    padded = [size + front + back for size, (front, back) in zip(x.shape[2:], pads, strict=True)]
    if any(w > size for w, size in zip(window, padded, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: {_times(padded)}. Kernel size: "
            f"{_times(window)}. Kernel size can't be greater than actual input size"
        )
    _check_sizes(x, kernel)
    count = [(p - w) // s + 1 for p, w, s in zip(padded, window, stride, strict=True)]
    before = tuple(front for front, _ in pads)
    out = ops.convolution(
        *(x, weight, bias),
        **{"stride": stride, "dilation": dilation, "groups": groups},
        **{"before": before, "count": tuple(count)},
    )
    return out.squeeze(0) if single else out


def _conv_transpose(
    n, name, input, weight, bias, stride, padding, output_padding, groups, dilation
):
    x, single = _batched(name, input, weight, n)
    stride, dilation = _per_dim("stride", stride, n, name), _per_dim("dilation", dilation, n, name)
    padding = _per_dim("padding", padding, n, name)
    extra = _per_dim("output_padding", output_padding, n, name)
    _check_numbers(stride, padding, dilation, groups)
    if min(extra) < 0:
        raise RuntimeError(f"negative output_padding is not supported: {list(extra)}")
    _check_operands(name, x, weight, bias, groups, True)
    kernel = tuple(weight.shape[2:])
    _check_sizes(x, kernel)
    if any(e >= s and e >= d for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            f"output_padding={list(extra)}, stride={list(stride)}, dilation={list(dilation)}"
        )
    whole = reach(x.shape[2:], stride, kernel, dilation)
    size = tuple(w - 2 * p + e for w, p, e in zip(whole, padding, extra, strict=True))
    if min(size) < 0:
        raise RuntimeError(
            f"Given input size per channel: {_times(x.shape[2:])}. Calculated output size per "
            f"channel: {_times(size)}. Output size is too small"
        )
    out = ops.transposed(
        *(x, weight, bias),
        **{"stride": stride, "dilation": dilation, "groups": groups},
        **{"before": padding, "size": size},
    )
    return out.squeeze(0) if single else out


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Products of kernels with windows of a signal; see `conv2d`.

    >>> import flambeau as torch
    >>> x = torch.tensor([[[1.0, 2.0, 4.0, 8.0]]])
    >>> torch.nn.functional.conv1d(x, torch.tensor([[[-1.0, 1.0]]]))
    tensor([[[1., 2., 4.]]])
    """
    return _convolution(1, "conv1d", input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """out[n, o, p] = bias[o] + sum over c and k of weight[o, c, k] * input[n, c, window p at k].

    Args:
        input: of shape (N, C, H, W) or (C, H, W).
        weight: of shape (out, C / groups, kernel height, kernel width).
        bias: of shape (out).
        stride: elements from one window to the next; an int or one for each dim.
        padding: zeros on both sides; "valid" for none, "same" for as many as keep the size.
        dilation: elements from one of a window to its next.
        groups: into how many parts the channels fall, each seen by the outputs of its part only.

    Raises RuntimeError naming the shapes where they do not fit.

    >>> import flambeau as torch
    >>> x, w = torch.ones(1, 3, 8, 8), torch.ones(5, 3, 3, 3)
    >>> torch.nn.functional.conv2d(x, w, padding=1).shape
    torch.Size([1, 5, 8, 8])
    """
    return _convolution(2, "conv2d", input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Products of kernels with windows of a volume; see `conv2d`."""
    return _convolution(3, "conv3d", input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The input gradient of `conv1d` as a function of its own; see `conv_transpose2d`."""
    return _conv_transpose(
        *(1, "conv_transpose1d", input, weight, bias),
        *(stride, padding, output_padding, groups, dilation),
    )


def conv_transpose2d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The input gradient of `conv2d`: each element adds a multiple of the kernels to the result.

    A size becomes (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1.

    Args:
        input: of shape (N, C, H, W) or (C, H, W).
        weight: of shape (C, out / groups, kernel height, kernel width).
        bias: of shape (out).
        output_padding: how much longer the result is at its ends.

    Raises RuntimeError naming the shapes where they do not fit.

    >>> import flambeau as torch
    >>> x, w = torch.ones(1, 3, 4, 4), torch.ones(3, 5, 2, 2)
    >>> torch.nn.functional.conv_transpose2d(x, w, stride=2).shape
    torch.Size([1, 5, 8, 8])
    """
    return _conv_transpose(
        *(2, "conv_transpose2d", input, weight, bias),
        *(stride, padding, output_padding, groups, dilation),
    )


def conv_transpose3d(
    input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
):
    """The input gradient of `conv3d` as a function of its own; see `conv_transpose2d`."""
    return _conv_transpose(
        *(3, "conv_transpose3d", input, weight, bias),
        *(stride, padding, output_padding, groups, dilation),
    )
