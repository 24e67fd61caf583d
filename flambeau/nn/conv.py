"""Convolutional layers of 1, 2 and 3 dims, and transposed ones."""

import math

import flambeau

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .tree import Held

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def per_dim(value, n):
    """A number for each of n dims: those given, or one for all."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


class _ConvNd(Module):
    """What all convolutions share: the options, weight and bias."""

    dims, transposed = 2, False
    weight, bias = Held(), Held()

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
        output_padding=0,
    ):
        super().__init__()
        _check(in_channels, out_channels, groups, stride, padding, padding_mode)
        n = self.dims
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = per_dim(kernel_size, n), per_dim(stride, n)
        self.padding = padding if isinstance(padding, str) else per_dim(padding, n)
        self.dilation = per_dim(dilation, n)
        self.output_padding = per_dim(output_padding, n)
        self.groups, self.padding_mode = groups, padding_mode
        self._reversed_padding_repeated_twice = self._border()
        options = {"device": device, "dtype": dtype}
        self.weight = Parameter(flambeau.empty(self._weight_shape(), **options))
        if bias:
            self.bias = Parameter(flambeau.empty(out_channels, **options))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self):
        channels = self.out_channels, self.in_channels // self.groups
        if self.transposed:
            channels = self.in_channels, self.out_channels // self.groups
        return (*channels, *self.kernel_size)

    def _border(self):
        """The padding as `functional.pad` takes it: (before, after), the last dim first."""
        n = len(self.kernel_size)
        if self.padding == "valid":
            pairs = [(0, 0)] * n
        elif self.padding == "same":
            sizes = zip(self.dilation, self.kernel_size, strict=False)
            totals = [d * (k - 1) for d, k in sizes]
            pairs = [(total // 2, total - total // 2) for total in totals]
        else:
            pairs = [(p, p) for p in self.padding]
        return tuple(p for pair in reversed(pairs) for p in pair)

    def reset_parameters(self):
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            inputs = math.prod(self.weight.shape[1:])
            if inputs:
                bound = 1 / math.sqrt(inputs)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self):
        """The sizes, and the options that are not the default ones."""
        shown = f"{self.in_channels}, {self.out_channels}"
        shown += f", kernel_size={self.kernel_size}, stride={self.stride}"
        usual = (("padding", 0), ("dilation", 1), ("output_padding", 0))
        for name, number in usual:
            value = getattr(self, name)
            if value != (number,) * len(value):
                shown += f", {name}={value}"
        if self.groups != 1:
            shown += f", groups={self.groups}"
        if self.bias is None:
            shown += ", bias=False"
        if self.padding_mode != "zeros":
            shown += f", padding_mode={self.padding_mode}"
        return shown

    def forward(self, input):
        """Convolve (N, C, ...) or (C, ...)."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        how = (self.stride, padding, self.dilation, self.groups)
        return type(self)._function(input, self.weight, self.bias, *how)


def _check(in_channels, out_channels, groups, stride, padding, padding_mode):
    """Raise ValueError for options that can not be."""
    if groups <= 0:
        raise ValueError(f"groups must be a positive integer, not {groups}")
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if channels % groups:
            raise ValueError(f"{name} must be divisible by groups, not {channels} by {groups}")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}"
            )
        if padding == "same" and any(s != 1 for s in per_dim(stride, 1)):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in PADDING_MODES:
        raise ValueError(
            f"padding_mode must be one of {set(PADDING_MODES)}, but got "
            f"padding_mode='{padding_mode}'"
        )


class Conv1d(_ConvNd):
    """Convolutions of signals, (N, C, L) to (N, out, L'); see `Conv2d`."""

    dims = 1
    _function = staticmethod(F.conv1d)


class Conv2d(_ConvNd):
    """Convolutions of images, (N, C, H, W) to (N, out, H', W'); see `functional.conv2d`.

    Parameters: `weight` of shape (out_channels, in_channels / groups, *kernel_size) and `bias` of
    shape (out_channels), drawn uniformly from +-1 / sqrt(in_channels / groups * kernel elements).

    Args:
        padding_mode: what is around images: "zeros", "reflect", "replicate" or "circular".

    Raises ValueError where groups do not divide the channels, or for an unknown padding.

    >>> import flambeau as torch
    >>> layer = torch.nn.Conv2d(16, 33, 3, stride=2)
    >>> layer(torch.zeros(20, 16, 50, 100)).shape
    torch.Size([20, 33, 24, 49])
    """

    _function = staticmethod(F.conv2d)


class Conv3d(_ConvNd):
    """Convolutions of volumes, (N, C, D, H, W) to (N, out, D', H', W'); see `Conv2d`."""

    dims = 3
    _function = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """What transposed convolutions share."""

    transposed = True

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}, not '
                f"{padding_mode!r}"
            )
        super().__init__(
            *(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias),
            **{"device": device, "dtype": dtype, "output_padding": output_padding},
        )

    def forward(self, input, output_size=None):
        """Convolve (N, C, ...) or (C, ...), to `output_size` where strides allow several."""
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(input, tuple(output_size))
        how = (self.stride, self.padding, extra, self.groups, self.dilation)
        return type(self)._function(input, self.weight, self.bias, *how)

    def _extra(self, input, size):
        """The output padding that gives a size."""
        n = self.dims
        if len(size) == input.dim():
            size = size[-n:]
        if len(size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or "
                f"{input.dim()} elements (got {len(size)})"
            )
        options = (self.stride, self.padding, self.dilation, self.kernel_size)
        dims = list(zip(input.shape[-n:], *options, strict=True))
        least = [(have - 1) * s - 2 * p + d * (k - 1) + 1 for have, s, p, d, k in dims]
        most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
        if not all(a <= have <= b for a, have, b in zip(least, size, most, strict=True)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from {least} to {most} "
                f"(for an input of {list(input.shape[-n:])})"
            )
        return tuple(have - low for have, low in zip(size, least, strict=True))


class ConvTranspose1d(_ConvTransposeNd):
    """Transposed convolutions of signals; see `ConvTranspose2d`."""

    dims = 1
    _function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """Transposed convolutions, (N, C, H, W) to (N, out, H', W'); see `functional.conv_transpose2d`.

    Parameters: `weight` of shape (in_channels, out_channels / groups, *kernel_size) and `bias` of
    shape (out_channels), drawn uniformly from +-1 / sqrt(out_channels / groups * kernel elements).

    Raises ValueError where groups do not divide the channels; when called, for an `output_size`
    that strides do not allow.

    >>> import flambeau as torch
    >>> layer = torch.nn.ConvTranspose2d(16, 33, 3, stride=2)
    >>> layer(torch.zeros(2, 16, 5, 10), output_size=(12, 22)).shape
    torch.Size([2, 33, 12, 22])
    """

    _function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """Transposed convolutions of volumes; see `ConvTranspose2d`."""

    dims = 3
    _function = staticmethod(F.conv_transpose3d)
