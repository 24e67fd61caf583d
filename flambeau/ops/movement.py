"""Operations that move elements or see them differently: views, concatenation, repetition."""

import math

from .. import dtypes
from ..geometry import view_strides
from ..recorder.entering import view_in_memory
from ..recorder.handle import Tensor, intern
from ..recorder.record import record
from .api import FUNCTIONS, METHODS, function, method
from .core import Op
from .reduce import normalize_dim, sum_op
from .reinterpret import _view_dtype
from .strides import layout_like
from .view_ops import (
    as_strided_op,
    diagonal_op,
    expand_op,
    infer_size,
    permute_op,
    select_op,
    slice_op,
    squeeze_op,
    t_op,
    transpose_op,
    unsqueeze_op,
    view_op,
)

__all__ = [
    "as_strided",
    "broadcast_shape_of",
    "broadcast_tensors",
    "broadcast_to",
    "chunk",
    "clone",
    "clone_op",
    "contiguous",
    "diagonal",
    "expand",
    "flatten",
    "movedim",
    "narrow",
    "normalize_list",
    "permute",
    "reshape",
    "select",
    "slice_dim",
    "split",
    "squeeze",
    "sum_of",
    "t",
    "transpose",
    "unbind",
    "unexpand",
    "unflatten",
    "unsqueeze",
    "view",
    "view_whole",
]


# Views


# Their public names


def _sizes(size):
    if len(size) == 1 and not isinstance(size[0], (int, Tensor)):
        size = size[0]
    return tuple(int(n) for n in size)


@method("view")
def view(self, *size, dtype=None):
    """The same elements seen as another shape (or as another dtype), sharing memory."""
    if size and isinstance(size[0], dtypes.dtype):
        dtype = size[0]
    if dtype is not None:
        return _view_dtype(self, dtype)
    meta = self._meta
    return record(view_op, (self,), (("shape", infer_size(_sizes(size), meta.numel)),))


@function
def reshape(input, *args, shape=None):
    """The same elements in another shape: a view where one can be, else a copy."""
    meta = input._meta
    shape = infer_size(_sizes(args if shape is None else (shape,)), meta.numel)
    if meta.contiguous or view_strides(meta.shape, meta.strides, shape) is not None:
        return record(view_op, (input,), (("shape", shape),))
    out = record(view_op, (clone(input, memory_format=None),), (("shape", shape),))
    out._view_of = None  # nobody else sees the copy
    return out


METHODS["reshape_as"] = lambda self, other: reshape(self, other._meta.shape)
METHODS["view_as"] = lambda self, other: view(self, other.shape)
METHODS["expand_as"] = lambda self, other: expand(self, other.shape)


@function(out=False)
def permute(input, *args, dims=None):
    """Dims in another order: a view."""
    dims = args if dims is None else (dims,)
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    ndim = len(input._meta.shape)
    if len(dims) != ndim:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(dims)}"
        )
    dims = tuple(normalize_dim(d, ndim) for d in dims)
    if len(set(dims)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return permute_op(input, dims=dims)


@function(aliases=("swapaxes", "swapdims"), out=False)
def transpose(input, dim0, dim1):
    """Two dims swapped: a view."""
    ndim = len(input._meta.shape)
    dim0, dim1 = normalize_dim(dim0, ndim), normalize_dim(dim1, ndim)
    dims = list(range(ndim))
    if ndim:
        dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return transpose_op(input, dims=tuple(dims))


@function(out=False)
def t(input):
    """The transpose of a matrix; a vector itself."""
    ndim = len(input._meta.shape)
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return t_op(input, dims=tuple(range(ndim))[::-1])


@function(aliases=("moveaxis",), out=False)
def movedim(input, source, destination):
    """Dims `source` moved to places `destination`: a view."""
    ndim = len(input._meta.shape)
    sources = normalize_list(source, ndim)
    places = normalize_list(destination, ndim)
    if len(sources) != len(places):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should "
            f"contain the same number of dims as destination ({list(places)} dims)"
        )
    if not ndim:
        return permute_op(input, dims=())
    order = [None] * ndim
    for s, p in zip(sources, places, strict=True):
        order[p] = s
    rest = iter(d for d in range(ndim) if d not in sources)
    return permute_op(input, dims=tuple(next(rest) if d is None else d for d in order))


def normalize_list(dims, ndim):
    """Dims counted from the front, in the order given."""
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    found = tuple(normalize_dim(d, ndim) for d in dims)
    if len(set(found)) != len(found):
        raise RuntimeError("repeated dim in the list of dims")
    return found


def broadcast_shape_of(input, size):
    """The shape that `expand(*size)` gives, -1 meaning the size that is there."""
    shape = input._meta.shape
    lead = len(size) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand(): the number of sizes provided ({len(size)}) must be greater or equal to "
            f"the number of dimensions in the tensor ({len(shape)})"
        )
    result = []
    for d, n in enumerate(size):
        have = shape[d - lead] if d >= lead else 1
        if n == -1 and d >= lead:
            n = have
        elif n < 0 or (have not in (1, n)):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at "
                f"non-singleton dimension {d}.  Target sizes: {list(size)}.  Tensor sizes: "
                f"{list(shape)}"
            )
        result.append(n)
    return tuple(result)


@method("expand")
def expand(self, *args, size=None, implicit=False):
    """Dims of size 1 seen as larger ones, without a copy; -1 keeps a size."""
    shape = broadcast_shape_of(self, _sizes(args if size is None else (size,)))
    return record(expand_op, (self,), (("shape", shape),))


@function(methods=True, out=False)
def broadcast_to(input, size):
    """`input.expand(size)`."""
    return expand(input, size)


@function(out=False)
def unsqueeze(input, dim):
    """A new dim of size 1 at `dim`: a view."""
    dim = normalize_dim(dim, len(input._meta.shape) + 1)
    return unsqueeze_op(input, dim=dim)


@function(out=False)
def squeeze(input, dim=None):
    """Without the dims (or those of `dim`) that have size 1: a view."""
    shape = input._meta.shape
    dims = range(len(shape)) if dim is None else normalize_list(dim, len(shape))
    return squeeze_op(input, dims=tuple(d for d in dims if shape and shape[d] == 1))


@function(out=False)
def flatten(input, start_dim=0, end_dim=-1):
    """Dims from `start_dim` to `end_dim` made one."""
    shape = input._meta.shape
    ndim = len(shape)
    start, end = normalize_dim(start_dim, ndim), normalize_dim(end_dim, ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(input, (1,))
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


METHODS["ravel"] = FUNCTIONS["ravel"] = lambda input: reshape(input, -1)


@function(out=False)
def unflatten(input, dim, sizes):
    """One dim split into `sizes`, of which one may be -1."""
    shape = input._meta.shape
    dim = normalize_dim(dim, len(shape))
    known = math.prod(n for n in sizes if n != -1)
    inferred = -1 in sizes
    if (not inferred and known != shape[dim]) or (inferred and (not known or shape[dim] % known)):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} "
            f"({shape[dim]}) in the input tensor"
        )
    return view(input, (*shape[:dim], *infer_size(sizes, shape[dim]), *shape[dim + 1 :]))


def slice_dim(input, dim, start, stop, step=1):
    """input[start:stop:step] along one dim, bounds as in Python."""
    n = input._meta.shape[dim]
    if step <= 0:
        raise ValueError("step must be greater than zero")
    start, stop, step = slice(start, stop, step).indices(n)
    size = len(range(start, stop, step))
    if size == n and step == 1:
        return view_whole(input)
    return stretch(input, dim, start if size else 0, size, step)


def stretch(input, dim, start, size, step=1):
    """`size` indices of a dim, from `start` on in steps: a view."""
    meta = input._meta
    shape, strides = list(meta.shape), list(meta.strides)
    shape[dim], strides[dim] = size, strides[dim] * step
    view = view_in_memory(input, shape, strides, meta.offset + start * meta.strides[dim])
    if view is not None:
        return view
    return slice_op(input, dim=dim, start=start, size=size, step=step)


def at(input, dim, index):
    """Index `index` of a dim, which goes away, counted from 0: a view."""
    meta = input._meta
    shape, strides = tuple(meta.shape), meta.strides
    start = meta.offset + index * strides[dim]
    view = view_in_memory(
        input, (*shape[:dim], *shape[dim + 1 :]), (*strides[:dim], *strides[dim + 1 :]), start
    )
    return select_op(input, dim=dim, index=index) if view is None else view


def view_whole(input):
    """A view of all of a tensor."""
    return slice_op(input, dim=0, start=0, size=input._meta.shape[0], step=1)


@function(out=False)
def narrow(input, dim, start, length):
    """`length` elements of a dim from `start` on: a view."""
    shape = input._meta.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, len(shape))
    meta = getattr(start, "_meta", None)
    if meta is not None and (meta.shape or meta.dtype.category != dtypes.INT):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    start = int(start)
    start = start + shape[dim] if start < 0 else start
    if length < 0:
        raise RuntimeError(f"narrow(): length must be non-negative, but got {length}.")
    if start < 0 or start > shape[dim]:
        raise IndexError(
            f"start out of range (expected to be in range of [-{shape[dim]}, {shape[dim]}], but "
            f"got {start})"
        )
    if start + length > shape[dim]:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({shape[dim]})."
        )
    return slice_op(input, dim=dim, start=start, size=length, step=1)


@function(out=False)
def select(input, dim, index):
    """Index `index` of a dim, which goes away: a view."""
    shape = input._meta.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = normalize_dim(dim, len(shape))
    index = int(index)
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at dimension "
            f"{dim}"
        )
    return at(input, dim, index % shape[dim])


@function(out=False)
def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dims, as the last dim of a view."""
    ndim = len(input._meta.shape)
    dim1, dim2 = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if dim1 == dim2:
        raise RuntimeError("diagonal dimensions cannot be identical")
    return diagonal_op(input, offset=offset, dim1=dim1, dim2=dim2)


@function(out=False)
def unbind(input, dim=0):
    """The slices along a dim, as a tuple of views."""
    dim = normalize_dim(dim, len(input._meta.shape))
    return tuple(select_op(input, dim=dim, index=i) for i in range(input._meta.shape[dim]))


@function(out=False)
def split(tensor, split_size_or_sections, dim=0):
    """Pieces of a size (the last may be smaller), or of several sizes, along a dim: views."""
    shape = tensor._meta.shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normalize_dim(dim, len(shape))
    sizes = split_size_or_sections
    if isinstance(sizes, int):
        if sizes <= 0:
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={sizes}"
            )
        sizes = [min(sizes, shape[dim] - i) for i in range(0, shape[dim], sizes)] or [0]
    elif sum_of(sizes) != shape[dim]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {shape[dim]} (input tensor's "
            f"size at dimension {dim}), but got split_sizes={list(sizes)}"
        )
    pieces, start = [], 0
    for n in sizes:
        pieces.append(slice_op(tensor, dim=dim, start=start, size=int(n), step=1))
        start += int(n)
    return tuple(pieces)


def sum_of(sizes):
    """The sum of some ints."""
    return sum(int(n) for n in sizes)


@function(out=False)
def chunk(input, chunks, dim=0):
    """At most `chunks` pieces of equal size (but the last) along a dim: views."""
    if chunks <= 0:
        raise RuntimeError("chunk expects `chunks` to be greater than 0, got: " + str(chunks))
    if not input._meta.shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    n = input._meta.shape[normalize_dim(dim, len(input._meta.shape))]
    size = -(-n // chunks)
    return split(input, size, dim) if size else split(input, [0] * chunks, dim)


@function(out=False)
def as_strided(input, size, stride, storage_offset=None):
    """The storage of a tensor seen with any shape, strides and offset."""
    meta = input._meta
    base = intern(meta.shape, meta.dtype, meta.strides, 0)
    offset = meta.offset if storage_offset is None else storage_offset
    if len(size) != len(stride):
        raise RuntimeError("as_strided: mismatch in length of strides and shape")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported, got {list(stride)}")
    return as_strided_op(input, shape=tuple(size), strides=tuple(stride), offset=offset, base=base)


# Copies


def unexpand(g, shape):
    """A cotangent summed to `shape`."""
    lead = len(g._meta.shape) - len(shape)
    dims = [d for d, n in enumerate(g._meta.shape) if d < lead or shape[d - lead] != n]
    return sum_op(g, dims=tuple(dims), keepdim=True).reshape(shape) if dims else g


@function(methods=False, out=False)
def broadcast_tensors(*tensors):
    """Tensors expanded to the shape they broadcast to."""
    from .core import broadcast_shapes

    tensors = tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors
    shape = broadcast_shapes("broadcast_tensors", [x._meta.shape for x in tensors])
    return tuple(expand(x, shape) for x in tensors)


# Copies


def _clone_lower(build, inputs, operands, attrs, metas):
    return inputs[0]


class _Clone(Op):
    """The same values in memory of their own."""

    for_limited = "all"

    def infer(self, operands, attrs):
        (x,) = operands
        return layout_like(x.shape, x.dtype, (x,) if attrs["preserve"] else ())

    def lower(self, build, inputs, operands, attrs, metas):
        """Its operand: outputs have memory of their own anyway."""
        return inputs[0]


clone_op = _Clone("clone")


clone_op.vjp_rule = lambda g, out, x, preserve: g


@function(out=False)
def clone(input, *, memory_format="preserve"):
    """A copy with memory of its own that gradients pass through."""
    preserve = memory_format is not None and "contiguous" not in str(memory_format)
    return clone_op(input, preserve=preserve)


@method("contiguous")
def contiguous(self, memory_format=None):
    """The tensor itself if it is contiguous, else a contiguous copy."""
    return self if self._meta.contiguous else clone_op(self, preserve=False)
