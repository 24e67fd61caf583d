"""Convolutional layers that learn the number of channels from the first input."""

from .conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .lazy import LazyModuleMixin, UninitializedParameter

__all__ = [
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]


class _LazyConv(LazyModuleMixin):
    """What lazy convolutions share: `in_channels` is that of the first input."""

    def __init__(self, out_channels, *args, **kwargs):
        super().__init__(0, 0, *args, **kwargs)
        self.out_channels = out_channels
        with_bias = self.bias is not None
        options = {"dtype": self.weight.dtype}
        self.weight = UninitializedParameter(**options)
        if with_bias:
            self.bias = UninitializedParameter(**options)

    def reset_parameters(self):
        """Draw weight and bias anew, if they have shapes."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        """Give weight and bias the shapes for an input, and draw them."""
        if not self.has_uninitialized_params():
            return
        n = self.dims
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        self.in_channels = input.shape[-n - 1]
        if self.in_channels % self.groups:
            raise ValueError(
                f"in_channels must be divisible by groups, not {self.in_channels} by {self.groups}"
            )
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class LazyConv1d(_LazyConv, Conv1d):
    """A `Conv1d` whose `in_channels` is that of its first input; see `LazyConv2d`."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """A `Conv2d` whose `in_channels` is that of its first input; other arguments are the same.

    >>> import flambeau as torch
    >>> layer = torch.nn.LazyConv2d(33, 3)
    >>> layer(torch.zeros(20, 16, 50, 100)).shape
    torch.Size([20, 33, 48, 98])
    >>> layer
    Conv2d(16, 33, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """A `Conv3d` whose `in_channels` is that of its first input; see `LazyConv2d`."""

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConv, ConvTranspose1d):
    """A `ConvTranspose1d` whose `in_channels` is that of its first input; see `LazyConv2d`."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConv, ConvTranspose2d):
    """A `ConvTranspose2d` whose `in_channels` is that of its first input; see `LazyConv2d`."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConv, ConvTranspose3d):
    """A `ConvTranspose3d` whose `in_channels` is that of its first input; see `LazyConv2d`."""

    cls_to_become = ConvTranspose3d
