"""Images sampled at other places, and their elements moved between channels and space."""

from ...ops import grid_sample as _sampling
from ...ops.pixels import channel_shuffle, pixel_shuffle, pixel_unshuffle
from .common import warn

__all__ = ["affine_grid", "channel_shuffle", "grid_sample", "pixel_shuffle", "pixel_unshuffle"]


def _aligned(name, align_corners):
    """Whether corners are aligned; warns where a caller did not say."""
    if align_corners is None:
        warn(
            f"Default {name} behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of "
            "grid_sample for details."
        )
    return bool(align_corners)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The input read at the places that a grid names.

    Args:
        input: of shape (N, C, H, W) or (N, C, D, H, W).
        grid: of shape (N, H', W', 2) or (N, D', H', W', 3): x, y (and z) of each output element,
            from -1 at the first end of the last dim (and of those before it) to 1 at the other.
        mode: "bilinear" (of volumes: trilinear), "nearest" or, for images, "bicubic".
        padding_mode: what is outside: "zeros", the "border", or the "reflection" of the inside.
        align_corners: whether -1 and 1 are the centers of the first and last element, or their
            outer edges, which is the default and warns.
    Returns: a tensor of shape (N, C, H', W') or (N, C, D', H', W').

    Raises ValueError for an unknown mode, RuntimeError for shapes and dtypes that do not fit.

    >>> import flambeau as torch
    >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> torch.nn.functional.grid_sample(image, torch.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.5000]]]])
    """
    if align_corners is None:
        align_corners = _aligned("grid_sample and affine_grid", None)
    return _sampling.grid_sample(input, grid, mode, padding_mode, align_corners)


def affine_grid(theta, size, align_corners=None):
    """The grid of places that affine maps send the elements of an image or volume to.

    Args:
        theta: the maps, of shape (N, 2, 3) or (N, 3, 4).
        size: the shape of the result of `grid_sample`, (N, C, H, W) or (N, C, D, H, W).
        align_corners: as for `grid_sample`.
    Returns: a tensor of shape (N, H, W, 2) or (N, D, H, W, 3).

    Raises ValueError for a theta that does not fit the size or is not floating point, or sizes
    below 1, RuntimeError for another N, NotImplementedError for other numbers of dims.

    >>> import flambeau as torch
    >>> identity = torch.eye(2, 3).unsqueeze(0)
    >>> torch.nn.functional.affine_grid(identity, (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    if align_corners is None:
        align_corners = _aligned("grid_sample and affine_grid", None)
    return _sampling.affine_grid(theta, size, align_corners)
