"""Operations that move elements or see them differently: views, concatenation, repetition."""

import math

from .. import dtypes
from ..geometry import contiguous_strides, view_strides
from ..recorder.handle import Tensor, intern
from ..recorder.trace import record
from .api import FUNCTIONS, METHODS, function, method
from .core import Op, View, result_dtype
from .reduce import normalize_dim, sum_op

__all__ = ["cat", "infer_size", "slice_dim"]


def infer_size(shape, numel):
    """A shape with its -1 replaced. Raises RuntimeError if `numel` elements do not fit."""
    shape = tuple(int(n) for n in shape)
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        if shape.count(-1) > 1:
            raise RuntimeError("only one dimension can be inferred")
        if known == 0:
            raise RuntimeError(
                f"cannot reshape tensor of {numel} elements into shape {list(shape)} because the "
                "unspecified dimension size -1 can be any value and is ambiguous"
            )
        if numel % known:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return tuple(numel // known if n == -1 else n for n in shape)
    if any(n < 0 for n in shape):
        bad = next(n for n in shape if n < 0)
        raise RuntimeError(
            f"invalid shape dimension {bad} at index {shape.index(bad)} of shape {list(shape)}"
        )
    if math.prod(shape) != numel:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    return shape


# Views


def _view_geometry(meta, shape):
    strides = view_strides(meta.shape, meta.strides, shape)
    if strides is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return shape, strides, meta.offset


def _back_to_shape(g, out, x, **attrs):
    return g.reshape(x._meta.shape)


view_op = View(
    "view",
    _view_geometry,
    lambda build, x, attrs, meta: build.reshape(x, meta.shape),
    _back_to_shape,
)


def _moved(build, x, attrs, meta):
    """Where the strides tell all: permuted, expanded and unsqueezed dims."""
    return build.permute(x, attrs["dims"])


def _permutation(name):
    return View(
        name,
        lambda m, dims: ([m.shape[d] for d in dims], [m.strides[d] for d in dims], m.offset),
        _moved,
        lambda g, out, x, dims: permute_op(g, dims=tuple(dims.index(d) for d in range(len(dims)))),
    )


# The same but for the names of their derivatives.
permute_op, transpose_op, t_op = map(_permutation, ("permute", "transpose", "t"))


def _expand_geometry(meta, shape):
    lead = len(shape) - len(meta.shape)
    strides = [0] * lead
    for d, (n, s) in enumerate(zip(meta.shape, meta.strides, strict=True)):
        strides.append(s if n == shape[lead + d] else 0)
    return shape, strides, meta.offset


def _expand_vjp(g, out, x, shape):
    return g  # the caller sums it to the operand's shape


expand_op = View(
    "expand",
    _expand_geometry,
    lambda build, x, attrs, meta: build.expand(x, meta.shape),
    _expand_vjp,
)


def _slice_geometry(meta, dim, start, size, step):
    shape, strides = list(meta.shape), list(meta.strides)
    offset = meta.offset + start * strides[dim]
    shape[dim], strides[dim] = size, strides[dim] * step
    return shape, strides, offset


def _slice_lower(build, x, attrs, meta):
    axes = [(d, 0, 1) for d in range(len(x.shape))]
    axes[attrs["dim"]] = (attrs["dim"], attrs["start"], attrs["step"])
    return build.move(x, axes, meta.shape)


slice_op = View(
    "slice",
    _slice_geometry,
    _slice_lower,
    lambda g, out, x, dim, start, size, step: embed(
        g, shape=tuple(x._meta.shape), dim=dim, start=start, step=step
    ),
)


def _select_geometry(meta, dim, index):
    shape, strides = list(meta.shape), list(meta.strides)
    offset = meta.offset + index * strides[dim]
    del shape[dim], strides[dim]
    return shape, strides, offset


def _select_lower(build, x, attrs, meta):
    dim, k = attrs["dim"], 0
    axes = []
    for d in range(len(x.shape)):
        if d == dim:
            axes.append((None, attrs["index"], 1))
        else:
            axes.append((k, 0, 1))
            k += 1
    return build.move(x, axes, meta.shape)


select_op = View(
    "select",
    _select_geometry,
    _select_lower,
    lambda g, out, x, dim, index: embed(
        g.unsqueeze(dim), shape=tuple(x._meta.shape), dim=dim, start=index, step=1
    ),
)


def _unsqueeze_geometry(meta, dim):
    shape, strides = list(meta.shape), list(meta.strides)
    step = strides[dim] * shape[dim] if dim < len(shape) else 1
    shape.insert(dim, 1)
    strides.insert(dim, step)
    return shape, strides, meta.offset


def _reshape_lower(build, x, attrs, meta):
    return build.reshape(x, meta.shape)


unsqueeze_op = View("unsqueeze", _unsqueeze_geometry, _reshape_lower, _back_to_shape)


def _squeeze_geometry(meta, dims):
    keep = [d for d in range(len(meta.shape)) if d not in dims]
    return [meta.shape[d] for d in keep], [meta.strides[d] for d in keep], meta.offset


squeeze_op = View("squeeze", _squeeze_geometry, _reshape_lower, _back_to_shape)


def _diagonal_geometry(meta, offset, dim1, dim2):
    rows, columns = meta.shape[dim1], meta.shape[dim2]
    size = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    start = meta.offset
    if size:
        start += offset * meta.strides[dim2] if offset >= 0 else -offset * meta.strides[dim1]
    keep = [d for d in range(len(meta.shape)) if d not in (dim1, dim2)]
    shape = [meta.shape[d] for d in keep] + [size]
    strides = [meta.strides[d] for d in keep] + [meta.strides[dim1] + meta.strides[dim2]]
    return shape, strides, start


def _diagonal_lower(build, x, attrs, meta):
    offset, k, axes = attrs["offset"], 0, []
    last = len(meta.shape) - 1
    for d in range(len(x.shape)):
        if d == attrs["dim1"]:
            axes.append((last, max(-offset, 0), 1))
        elif d == attrs["dim2"]:
            axes.append((last, max(offset, 0), 1))
        else:
            axes.append((k, 0, 1))
            k += 1
    return build.move(x, axes, meta.shape)


diagonal_op = View(
    "diagonal",
    _diagonal_geometry,
    _diagonal_lower,
    lambda g, out, x, offset, dim1, dim2: write_region(
        x.new_zeros(x._meta.shape), g, geometry=_contiguous_diagonal(x, offset, dim1, dim2)
    ),
)


def _contiguous_diagonal(x, offset, dim1, dim2):
    meta = intern(x._meta.shape, x._meta.dtype)
    shape, strides, start = _diagonal_geometry(meta, offset, dim1, dim2)
    return tuple(shape), tuple(strides), start


def _as_strided_lower(build, x, attrs, meta):
    base = attrs["base"]
    return build.strided(build.storage(x, base), meta.shape, meta.strides, meta.offset)


as_strided_op = View(
    "as_strided",
    lambda meta, shape, strides, offset, base: (shape, strides, offset),
    _as_strided_lower,
    lambda g, out, x, shape, strides, offset, base: _as_strided_vjp(g, x, shape, strides, offset),
)


def _as_strided_vjp(g, x, shape, strides, offset):
    index = sum_of_strides(shape, strides, offset)
    flat = x.new_zeros((x._meta.numel,), dtype=g._meta.dtype)
    flat = FUNCTIONS["index_put"](flat, (index.reshape(-1),), g.reshape(-1), True)
    return flat.reshape(x._meta.shape)


def sum_of_strides(shape, strides, offset):
    """The storage index of each element, int64 of `shape`."""
    total = FUNCTIONS["zeros"](shape, dtype=dtypes.int64) + offset
    for d, (n, s) in enumerate(zip(shape, strides, strict=True)):
        steps = FUNCTIONS["arange"](n) * s
        total = total + steps.reshape([n if k == d else 1 for k in range(len(shape))])
    return total


class _Write(Op):
    """A contiguous tensor with operand 1 written over the region `geometry` of it."""

    def infer(self, operands, attrs):
        return intern(operands[0].shape, operands[0].dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """The write node."""
        base, value = inputs
        shape, strides, offset = attrs["geometry"]
        value = build.expand(build.cast(value, base.dtype), shape)
        flat = build.write(build.reshape(base, (base.numel,)), value, strides, offset)
        return build.reshape(flat, base.shape)


write_region = _Write("write_region")


def region_of(g, geometry):
    """What a contiguous tensor holds in the region."""
    shape, strides, offset = geometry
    flat = g.contiguous()
    return as_strided_op(flat, shape=shape, strides=strides, offset=offset, base=flat._meta)


@write_region.vjp
def _(g, out, base, value, *, geometry):
    hole = write_region(g, g.new_zeros(()), geometry=geometry)
    return hole, region_of(g, geometry)


class _Embed(Op):
    """Zeros of `shape` with the operand at start, start + step, ... of `dim`."""

    def infer(self, operands, attrs):
        return intern(attrs["shape"], operands[0].dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """A write into zeros."""
        (x,) = inputs
        shape, dim = attrs["shape"], attrs["dim"]
        numel = math.prod(shape)
        strides = list(contiguous_strides(shape))
        offset = attrs["start"] * strides[dim]
        strides[dim] *= attrs["step"]
        zero = False if x.dtype is dtypes.bool_ else 0
        flat = build.write(build.const(zero, x.dtype, (numel,)), x, strides, offset)
        return build.reshape(flat, shape)


embed = _Embed("slice_backward")


@embed.vjp
def _(g, out, x, *, shape, dim, start, step):
    return slice_op(g, dim=dim, start=start, size=x._meta.shape[dim], step=step)


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


class _Reinterpret(View):
    """The bytes of a tensor seen as another dtype.

    scale(meta, dtype) gives (shape, strides, offset) in elements of `dtype`.
    """

    def infer(self, operands, attrs):
        (x,) = operands
        shape, strides, offset = self.geometry(x, attrs["dtype"])
        return intern(shape, attrs["dtype"], tuple(strides), offset)

    def lower(self, build, inputs, operands, attrs, metas):
        """Copied to be contiguous, the bytes reinterpreted."""
        (x,) = inputs
        flat = build.bitcast(build.reshape(x, (x.numel,)), attrs["dtype"])
        return build.reshape(flat, metas[0].shape)


def _scaled_geometry(meta, dtype):
    old, new = meta.dtype.itemsize, dtype.itemsize
    if old == new:
        return meta.shape, meta.strides, meta.offset
    if not meta.shape:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {meta.dtype} as {dtype} (different element sizes)"
        )
    if meta.strides[-1] != 1:
        raise RuntimeError(
            f"self.stride(-1) must be 1 to view {meta.dtype} as {dtype} (different element sizes), "
            f"but got {meta.strides[-1]}"
        )
    size = meta.shape[-1] * old
    if size % new or meta.offset * old % new or any(s * old % new for s in meta.strides[:-1]):
        raise RuntimeError(
            f"self.size(-1) must be divisible by {new // old} to view {meta.dtype} as {dtype} "
            f"(different element sizes), but got {meta.shape[-1]}"
        )
    strides = [s * old // new for s in meta.strides[:-1]]
    return (*meta.shape[:-1], size // new), (*strides, 1), meta.offset * old // new


view_dtype_op = _Reinterpret("view_dtype", _scaled_geometry, None)
view_dtype_op.differentiable = False


def _real_geometry(meta, dtype):
    return (*meta.shape, 2), (*(2 * s for s in meta.strides), 1), 2 * meta.offset


def _complex_geometry(meta, dtype):
    if meta.strides[-1] != 1 or meta.offset % 2 or any(s % 2 for s in meta.strides[:-1]):
        raise RuntimeError("Tensor must have a stride of 1 for its last dimension")
    return meta.shape[:-1], [s // 2 for s in meta.strides[:-1]], meta.offset // 2


as_real_op = _Reinterpret("view_as_real", _real_geometry, None)
as_complex_op = _Reinterpret("view_as_complex", _complex_geometry, None)
as_real_op.vjp_rule = lambda g, out, x, dtype: as_complex_op(g.contiguous(), dtype=x._meta.dtype)
as_complex_op.vjp_rule = lambda g, out, x, dtype: as_real_op(g, dtype=x._meta.dtype)


def _view_dtype(x, dtype):
    return view_dtype_op(x, dtype=dtype)


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
METHODS["view_as"] = lambda self, other: view(self, other._meta.shape)
METHODS["expand_as"] = lambda self, other: expand(self, other._meta.shape)


def _clone_lower(build, inputs, operands, attrs, metas):
    return inputs[0]


class _Clone(Op):
    """The same values in memory of their own."""

    def infer(self, operands, attrs):
        (x,) = operands
        if x.is_dense and attrs["preserve"]:
            return intern(x.shape, x.dtype, x.strides)
        return intern(x.shape, x.dtype)

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
    return slice_op(input, dim=dim, start=start if size else 0, size=size, step=step)


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
    return select_op(input, dim=dim, index=index % shape[dim])


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
    n = input._meta.shape[normalize_dim(dim, len(input._meta.shape))]
    size = -(-n // chunks)
    return split(input, size, dim) if size else split(input, [0] * chunks, dim)


@function(out=False)
def as_strided(input, size, stride, storage_offset=None):
    """The storage of a tensor seen with any shape, strides and offset."""
    meta = input._meta
    base = intern(meta.shape, meta.dtype, meta.strides, 0)
    offset = meta.offset if storage_offset is None else storage_offset
    return as_strided_op(input, shape=tuple(size), strides=tuple(stride), offset=offset, base=base)


# Copies


class _Cat(Op):
    """Tensors one behind the other along `dim`."""

    def infer(self, operands, attrs):
        dim = attrs["dim"]
        first = operands[0]
        shape = list(first.shape)
        shape[dim] = 0
        for k, x in enumerate(operands):
            rest = [n for d, n in enumerate(x.shape) if d != dim]
            if len(x.shape) != len(shape) or rest != [n for d, n in enumerate(shape) if d != dim]:
                raise RuntimeError(
                    f"cat(): Sizes of tensors must match except in dimension {dim}. Got "
                    f"{list(first.shape)} for tensor number 0 and {list(x.shape)} for tensor "
                    f"number {k} in the list."
                )
            shape[dim] += x.shape[dim]
        return intern(tuple(shape), result_dtype(operands))

    def lower(self, build, inputs, operands, attrs, metas):
        """Writes into a fresh value, one per operand."""
        dim, shape, kind = attrs["dim"], metas[0].shape, metas[0].dtype
        strides = contiguous_strides(shape)
        flat, start = build.undef(math.prod(shape), kind), 0
        for x in inputs:
            if x.numel:
                flat = build.write(flat, build.cast(x, kind), strides, start * strides[dim])
            start += x.shape[dim]
        return build.reshape(flat, shape)


cat_op = _Cat("cat")


@cat_op.vjp
def _(g, out, *inputs, dim):
    grads, start = [], 0
    for x in inputs:
        n = x._meta.shape[dim]
        grads.append(slice_op(g, dim=dim, start=start, size=n, step=1))
        start += n
    return tuple(grads)


@function(methods=False, aliases=("concat", "concatenate"))
def cat(tensors, dim=0):
    """Tensors one behind the other along `dim`; they agree in all other dims."""
    tensors = tuple(tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for k, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"expected Tensor as element {k} in argument 0, but got {type(x).__name__}"
            )
        if not x._meta.shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {k}) cannot be concatenated")
    full = [x for x in tensors if x._meta.shape != (0,)] or tensors[:1]
    dim = normalize_dim(dim, len(full[0]._meta.shape))
    return cat_op(*full, dim=dim)


@function(methods=False)
def stack(tensors, dim=0):
    """Tensors of one shape along a new dim."""
    tensors = tuple(tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = tensors[0]._meta.shape
    for k, x in enumerate(tensors):
        if x._meta.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 "
                f"and {list(x._meta.shape)} at entry {k}"
            )
    dim = normalize_dim(dim, len(shape) + 1)
    return cat([unsqueeze_op(x, dim=dim) for x in tensors], dim)


class _Flip(Op):
    """Elements in reverse along `dims`."""

    def infer(self, operands, attrs):
        return intern(operands[0].shape, operands[0].dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """An index map with negative steps."""
        (x,) = inputs
        axes = [
            (d, n - 1, -1) if d in attrs["dims"] and n else (d, 0, 1) for d, n in enumerate(x.shape)
        ]
        return build.move(x, axes, x.shape)


flip_op = _Flip("flip")
flip_op.vjp_rule = lambda g, out, x, dims: flip_op(g, dims=dims)


@function(out=False)
def flip(input, *args, dims=None):
    """A copy in reverse order along `dims`."""
    dims = args if dims is None else (dims,)
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return flip_op(input, dims=normalize_list(dims, len(input._meta.shape)))


@function(out=False)
def fliplr(input):
    """Columns in reverse order. Raises RuntimeError for fewer than 2 dims."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@function(out=False)
def flipud(input):
    """Rows in reverse order. Raises RuntimeError for 0 dims."""
    if not input.ndim:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@function(out=False)
def roll(input, shifts, dims=None):
    """Elements shifted along `dims`, those pushed out coming back at the other end."""
    if dims is None or dims == ():
        return roll(input.reshape(-1), shifts, 0).reshape(input._meta.shape)
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    for shift, d in zip(shifts, dims, strict=True):
        d = normalize_dim(d, len(input._meta.shape))
        n = input._meta.shape[d]
        k = shift % n if n else 0
        if k:
            head = slice_op(input, dim=d, start=n - k, size=k, step=1)
            tail = slice_op(input, dim=d, start=0, size=n - k, step=1)
            input = cat_op(head, tail, dim=d)
    return clone(input)


@method("repeat")
def repeat(self, *args, repeats=None):
    """A copy repeated repeats[d] times along each dim; new dims come first."""
    sizes = _sizes(args if repeats is None else (repeats,))
    shape = self._meta.shape
    lead = len(sizes) - len(shape)
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    shape = (1,) * lead + tuple(shape)
    between = [m for n in shape for m in (1, n)]
    expanded = [m for k, n in zip(sizes, shape, strict=True) for m in (k, n)]
    result = [k * n for k, n in zip(sizes, shape, strict=True)]
    return reshape(expand(reshape(self, between), expanded), result)


@function(out=False)
def tile(input, *args, dims=None):
    """`repeat`, with missing dims counted as 1."""
    dims = _sizes(args if dims is None else (dims,))
    return repeat(input, (1,) * (len(input._meta.shape) - len(dims)) + dims)


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
