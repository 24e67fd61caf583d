"""Layers that put a border around the last dims of samples (C, ...) or batches (N, C, ...)."""

from . import functional as F
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """`padding`: one amount for all sides, or (before, after) of the last dim, then the one before.

    mode: as `functional.pad` has it; dims: how many dims are padded.
    """

    mode, dims, value = "constant", 1, None

    def __init__(self, padding):
        super().__init__()
        count = 2 * self.dims
        if isinstance(padding, int):
            padding = (padding,) * count
        self.padding = tuple(padding)
        if len(self.padding) != count:
            raise ValueError(
                f"padding must be an int or {count} ints, but got {len(self.padding)} of them"
            )

    def forward(self, input):
        """The input with its border."""
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self):
        """The amounts."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def extra_repr(self):
        """The amounts and the constant."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A constant before and after the last dim."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """A constant around the last two dims.

    >>> import flambeau as torch
    >>> torch.nn.ConstantPad2d(1, 5.0)(torch.zeros(1, 1, 1))
    tensor([[[5., 5., 5.],
             [5., 0., 5.],
             [5., 5., 5.]]])
    """

    dims = 2


class ConstantPad3d(_ConstantPad):
    """A constant around the last three dims."""

    dims = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        """The amounts."""
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """Zeros before and after the last dim."""

    dims = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around the last two dims."""

    dims = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around the last three dims."""

    dims = 3


class ReflectionPad1d(_Pad):
    """The last dim mirrored at its first and last element, which are not repeated."""

    mode, dims = "reflect", 1


class ReflectionPad2d(_Pad):
    """The last two dims mirrored at their first and last elements, which are not repeated."""

    mode, dims = "reflect", 2


class ReflectionPad3d(_Pad):
    """The last three dims mirrored at their first and last elements, which are not repeated."""

    mode, dims = "reflect", 3


class ReplicationPad1d(_Pad):
    """The first and last element of the last dim repeated."""

    mode, dims = "replicate", 1


class ReplicationPad2d(_Pad):
    """The first and last elements of the last two dims repeated."""

    mode, dims = "replicate", 2


class ReplicationPad3d(_Pad):
    """The first and last elements of the last three dims repeated."""

    mode, dims = "replicate", 3


class CircularPad1d(_Pad):
    """The last dim continued with its other end."""

    mode, dims = "circular", 1


class CircularPad2d(_Pad):
    """The last two dims continued with their other ends."""

    mode, dims = "circular", 2


class CircularPad3d(_Pad):
    """The last three dims continued with their other ends."""

    mode, dims = "circular", 3
