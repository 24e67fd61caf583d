"""Images and signals in another resolution: interpolation and its older names."""

import math

from ... import dtypes
from ...ops.interpolation import resample
from .common import warn

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

# The number of dims (with batch and channels) that each smooth mode is for.
_SMOOTH = {"linear": (3, "linear"), "bilinear": (4, "linear"), "bicubic": (4, "cubic")}
_SMOOTH |= {"trilinear": (5, "linear"), "lanczos": (4, "lanczos")}
_ANTIALIASED = ("bilinear", "bicubic", "lanczos")
_PLAIN = ("nearest", "nearest-exact", "area")


def _per_dim(name, value, dims):
    """A number for each of `dims` dims. Raises ValueError for a list of another length."""
    if not isinstance(value, (list, tuple)):
        return [value] * dims
    if len(value) != dims:
        raise ValueError(
            f"Input and {name} must have the same number of spatial dimensions, but got input "
            f"with {dims} spatial dimensions and {name} of {list(value)}. Please provide input "
            f"tensor in (N, C, d1, d2, ...,dK) format and {name} in (o1, o2, ...,oK) format."
        )
    return list(value)


def _sizes_and_scales(input, size, scale_factor, recompute):
    """The sizes of the result, and the factors that places are computed with, or Nones."""
    spatial = input.shape[2:]
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        sizes = _per_dim("output size", size, len(spatial))
        for n in sizes:
            if not hasattr(n, "__index__"):
                raise TypeError(f"expected size to be one of int or tuple of ints, but got {size}")
        return [int(n) for n in sizes], [None] * len(spatial)
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = [float(s) for s in _per_dim("scale_factor", scale_factor, len(spatial))]
    sizes = [math.floor(n * s) for n, s in zip(spatial, factors, strict=True)]
    return sizes, [None] * len(spatial) if recompute else factors


def _check(input, sizes, mode, antialias):
    """Raise for shapes and dtypes that the mode is not for."""
    shape, kind = input.shape, input.dtype
    if 0 in shape[1:]:
        raise RuntimeError(
            f"Non-empty {len(shape)}D data tensor expected but got a tensor with sizes "
            f"{list(shape)}"
        )
    if min(sizes) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input {list(shape[2:])} and "
            f"output {sizes}"
        )
    bytes_too = mode in ("nearest", "nearest-exact", *_ANTIALIASED) and kind is dtypes.uint8
    if not (kind.is_floating_point or bytes_too) or (antialias and kind.itemsize == 2):
        raise NotImplementedError(
            f'"interpolate" with mode {mode} not implemented for tensors of {kind}'
        )


def interpolate(
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """The input in another resolution.

    Args:
        input: of shape (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the sizes of the result, one for all dims or one for each.
        scale_factor: instead, what sizes are multiplied by.
        mode: "nearest", "nearest-exact", "linear" (3 dims), "bilinear", "bicubic" (4 dims),
            "trilinear" (5 dims), "lanczos" (4 dims, with `antialias`), or "area", the mean of what
            falls into an element.
        align_corners: whether the first and last elements of both fall on each other; for the
            linear and cubic modes.
        recompute_scale_factor: compute places from the sizes, which were rounded.
        antialias: for "bilinear", "bicubic" and "lanczos": let every element count when sizes
            shrink.

    Raises ValueError for arguments that contradict each other or lack, NotImplementedError for
    modes and dtypes that do not fit the input, RuntimeError for empty sizes.

    >>> import flambeau as torch
    >>> x = torch.tensor([[[1.0, 2.0]]])
    >>> torch.nn.functional.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    >>> torch.nn.functional.interpolate(x, size=3, mode="linear", align_corners=True)
    tensor([[[1.0000, 1.5000, 2.0000]]])
    """
    if mode in _PLAIN and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    ndim = input.dim()
    recompute = bool(recompute_scale_factor) or (mode == "area" and size is None)
    sizes, scales = _sizes_and_scales(input, size, scale_factor, recompute)
    if antialias and not (mode in _ANTIALIASED and ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    wanted, filter = _SMOOTH.get(mode, (ndim, mode))
    if ndim not in (3, 4, 5) or (mode not in _SMOOTH and mode not in _PLAIN):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: "
            f"nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got {mode})"
        )
    if wanted != ndim:
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {wanted}D input")
    _check(input, sizes, mode, antialias)
    return resample(input, sizes, scales, filter, bool(align_corners), bool(antialias))


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate`, by its older name, which warns."""
    warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """`interpolate` with mode "nearest", by its older name, which warns."""
    warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """`interpolate` with mode "bilinear" and aligned corners, by its older name, which warns."""
    warn(
        "`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead."
    )
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
