"""Elements moved between channels and space, and channels mixed between groups."""

from . import movement as mv
from .api import function
from .whole import whole

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _require_image(name, shape):
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} "
            "dimension(s)"
        )


@function(methods=False, out=False)
@whole
def pixel_shuffle(input, upscale_factor):
    """Channels made space: (*, C * r^2, H, W) becomes (*, C, H * r, W * r).

    Raises RuntimeError for fewer than 3 dims, a factor below 1, or channels that r^2 does not
    divide.

    >>> import flambeau as torch
    >>> torch.nn.functional.pixel_shuffle(torch.tensor([[[1]], [[2]], [[3]], [[4]]]), 2)
    tensor([[[1, 2],
             [3, 4]]])
    """
    shape, r = input._meta.shape, upscale_factor
    _require_image("pixel_shuffle", shape)
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, height, width = shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(lead)
    split = mv.reshape(input, (*lead, channels // (r * r), r, r, height, width))
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return _shown(input, mv.permute(split, order), (channels // (r * r), height * r, width * r))


@function(methods=False, out=False)
@whole
def pixel_unshuffle(input, downscale_factor):
    """Space made channels: (*, C, H * r, W * r) becomes (*, C * r^2, H, W).

    Raises RuntimeError for fewer than 3 dims, a factor below 1, or sizes that r does not divide.

    >>> import flambeau as torch
    >>> torch.nn.functional.pixel_unshuffle(torch.tensor([[[1, 2], [3, 4]]]), 2).flatten()
    tensor([1, 2, 3, 4])
    """
    shape, r = input._meta.shape, downscale_factor
    _require_image("pixel_unshuffle", shape)
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, height, width = shape
    for name, size in (("height", height), ("width", width)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but the "
                f"{name} {size} is not divisible by {r}"
            )
    n = len(lead)
    split = mv.reshape(input, (*lead, channels, height // r, r, width // r, r))
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return _shown(input, mv.permute(split, order), (channels * r * r, height // r, width // r))


@function(methods=False, out=False)
@whole
def channel_shuffle(input, groups):
    """Channels (N, g * C, *) dealt out to groups: (N, C * g, *).

    Raises RuntimeError for fewer than 3 dims, groups below 1, or channels that they do not divide.

    >>> import flambeau as torch
    >>> torch.nn.functional.channel_shuffle(torch.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    shape = input._meta.shape
    if len(shape) <= 2:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value:{groups}"
        )
    if shape[1] % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {shape[1]} channels and {groups} "
            "groups."
        )
    split = mv.reshape(input, (shape[0], groups, shape[1] // groups, *shape[2:]))
    return _shown(input, mv.transpose(split, 1, 2), shape[1:])


def _shown(input, moved, sizes):
    """The moved elements in memory of their own, with these last dims."""
    lead = input._meta.shape[: len(input._meta.shape) - len(sizes)]
    return mv.reshape(mv.clone(moved, memory_format=None), (*lead, *sizes))
