"""Sampling images and volumes at places that a grid names, and the grids of affine maps."""

import math

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, cast_to, function
from .core import composite
from .creation import arange
from .index import gather_op
from .precision import narrow, require_floating, widen

__all__ = [
    "affine_grid",
    "affine_grid_generator",
    "grid_sample",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
]

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


def _unnormalized(x, size, align):
    """Places in elements for places in [-1, 1]; -1 is the first element's center if aligned."""
    return (x + 1) / 2 * (size - 1) if align else ((x + 1) * size - 1) / 2


def _clipped(x, size):
    """Places moved into the image, and NaN to 0; where they are moved there is no gradient."""
    inside = ew.where(ew.ge(x, size - 1), float(size - 1), x)
    return ew.where(ew.gt(x, 0), inside, 0.0)


def _reflected(x, size, align):
    """Places mirrored at the border elements (aligned), or at their outer edges."""
    low, span = (0.0, size - 1) if align else (-0.5, size)
    if not span:
        return x * 0
    far = ew.where(ew.lt(x, low), low - x, x - low)
    flips = ew.floor(far / span)
    extra = ew.fmod(far, span)
    even = ew.eq(ew.fmod(flips, 2), 0)
    return ew.where(even, extra + low, span - extra + low)


def _placed(x, size, padding, align):
    """Places in elements, brought inside unless what is outside counts as zero."""
    if padding == "reflection":
        x = _reflected(x, size, align)
    return x if padding == "zeros" else _clipped(x, size)


def _linear_taps(place):
    """(elements, weights) of both neighbours, in a new last dim."""
    k = FUNCTIONS["arange"](2, dtype=place._meta.dtype)
    low = ew.floor(place).unsqueeze(-1)
    return low + k, (1 - k) + (2 * k - 1) * (place.unsqueeze(-1) - low)


def _cubic_taps(place):
    """(elements, weights) of four neighbours, by cubic convolution with a = -0.75."""
    k = FUNCTIONS["arange"](-1, 3, dtype=place._meta.dtype)
    low = ew.floor(place).unsqueeze(-1)
    far = (place.unsqueeze(-1) - low - k) * (1 - 2 * cast_to(ew.gt(k, 0), k._meta.dtype))
    inner = (1.25 * far - 2.25) * far * far + 1
    outer = ((far - 5) * far + 8) * far * -0.75 + 3
    return low + k, ew.where(ew.eq(ew.abs(k - 0.5), 0.5), inner, outer)


def _nearest_tap(place):
    element = ew.round(place).unsqueeze(-1)
    return element, None


def _taps(place, size, mode, padding, align):
    """(elements, weights) that a dim is read at, (N, P, K), for places in [-1, 1]; or no weights.

    The elements are clamped to the dim; the weights of those outside are 0.
    """
    place = _unnormalized(place, size, align)
    if mode == "bicubic":
        elements, weights = _cubic_taps(place)
        elements = _placed(elements, size, padding, align)
    else:
        place = _placed(place, size, padding, align)
        elements, weights = (_nearest_tap if mode == "nearest" else _linear_taps)(place)
    inside = ew.logical_and(ew.ge(elements, 0), ew.le(elements, size - 1))
    elements = cast_to(ew.where(inside, elements, 0.0), dtypes.int64)
    return elements, ew.where(inside, 1.0 if weights is None else weights, 0.0)


@composite(derivative=lambda state: f"GridSampler{len(state.meta.shape) - 2}DBackward0")
def _grid_sample(x, grid, *, mode, padding, align):
    x, grid = widen(x), widen(grid)
    batch, channels, *sizes = x._meta.shape
    out = grid._meta.shape[1:-1]
    points = math.prod(out)
    flat = weight = None
    for d, size in enumerate(sizes):
        # A grid names the last dim first.
        place = mv.select(grid, -1, len(sizes) - 1 - d).reshape(batch, points)
        element, part = _taps(place, size, mode, padding, align)
        if flat is not None:
            count = flat._meta.shape[-1] * element._meta.shape[-1]
            element = flat.unsqueeze(-1) * size + element.unsqueeze(-2)
            part = weight.unsqueeze(-1) * part.unsqueeze(-2)
            element, part = (t.reshape(batch, points, count) for t in (element, part))
        flat, weight = element, part
    rows = x.reshape(batch, channels, -1).permute(0, 2, 1).reshape(-1, channels)
    starts = arange(batch).reshape(-1, 1, 1) * math.prod(sizes)
    taps = gather_op(rows, flat + starts)
    result = (taps * weight.unsqueeze(-1)).sum(2)
    return mv.contiguous(result.permute(0, 2, 1)).reshape(batch, channels, *out)


def _sampled(input, grid, mode, padding, align):
    return narrow(_grid_sample(input, grid, mode=mode, padding=padding, align=align), input)


def _check(input, grid, mode, dims=None):
    """Raise what PyTorch raises for operands that do not fit each other."""
    x, g = input._meta, grid._meta
    if x.dtype is not g.dtype:
        raise RuntimeError(
            f"grid_sampler(): expected input and grid to have same dtype, but input has {x.dtype} "
            f"and grid has {g.dtype}"
        )
    if len(x.shape) not in (4, 5) or len(x.shape) != len(g.shape):
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but "
            f"got input with sizes {list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    spatial = len(x.shape) - 2
    if dims is not None and spatial != dims:
        raise RuntimeError(
            f"grid_sampler_{dims}d(): expected a {dims + 2}D input, got {list(x.shape)}"
        )
    if x.shape[0] != g.shape[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with "
            f"sizes {list(x.shape)} and grid with sizes {list(g.shape)}"
        )
    if g.shape[-1] != spatial:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {spatial} in last dimension, but got grid "
            f"with sizes {list(g.shape)}"
        )
    if 0 in x.shape[2:]:
        raise RuntimeError(
            "grid_sampler(): expected input to have non-empty spatial dimensions, but input has "
            f"sizes {list(x.shape)}"
        )
    if spatial == 3 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    if x.dtype.is_complex:
        raise NotImplementedError(f'"grid_sampler" not implemented for {x.dtype}')
    require_floating("grid_sampler", input)


def _by_number(name, names, number):
    if not 0 <= number < len(names):
        raise RuntimeError(f"grid_sampler(): {name} must be from 0 to {len(names) - 1}")
    return names[number]


def _publish(name, dims):
    def sampler(input, grid, interpolation_mode, padding_mode, align_corners):
        mode = _by_number("interpolation_mode", MODES, interpolation_mode)
        padding = _by_number("padding_mode", PADDINGS, padding_mode)
        _check(input, grid, mode, dims)
        return _sampled(input, grid, mode, padding, bool(align_corners))

    sampler.__name__ = sampler.__qualname__ = name
    sampler.__doc__ = """`nn.functional.grid_sample` with modes by number.

    interpolation_mode: 0 bilinear, 1 nearest, 2 bicubic; padding_mode: 0 zeros, 1 border, 2
    reflection.
    """
    return function(sampler, methods=False, out=False)


grid_sampler = _publish("grid_sampler", None)
grid_sampler_2d = _publish("grid_sampler_2d", 2)
grid_sampler_3d = _publish("grid_sampler_3d", 3)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=False):
    """The input read at the places that a grid names.

    Args:
        input: of shape (N, C, H, W) or (N, C, D, H, W).
        grid: of shape (N, H', W', 2) or (N, D', H', W', 3): x, y (and z) of each output element,
            from -1 at the first end of the last dim (and of those before it) to 1 at the other.
        mode: "bilinear" (of volumes: trilinear), "nearest" or, for images, "bicubic".
        padding_mode: what is outside: "zeros", the "border", or the "reflection" of the inside.
        align_corners: whether -1 and 1 are the centers of the first and last element, or their
            outer edges.
    Returns: a tensor of shape (N, C, H', W') or (N, C, D', H', W').

    Raises ValueError for an unknown mode, RuntimeError for shapes and dtypes that do not fit.

    >>> import flambeau as torch
    >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> torch.nn.functional.grid_sample(image, torch.zeros(1, 1, 1, 2), align_corners=False)
    tensor([[[[2.5000]]]])
    """
    if mode not in MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    _check(input, grid, mode)
    return _sampled(input, grid, mode, padding_mode, bool(align_corners))


# Grids


def _centers(size, align, dtype):
    """Where the elements of a dim are in [-1, 1]."""
    if size <= 1:
        return FUNCTIONS["zeros"](size, dtype=dtype)
    i, step = FUNCTIONS["arange"](size, dtype=dtype), 2 / (size - 1)
    places = ew.where(ew.lt(i, size // 2), i * step - 1, 1 - (size - 1 - i) * step)
    return places if align else places * (size - 1) / size


@composite
def _affine_grid(theta, *, size, align):
    dims, total = len(size), theta[..., -1].reshape(-1, *[1] * len(size), len(size))
    for k in range(dims):  # a grid names the last dim first
        d = dims - 1 - k
        places = _centers(size[d], align, theta._meta.dtype)
        places = places.reshape([-1 if e == d else 1 for e in range(dims)] + [1])
        factors = mv.select(theta, -1, k).reshape(-1, *[1] * dims, dims)
        total = total + places * factors
    return total


@function(methods=False, out=False)
def affine_grid_generator(theta, size, align_corners):
    """`nn.functional.affine_grid`."""
    return affine_grid(theta, size, align_corners)


def affine_grid(theta, size, align_corners=False):
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
    size = tuple(int(n) for n in size)
    if not isinstance(theta, Tensor) or not theta._meta.dtype.is_floating_point:
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {list(size)}."
        )
    dims, shape = len(size) - 2, theta._meta.shape
    if len(shape) != 3 or tuple(shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape {size[0]}x{dims}x{dims + 1} for "
            f"size {list(size)}. Got {list(shape)}."
        )
    if shape[0] != size[0]:
        raise RuntimeError(f"Expected {size[0]} affine matrices, but got {shape[0]}")
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    wide = widen(theta)
    return narrow(_affine_grid(wide, size=size[2:], align=bool(align_corners)), theta)
