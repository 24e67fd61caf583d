"""Layers that move elements between channels and space, or mix channels between groups."""

from . import functional as F
from .module import Module

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Channels made space: (*, C * r^2, H, W) becomes (*, C, H * r, W * r) (arXiv:1609.05158).

    >>> import flambeau as torch
    >>> torch.nn.PixelShuffle(3)(torch.zeros(1, 9, 4, 4)).shape
    torch.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input):
        """The larger image."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self):
        """The factor r."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Space made channels: (*, C, H * r, W * r) becomes (*, C * r^2, H, W)."""

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input):
        """The smaller image with more channels."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self):
        """The factor r."""
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """Channels (N, g * C, *) dealt out to groups: (N, C * g, *)."""

    def __init__(self, groups):
        super().__init__()
        self.groups = groups

    def forward(self, input):
        """The same channels in another order."""
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self):
        """The number of groups."""
        return f"groups={self.groups}"
