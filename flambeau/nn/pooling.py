"""Layers that pool windows: their largest elements, means and norms."""

from . import functional as F
from .conv import per_dim
from .module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _Pool(Module):
    """`shown`: the options that are printed."""

    shown = ()

    def extra_repr(self):
        """The options."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class _MaxPoolNd(_Pool):
    shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        dilation=1,
        return_indices=False,
        ceil_mode=False,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def forward(self, input):
        """The largest elements of windows of (N, C, ...) or (C, ...)."""
        how = (self.kernel_size, self.stride, self.padding, self.dilation)
        return type(self)._function(input, *how, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPoolNd):
    """The largest elements of windows of signals; see `functional.max_pool2d`."""

    _function = staticmethod(F.max_pool1d)


class MaxPool2d(_MaxPoolNd):
    """The largest elements of windows of images; see `functional.max_pool2d`.

    >>> import flambeau as torch
    >>> torch.nn.MaxPool2d(3, stride=2)(torch.zeros(20, 16, 50, 32)).shape
    torch.Size([20, 16, 24, 15])
    """

    _function = staticmethod(F.max_pool2d)


class MaxPool3d(_MaxPoolNd):
    """The largest elements of windows of volumes; see `functional.max_pool2d`."""

    _function = staticmethod(F.max_pool3d)


class _MaxUnpoolNd(_Pool):
    shown, dims = ("kernel_size", "stride", "padding"), 2

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = per_dim(kernel_size, self.dims)
        self.stride = per_dim(kernel_size if stride is None else stride, self.dims)
        self.padding = per_dim(padding, self.dims)

    def forward(self, input, indices, output_size=None):
        """Elements back where pooling found them, and zeros elsewhere."""
        how = (self.kernel_size, self.stride, self.padding, output_size)
        return type(self)._function(input, indices, *how)


class MaxUnpool1d(_MaxUnpoolNd):
    """The inverse of `MaxPool1d`; see `functional.max_unpool2d`."""

    dims = 1
    _function = staticmethod(F.max_unpool1d)


class MaxUnpool2d(_MaxUnpoolNd):
    """The inverse of `MaxPool2d`; see `functional.max_unpool2d`."""

    _function = staticmethod(F.max_unpool2d)


class MaxUnpool3d(_MaxUnpoolNd):
    """The inverse of `MaxPool3d`; see `functional.max_unpool2d`."""

    dims = 3
    _function = staticmethod(F.max_unpool3d)


class AvgPool1d(_Pool):
    """The means of windows of signals; see `functional.avg_pool2d`."""

    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True
    ):
        super().__init__()
        self.kernel_size = per_dim(kernel_size, 1)
        self.stride = per_dim(kernel_size if stride is None else stride, 1)
        self.padding = per_dim(padding, 1)
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input):
        """The means of windows of (N, C, L) or (C, L)."""
        how = (self.kernel_size, self.stride, self.padding)
        return F.avg_pool1d(input, *how, self.ceil_mode, self.count_include_pad)


class _AvgPoolNd(_Pool):
    shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, input):
        """The means of windows of (N, C, ...) or (C, ...)."""
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode)
        how += (self.count_include_pad, self.divisor_override)
        return type(self)._function(input, *how)


class AvgPool2d(_AvgPoolNd):
    """The means of windows of images; see `functional.avg_pool2d`."""

    _function = staticmethod(F.avg_pool2d)


class AvgPool3d(_AvgPoolNd):
    """The means of windows of volumes; see `functional.avg_pool2d`."""

    _function = staticmethod(F.avg_pool3d)


class _LPPoolNd(_Pool):
    shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type, self.kernel_size = norm_type, kernel_size
        self.stride, self.ceil_mode = stride, ceil_mode

    def forward(self, input):
        """The norms of windows of (N, C, ...) or (C, ...)."""
        how = (float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)
        return type(self)._function(input, *how)


class LPPool1d(_LPPoolNd):
    """The norms of windows of signals; see `functional.lp_pool2d`."""

    _function = staticmethod(F.lp_pool1d)


class LPPool2d(_LPPoolNd):
    """The norms of windows of images; see `functional.lp_pool2d`."""

    _function = staticmethod(F.lp_pool2d)


class LPPool3d(_LPPoolNd):
    """The norms of windows of volumes; see `functional.lp_pool2d`."""

    _function = staticmethod(F.lp_pool3d)


class _AdaptiveMaxPoolNd(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size, return_indices=False):
        super().__init__()
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, input):
        """The largest elements of as many windows as asked for."""
        return type(self)._function(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """As many largest elements as asked for; see `functional.adaptive_max_pool2d`."""

    _function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """As many largest elements as asked for; see `functional.adaptive_max_pool2d`."""

    _function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """As many largest elements as asked for; see `functional.adaptive_max_pool2d`."""

    _function = staticmethod(F.adaptive_max_pool3d)


class _AdaptiveAvgPoolNd(_Pool):
    shown = ("output_size",)

    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def forward(self, input):
        """The means of as many windows as asked for."""
        return type(self)._function(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """As many means as asked for; see `functional.adaptive_avg_pool2d`."""

    _function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """As many means as asked for; see `functional.adaptive_avg_pool2d`.

    >>> import flambeau as torch
    >>> torch.nn.AdaptiveAvgPool2d((5, 7))(torch.zeros(1, 64, 8, 9)).shape
    torch.Size([1, 64, 5, 7])
    """

    _function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """As many means as asked for; see `functional.adaptive_avg_pool2d`."""

    _function = staticmethod(F.adaptive_avg_pool3d)


class _FractionalMaxPool(Module):
    """Raises ValueError unless one of `output_size` and `output_ratio` is given."""

    dims = 2

    def __init__(
        self,
        kernel_size,
        output_size=None,
        output_ratio=None,
        return_indices=False,
        _random_samples=None,
    ):
        super().__init__()
        name, n = type(self).__name__, self.dims
        self.kernel_size, self.return_indices = per_dim(kernel_size, n), return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else per_dim(output_size, n)
        self.output_ratio = None if output_ratio is None else per_dim(output_ratio, n)
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{name} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input):
        """The largest elements of windows at random distances."""
        how = (self.kernel_size, self.output_size, self.output_ratio, self.return_indices)
        return type(self)._function(input, *how, _random_samples=self._random_samples)


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest elements of random windows; see `functional.fractional_max_pool2d`."""

    _function = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest elements of random windows; see `functional.fractional_max_pool2d`."""

    dims = 3
    _function = staticmethod(F.fractional_max_pool3d)
