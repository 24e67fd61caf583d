"""Layers for windows of images as columns, and columns as images."""

from . import functional as F
from .module import Module

__all__ = ["Fold", "Unfold"]


class _Windows(Module):
    shown = ("kernel_size", "dilation", "padding", "stride")

    def extra_repr(self):
        """The options."""
        return ", ".join(f"{name}={getattr(self, name)}" for name in self.shown)


class Fold(_Windows):
    """Columns summed where `Unfold` takes them from; see `functional.fold`."""

    shown = ("output_size", *_Windows.shown)

    def __init__(self, output_size, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.output_size, self.kernel_size = output_size, kernel_size
        self.dilation, self.padding, self.stride = dilation, padding, stride

    def forward(self, input):
        """(N, C * kernel elements, windows) to (N, C, *output_size)."""
        how = (self.kernel_size, self.dilation, self.padding, self.stride)
        return F.fold(input, self.output_size, *how)


class Unfold(_Windows):
    """The windows of images as columns; see `functional.unfold`."""

    def __init__(self, kernel_size, dilation=1, padding=0, stride=1):
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input):
        """(N, C, H, W) to (N, C * kernel elements, windows)."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)
