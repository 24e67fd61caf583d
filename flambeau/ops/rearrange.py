"""Elements in another arrangement: turned, repeated, along diagonals, in windows."""

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor, contiguous_strides, intern
from . import copies, view_ops
from . import movement as mv
from .api import FUNCTIONS, METHODS, cast_to, function, method
from .from_data import make_tensor
from .reduce import normalize_dim
from .reduce import sum as reduce_sum
from .whole import whole

__all__ = ["kron", "repeat_interleave", "trace"]


@function(out=False)
@whole
def rot90(input, k=1, dims=(0, 1)):
    """Turned by k right angles from dims[0] towards dims[1]."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if input.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.ndim}")
    first, second = (normalize_dim(d, input.ndim) for d in dims)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    k %= 4
    if k == 0:
        return input.clone()
    if k == 2:
        return copies.flip(input, (first, second))
    if k == 1:
        return mv.transpose(copies.flip(input, second), first, second)
    return copies.flip(mv.transpose(input, first, second), second)


@function(out=False)
@whole
def trace(input):
    """The sum of the diagonal of a matrix."""
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return reduce_sum(mv.diagonal(input))


@function
def kron(input, other):
    """The Kronecker product: `other` times each element of `input`, in its place."""
    ndim = max(input.ndim, other.ndim)
    a = (1,) * (ndim - input.ndim) + tuple(input.shape)
    b = (1,) * (ndim - other.ndim) + tuple(other.shape)
    left = input.reshape([n for size in a for n in (size, 1)])
    right = other.reshape([n for size in b for n in (1, size)])
    return (left * right).reshape([n * m for n, m in zip(a, b, strict=True)])


@function(methods=False, out=False)
def repeat_interleave(input=None, repeats=None, dim=None, *, output_size=None):
    """Each element (or slice of `dim`) so many times in a row; `repeats` an int or a tensor.

    With one tensor alone: index i repeated input[i] times.
    """
    if repeats is None:
        counts = _counts(input)
        return make_tensor(np.repeat(np.arange(len(counts)), counts), dtype=input._meta.dtype)
    if dim is None:
        input, dim = input.reshape(-1), 0
    if not input.ndim:
        input = input.reshape(1)
    dim = normalize_dim(dim, input.ndim)
    n = input.shape[dim]
    if isinstance(repeats, Tensor) and repeats.ndim == 1 and repeats.numel() == n and n != 1:
        index = np.repeat(np.arange(n), _counts(repeats))
        return FUNCTIONS["index_select"](input, dim, make_tensor(index.astype(np.int64)))
    times = repeats
    if isinstance(repeats, Tensor):
        if repeats.ndim > 1 or repeats.numel() != 1:
            raise RuntimeError(
                "repeats must have the same size as input along dim, but got repeats.size(0) = "
                f"{repeats.numel()} and input.size({dim}) = {n}"
            )
        times = int(_counts(repeats.reshape(1))[0])
    if times < 0:
        raise RuntimeError("Repeats must be non-negative")
    shape = list(input.shape)
    wide = mv.expand(mv.unsqueeze(input, dim + 1), [*shape[: dim + 1], times, *shape[dim + 1 :]])
    made = mv.reshape(wide, [*shape[:dim], n * times, *shape[dim + 1 :]])
    return made if made._storage is None else made.clone()


METHODS["repeat_interleave"] = repeat_interleave


def _counts(repeats):
    if repeats.ndim > 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats._meta.dtype not in (dtypes.int32, dtypes.int64):
        raise RuntimeError("repeats has to be Long or Int tensor")
    counts = np.array(repeats.tolist(), np.int64).reshape(-1)
    if (counts < 0).any():
        raise RuntimeError("repeats can not be negative")
    return counts


# Regions written in a copy


def _scattered(input, src, geometry):
    """A copy of `input` with `src` written over a region of its row-major elements."""
    return view_ops.write_region(
        mv.clone(input), cast_to(src, input._meta.dtype), geometry=geometry
    )


def _check_region(name, src, shape):
    if tuple(src.shape) != tuple(shape):
        raise RuntimeError(
            f"{name}: expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(shape)}"
        )


@function(out=False)
@whole
def diagonal_scatter(input, src, offset=0, dim1=0, dim2=1):
    """A copy of `input` with `src` on the diagonal of two dims."""
    target = mv.diagonal(_blank(input), offset, dim1, dim2)
    _check_region("diagonal_scatter", src, target.shape)
    return _scattered(input, src, _geometry(target))


@function(out=False)
@whole
def select_scatter(input, src, dim, index):
    """A copy of `input` with `src` at `index` of a dim."""
    target = mv.select(_blank(input), dim, index)
    _check_region("select_scatter", src, target.shape)
    return _scattered(input, src, _geometry(target))


@function(out=False)
@whole
def slice_scatter(input, src, dim=0, start=None, end=None, step=1):
    """A copy of `input` with `src` over start:end:step of a dim."""
    dim = normalize_dim(dim, input.ndim)
    target = mv.slice_dim(_blank(input), dim, start, end, step)
    _check_region("slice_scatter", src, target.shape)
    return _scattered(input, src, _geometry(target))


@function(out=False)
@whole
def as_strided_scatter(input, src, size, stride, storage_offset=None):
    """A copy of `input` with `src` over a strided region of it."""
    geometry = (tuple(size), tuple(stride), storage_offset or 0)
    last = geometry[2] + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if 0 not in geometry[0] and last >= input.numel():
        raise RuntimeError(
            f"as_strided_scatter: sizes {list(size)}, strides {list(stride)}, storage offset "
            f"{geometry[2]} are out of bounds for a tensor of {input.numel()} elements"
        )
    _check_region("as_strided_scatter", src, size)
    return _scattered(input, src, geometry)


def _blank(x):
    """A tensor whose views tell where the elements of a copy of `x` lie."""
    return FUNCTIONS["empty"](x.shape, dtype=x._meta.dtype)


def _geometry(view):
    meta = view._meta
    return tuple(meta.shape), tuple(meta.strides), meta.offset


@function(out=False)
@whole(derivative="DiagEmbedBackward0")
def diagflat(input, offset=0):
    """The matrix with the elements of `input` on its diagonal."""
    return FUNCTIONS["diag_embed"](input.reshape(-1), offset)


@method("fill_diagonal_")
def fill_diagonal_(self, fill_value, wrap=False):
    """Write a number on the main diagonal; with `wrap`, on again below where rows are left."""
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    shape = self.shape
    if self.ndim > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    step = sum(contiguous_strides(shape))
    flat = np.zeros(self.numel(), bool)
    last = self.numel() if wrap or self.ndim > 2 else min(shape[0], shape[1]) * shape[1]
    if wrap and self.ndim == 2:
        step = shape[1] + 1
    flat[:last:step] = True
    mask = make_tensor(flat).reshape(shape)
    return METHODS["masked_fill_"](self, mask, fill_value)


# Windows


@method("unfold")
def unfold(self, dimension, size, step):
    """All windows of `size` along a dim, `step` apart, their elements in a new last dim: a view."""
    meta = self._meta
    dim = normalize_dim(dimension, len(meta.shape))
    length = meta.shape[dim] if meta.shape else 1
    if size > length:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dim} is {length} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not meta.shape:
        return mv.reshape(self, (1,))[:size]
    return unfold_op(self, dim=dim, size=size, step=step)


def _unfold_geometry(meta, dim, size, step):
    shape, strides = list(meta.shape), list(meta.strides)
    shape[dim], strides[dim] = (shape[dim] - size) // step + 1, strides[dim] * step
    return (*shape, size), (*strides, meta.strides[dim]), meta.offset


def _row_major_unfold(x, attrs):
    """(shape, strides) of the windows of the same elements in row-major order."""
    return _unfold_geometry(intern(tuple(x.shape), x.dtype), **attrs)[:2]


def _unfold_lower(build, x, attrs, meta):
    shape, strides = _row_major_unfold(x, attrs)
    return build.strided(build.reshape(x, (x.numel,)), shape, strides, 0)


def _unfold_vjp(g, out, x, **attrs):
    shape, strides = _row_major_unfold(x._meta, attrs)
    return view_ops.as_strided_vjp(g, x, shape, strides, 0)


unfold_op = view_ops.View(
    "unfold",
    _unfold_geometry,
    _unfold_lower,
    _unfold_vjp,
)
