"""Reading and writing at indices: `x[...]`, gather, scatter and their relatives."""

import numpy as np

from .. import dtypes
from ..recorder import inplace
from ..recorder.handle import Tensor, contiguous_strides, intern
from ..recorder.trace import view_in_memory
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, METHODS, cast_to, function, in_place_method
from .core import Op, broadcast_shapes
from .creation import arange, make_tensor
from .reduce import normalize_dim

__all__ = ["along", "gather_op", "positions", "scatter_op"]


def positions(x, dim):
    """0, 1, ... along `dim`, in a shape that broadcasts with `x`."""
    shape = [1] * len(x._meta.shape)
    shape[dim] = x._meta.shape[dim]
    return arange(shape[dim]).reshape(shape)


class _Gather(Op):
    """Operand 0 read at index tensors (int64, of one shape) along its leading dims."""

    def infer(self, operands, attrs):
        x, *indices = operands
        shape = broadcast_shapes("index", [i.shape for i in indices])
        return intern((*shape, *x.shape[len(indices) :]), x.dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """The gather node."""
        x, *indices = inputs
        shape = broadcast_shapes("index", [i.shape for i in operands[1:]])
        indices = [build.expand(build.cast(i, dtypes.int64), shape) for i in indices]
        return build.gather(x, indices)


class _Scatter(Op):
    """Operand 0 with operand 1 combined into it at index tensors, one element after another."""

    def infer(self, operands, attrs):
        return intern(operands[0].shape, operands[0].dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """The scatter node."""
        x, value, *indices = inputs
        shape = broadcast_shapes("index_put", [i.shape for i in operands[2:]])
        indices = [build.expand(build.cast(i, dtypes.int64), shape) for i in indices]
        value = build.expand(build.cast(value, x.dtype), (*shape, *x.shape[len(indices) :]))
        return build.scatter(x, value, indices, attrs["mode"])


gather_op, scatter_op = _Gather("index"), _Scatter("index_put")


@gather_op.vjp
def _(g, out, x, *indices):
    zeros = g.new_zeros(x._meta.shape)
    return (scatter_op(zeros, g, *indices, mode="sum"), *[None] * len(indices))


@scatter_op.vjp
def _(g, out, x, value, *indices, mode):
    if mode == "set":
        by_x = scatter_op(g, g.new_zeros(()), *indices, mode="set")
        by_value = gather_op(g, *indices)
        # Of elements that are written several times only the last counts.
        count = arange(by_value._meta.numel).reshape(by_value._meta.shape)
        places = g.new_zeros(x._meta.shape, dtype=dtypes.int64)
        last = gather_op(scatter_op(places, count, *indices, mode="set"), *indices)
        by_value = ew.where(ew.eq(last, count), by_value, 0)
        return (by_x, by_value, *[None] * len(indices))
    if mode == "sum":
        return (g, gather_op(g, *indices), *[None] * len(indices))
    if mode in ("max", "min"):
        hit_x = cast_to(ew.eq(x, out), g.dtype)
        hits = cast_to(ew.eq(value, gather_op(out, *indices)), g.dtype)
        total = scatter_op(hit_x, hits, *indices, mode="sum")
        share = g / total
        return (share * hit_x, gather_op(share, *indices) * hits, *[None] * len(indices))
    return (*_product_vjp(g, out, x, value, indices), *[None] * len(indices))


def _product_vjp(g, out, x, value, indices):
    """The cotangents of x and value for products combined at indices, zeros among them or not."""
    ones = ew.where(ew.eq(x, 0), 1, x)
    by_x = g * ew.conj(scatter_op(ones, value, *indices, mode="prod") / ones)
    zero = ew.eq(value, 0)
    count = scatter_op(
        FUNCTIONS["zeros"](x.shape, dtype=dtypes.int64),
        cast_to(zero, dtypes.int64),
        *indices,
        mode="sum",
    )
    lone = ew.logical_and(zero, ew.eq(gather_op(count, *indices), 1))
    without = scatter_op(x, ew.where(lone, 1, value), *indices, mode="prod")
    at_lone = gather_op(g * ew.conj(without), *indices)
    elsewhere = gather_op(g * ew.conj(out), *indices) / ew.conj(ew.where(zero, 1, value))
    return by_x, ew.where(lone, at_lone, elsewhere)


# x[...]


def parse(x, index):
    """The views an index takes, and its tensors: (viewed tensor, {dim: index tensor})."""
    items = list(index) if isinstance(index, tuple) else [index]
    items = [_item(i) for i in items]
    used = sum(_dims_used(i) for i in items)
    ndim = len(x._meta.shape)
    if used > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    where = next(k for k, i in enumerate(items) if i is Ellipsis)
    items[where : where + 1] = [slice(None)] * (ndim - used)
    dim, tensors = 0, {}
    for item in items:
        if item is None:
            x = mv.unsqueeze(x, dim)
            dim += 1
        elif isinstance(item, slice):
            start, stop, step = (_as_int(s) for s in (item.start, item.stop, item.step))
            if (start, stop, step) != (None, None, None):
                x = mv.slice_dim(x, dim, start, stop, 1 if step is None else step)
            dim += 1
        elif isinstance(item, bool):
            x = mv.unsqueeze(x, dim)
            tensors[dim] = make_tensor([0] if item else [], dtype=dtypes.int64)
            dim += 1
        elif isinstance(item, int):
            n = x._meta.shape[dim]
            if not -n <= item < n:
                raise IndexError(f"index {item} is out of bounds for dimension {dim} with size {n}")
            x = mv.select_op(x, dim=dim, index=item % n)
        elif not item._meta.shape and item._meta.dtype in (dtypes.bool_, dtypes.uint8):
            x = mv.unsqueeze(x, dim)
            tensors[dim] = FUNCTIONS["nonzero"](item, as_tuple=True)[0]
            dim += 1
        else:
            dim = _tensor_index(x, item, dim, tensors)
    return x, tensors


def _tensor_index(x, item, dim, tensors):
    if item._meta.dtype in (dtypes.bool_, dtypes.uint8):
        for k, n in enumerate(item._meta.shape):
            if n != x._meta.shape[dim + k]:
                raise IndexError(
                    f"The shape of the mask {list(item._meta.shape)} at index {k} does not match "
                    f"the shape of the indexed tensor {list(x._meta.shape)} at index {dim + k}"
                )
        for found in FUNCTIONS["nonzero"](item, as_tuple=True):
            tensors[dim] = found
            dim += 1
        return dim
    if item._meta.dtype.category != dtypes.INT:
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    tensors[dim] = item
    return dim + 1


def _as_int(x):
    return x if x is None else x.__index__()


def _item(i):
    if i is None or i is Ellipsis or isinstance(i, (slice, bool, int)):
        return i
    if isinstance(i, Tensor):
        if not i._meta.shape and i._meta.dtype.category == dtypes.INT:
            if i._meta.dtype is not dtypes.uint8:
                return int(i.item())
        return i
    if isinstance(i, np.bool_):
        return bool(i)
    if isinstance(i, np.integer):
        return int(i)
    if isinstance(i, (list, range, np.ndarray, tuple)):
        made = make_tensor(i if not isinstance(i, range) else list(i))
        return made if made._meta.numel else cast_to(made, dtypes.int64)
    if hasattr(i, "__index__"):
        return i.__index__()
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {type(i).__name__})"
    )


def _dims_used(i):
    if i is None or i is Ellipsis or isinstance(i, bool):
        return 0
    if isinstance(i, Tensor) and i._meta.dtype in (dtypes.bool_, dtypes.uint8):
        return len(i._meta.shape)
    return 1


def _arrange(x, tensors):
    """The tensor with its indexed dims in front, the indices, and where their result goes."""
    dims = sorted(tensors)
    adjacent = dims == list(range(dims[0], dims[0] + len(dims)))
    rest = [d for d in range(len(x._meta.shape)) if d not in tensors]
    moved = (
        mv.permute_op(x, dims=tuple(dims + rest))
        if dims + rest != list(range(len(x._meta.shape)))
        else x
    )
    try:
        broadcast_shapes("index", [tensors[d]._meta.shape for d in dims])
    except RuntimeError:
        shapes = ", ".join(str(list(tensors[d]._meta.shape)) for d in dims)
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes " + shapes
        ) from None
    return moved, [tensors[d] for d in dims], (dims[0] if adjacent else 0)


def _to_place(result, width, place):
    """Move the leading `width` dims of a gathered result to `place`."""
    ndim = len(result._meta.shape)
    if not place or not width:
        return result
    order = (
        list(range(width, width + place)) + list(range(width)) + list(range(width + place, ndim))
    )
    return mv.permute_op(result, dims=tuple(order))


def getitem(self, index):
    """x[index]: a view for ints, slices, None and Ellipsis, a copy for masks and tensors."""
    if index.__class__ is int:
        shape = self._meta.shape
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a "
                "0-dim tensor to a number"
            )
        if not -shape[0] <= index < shape[0]:
            raise IndexError(f"index {index} is out of bounds for dimension 0 with size {shape[0]}")
        meta = self._meta
        step = meta.strides[0]
        start = meta.offset + index % shape[0] * step
        view = view_in_memory(self, shape[1:], meta.strides[1:], start)
        return mv.select_op(self, dim=0, index=index % shape[0]) if view is None else view
    x, tensors = parse(self, index)
    if not tensors:
        return x if x is not self else mv.reshape(self, self._meta.shape)
    moved, indices, place = _arrange(x, tensors)
    result = gather_op(moved, *indices)
    width = len(broadcast_shapes("index", [i._meta.shape for i in indices]))
    return _to_place(result, width, place)


def setitem(self, index, value):
    """x[index] = value, which broadcasts."""
    x, tensors = parse(self, index)
    inplace.check_writable(self, "index_put_", overlap=not tensors)
    if not isinstance(value, Tensor):
        value = (
            make_tensor(value, dtype=self._meta.dtype)
            if not isinstance(value, (int, float, bool, complex))
            else FUNCTIONS["full"]((), value, dtype=self._meta.dtype)
        )
    if not tensors:
        _set_region(self if x is self else x, value)
        return
    moved, indices, place = _arrange(x, tensors)
    width = len(broadcast_shapes("index", [i._meta.shape for i in indices]))
    target = gather_shape(moved, indices)
    value = _fit_value(value, target, width, place)
    changed = scatter_op(moved, cast_to(value, moved._meta.dtype), *indices, mode="set")
    dims = sorted(tensors)
    rest = [d for d in range(len(x._meta.shape)) if d not in tensors]
    order = dims + rest
    back = mv.permute_op(changed, dims=tuple(order.index(d) for d in range(len(order))))
    inplace.write(x, back)


def gather_shape(moved, indices):
    """The shape of what the indices read, indexed dims first."""
    shape = broadcast_shapes("index", [i._meta.shape for i in indices])
    return (*shape, *moved._meta.shape[len(indices) :])


def _fit_value(value, target, width, place):
    if place:
        shown = (*target[width : width + place], *target[:width], *target[width + place :])
        value = _broadcast_value(value, shown)
        order = (
            list(range(place, place + width))
            + list(range(place))
            + list(range(place + width, len(shown)))
        )
        return mv.permute_op(value, dims=tuple(order))
    return _broadcast_value(value, target)


def _broadcast_value(value, shape):
    have = value._meta.shape
    while len(have) > len(shape) and have and have[0] == 1:
        value = value.squeeze(0)
        have = value._meta.shape
    try:
        return mv.expand(value, *shape) if tuple(have) != tuple(shape) else value
    except RuntimeError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(have)} cannot be broadcast to indexing "
            f"result of shape {list(shape)}"
        ) from None


def _set_region(x, value):
    shape = x._meta.shape
    inplace.check_writable(x, "copy_", overlap=value._meta.numel == 1)
    value = cast_to(value, x._meta.dtype)
    if value._meta.shape != shape:
        have = value._meta.shape
        while len(have) > len(shape) and have[0] == 1:
            value = value.squeeze(0)
            have = value._meta.shape
        value = mv.expand(value, *shape)
    inplace.write(x, value)


METHODS["__getitem__"], METHODS["__setitem__"] = getitem, setitem


# Functions


def _check_index(name, index):
    if index._meta.dtype not in (dtypes.int64, dtypes.int32) and index._meta.numel:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def along(index, dim):
    """Index tensors for all dims: `index` itself for `dim`, positions for the others."""
    return [index if d == dim else positions(index, d) for d in range(len(index._meta.shape))]


@function
def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on; the shape is that of `index`."""
    ndim = len(input._meta.shape)
    dim = normalize_dim(dim, ndim)
    _check_index("gather", index)
    if not ndim and len(index._meta.shape) < 2:
        return gather_op(input.reshape(1), index.reshape(-1)).reshape(index._meta.shape)
    if not index._meta.numel:
        return input.reshape(-1)[:0].reshape(index._meta.shape)
    if len(index._meta.shape) != ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for d in range(ndim):
        if d != dim and index._meta.shape[d] > input._meta.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(index._meta.shape)} to "
                f"be no larger than self {list(input._meta.shape)} apart from dimension {dim}"
            )
    return gather_op(input, *along(index, dim))


_MODES = {None: "set", "add": "sum", "sum": "sum", "multiply": "prod", "prod": "prod"}
_MODES |= {"amax": "max", "amin": "min"}


def _scatter(input, dim, index, src, mode, name):
    ndim = len(input._meta.shape)
    dim = normalize_dim(dim, ndim)
    _check_index(name, index)
    if not isinstance(src, Tensor):
        src = FUNCTIONS["full"]((), src, dtype=input._meta.dtype).expand(index._meta.shape)
    elif src._meta.dtype is not input._meta.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype")
    elif not len(src._meta.shape) == len(index._meta.shape) == ndim and ndim:
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as self tensor and src tensor"
        )
    elif tuple(src._meta.shape) != tuple(index._meta.shape):
        for d, n in enumerate(index._meta.shape):
            if n > src._meta.shape[d]:
                raise RuntimeError(
                    f"Expected index {list(index._meta.shape)} to be no larger than src "
                    f"{list(src._meta.shape)} in all dimensions"
                )
            src = mv.narrow(src, d, 0, n)
    if not ndim:
        flat = scatter_op(input.reshape(1), src.reshape(1), index.reshape(1), mode=mode)
        return flat.reshape(())
    for d in range(ndim):
        if d != dim and index._meta.shape[d] > input._meta.shape[d]:
            raise RuntimeError(
                f"Expected index {list(index._meta.shape)} to be no larger than self "
                f"{list(input._meta.shape)} apart from dimension {dim}"
            )
    return scatter_op(input, src, *along(index, dim), mode=mode)


@function(inplace_too=True)
def scatter(input, dim, index, src=None, *, reduce=None, value=None):
    """A copy of `input` with `src` written at `index` along `dim`."""
    return _scatter(input, dim, index, value if src is None else src, _MODES[reduce], "scatter")


@function(inplace_too=True)
def scatter_add(input, dim, index, src):
    """A copy of `input` with `src` added at `index` along `dim`."""
    return _scatter(input, dim, index, src, "sum", "scatter_add")


@function
def index_select(input, dim, index):
    """The slices of `dim` that a 1-d index names."""
    dim = normalize_dim(dim, len(input._meta.shape))
    if len(index._meta.shape) > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    _check_index("index_select", index)
    if not input._meta.shape:
        return gather_op(input.reshape(1), index.reshape(-1)).reshape(())
    moved = mv.movedim(input, dim, 0) if dim else input
    result = gather_op(moved, index.reshape(-1))
    return mv.movedim(result, 0, dim) if dim else result


def _index_into(input, dim, index, source, mode, name):
    dim = normalize_dim(dim, len(input._meta.shape))
    _check_index(name, index)
    if source._meta.dtype is not input._meta.dtype:
        raise RuntimeError(f"{name}(): self and source expected to have the same dtype")
    if not input._meta.shape:
        flat = scatter_op(input.reshape(1), source.reshape(-1), index.reshape(-1), mode=mode)
        return flat.reshape(())
    moved = mv.movedim(input, dim, 0)
    value = mv.movedim(source, dim, 0) if source._meta.shape else source
    if value._meta.shape and value._meta.shape[1:] != moved._meta.shape[1:]:
        raise RuntimeError(
            f"{name}(): source tensor shape must match self tensor shape, excluding the specified "
            f"dimension. Got self.shape = {list(input.shape)} source.shape = {list(source.shape)}"
        )
    return mv.movedim(scatter_op(moved, value, index.reshape(-1), mode=mode), 0, dim)


@function(inplace_too=True)
def index_add(input, dim, index, source, *, alpha=1):
    """A copy of `input` with the slices of `source`, times alpha, added at `index` of `dim`."""
    source = source if alpha == 1 else source * alpha
    return _index_into(input, dim, index, source, "sum", "index_add")


@function(inplace_too=True)
def index_copy(input, dim, index, source):
    """A copy of `input` with the slices of `source` written at `index` of `dim`."""
    return _index_into(input, dim, index, source, "set", "index_copy")


@function(inplace_too=True)
def index_fill(input, dim, index, value):
    """A copy of `input` with a number written at `index` of `dim`."""
    if isinstance(value, Tensor):
        value = value.reshape(())
    else:
        value = FUNCTIONS["full"]((), value, dtype=input._meta.dtype)
    moved = mv.movedim(input, dim, 0) if input._meta.shape else input.reshape(1)
    filled = scatter_op(moved, cast_to(value, input._meta.dtype), index.reshape(-1), mode="set")
    return mv.movedim(filled, 0, dim) if input._meta.shape else filled.reshape(())


@function(inplace_too=True)
def index_put(input, indices, values, accumulate=False):
    """A copy of `input` with `values` written at, or added at, tuples of index tensors."""
    x, tensors = parse(input, tuple(slice(None) if i is None else i for i in indices))
    if not tensors:
        return values.expand(input._meta.shape).clone()
    if values._meta.dtype is not input._meta.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got "
            f"{input._meta.dtype.name} for the destination and {values._meta.dtype.name} for the "
            "source."
        )
    moved, found, place = _arrange(x, tensors)
    width = len(broadcast_shapes("index", [i._meta.shape for i in found]))
    value = _fit_value(values, gather_shape(moved, found), width, place)
    changed = scatter_op(moved, value, *found, mode="sum" if accumulate else "set")
    order = sorted(tensors) + [d for d in range(len(x._meta.shape)) if d not in tensors]
    return mv.permute_op(changed, dims=tuple(order.index(d) for d in range(len(order))))


def _mask(name, mask):
    if mask._meta.dtype is not dtypes.bool_:
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {mask._meta.dtype.name}"
        )
    return mask


@function(inplace_too=True)
def masked_fill(input, mask, value):
    """A copy of `input` with a number where `mask` is true."""
    if isinstance(value, Tensor) and value._meta.shape:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    result = ew.where(_mask("masked_fill", mask), value, input)
    return cast_to(result, input._meta.dtype)


@function
def masked_select(input, mask):
    """The elements where `mask` is true, 1-d."""
    input, mask = mv.broadcast_tensors(input, _mask("masked_select", mask))
    if not input._meta.shape:
        input, mask = input.reshape(1), mask.reshape(1)
    return getitem(input, mask)


@function(inplace_too=True)
def masked_scatter(input, mask, source):
    """A copy of `input` with the elements of `source`, in order, where `mask` is true."""
    input, mask = mv.broadcast_tensors(input, _mask("masked_scatter", mask))
    flat = mask.reshape(-1)
    order = (flat.cumsum(0) - 1).clamp(min=0)
    return ew.where(mask, source.reshape(-1)[order].reshape(input._meta.shape), input)


@function
def take(input, index):
    """The elements at indices into the flattened tensor."""
    _check_index("take", index)
    return gather_op(input.reshape(-1), index)


@function
def take_along_dim(input, indices, dim=None):
    """`gather` with broadcasting; of the flattened tensor without `dim`."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    dim = normalize_dim(dim, input.ndim)
    left, right = list(input.shape), list(indices.shape)
    left[dim] = right[dim] = 1
    both = list(broadcast_shapes("take_along_dim", [tuple(left), tuple(right)]))
    wide, narrow = list(both), list(both)
    wide[dim], narrow[dim] = input.shape[dim], indices.shape[dim]
    return gather(input.expand(wide), dim, indices.expand(narrow))


@function(methods=True, out=False)
def nonzero(input, *, as_tuple=False):
    """The indices of the elements that are not zero, [count, ndim], or a tuple of 1-d tensors."""
    from ..recorder.sync import to_array

    array = dtypes.decode(to_array(input), input._meta.dtype)
    if as_tuple:
        found = np.nonzero(array if array.ndim else array.reshape(1))
        return tuple(make_tensor(f.astype(np.int64)) for f in found)
    found = np.argwhere(array).astype(np.int64)
    return make_tensor(found.reshape(len(found), array.ndim))


@function
def argwhere(input):
    """`nonzero(input)`."""
    return nonzero(input)


@function(methods=False)
def tril_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """The indices of the lower triangle of a matrix, [2, count]."""
    return cast_to(make_tensor(np.stack(np.tril_indices(row, offset, col))), dtype)


@function(methods=False)
def triu_indices(row, col, offset=0, *, dtype=dtypes.int64, device=None, layout=None):
    """The indices of the upper triangle of a matrix, [2, count]."""
    return cast_to(make_tensor(np.stack(np.triu_indices(row, offset, col))), dtype)


def _triangle(name, keep):
    def triangle(input, diagonal=0):
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        rows, columns = positions(input, input.ndim - 2), positions(input, input.ndim - 1)
        return ew.where(keep(columns - rows, diagonal), input, _zero(input))

    triangle.__name__ = name
    triangle.__doc__ = f"The {'lower' if name == 'tril' else 'upper'} triangle, zeros elsewhere."
    return function(triangle, inplace_too=True)


def _zero(x):
    """A zero that leaves the dtype of `x` as it is."""
    kind = x._meta.dtype
    return False if kind is dtypes.bool_ else 0 if kind.category == dtypes.INT else 0.0


tril, triu = _triangle("tril", ew.le), _triangle("triu", ew.ge)


@function
def diag(input, diagonal=0):
    """The diagonal of a matrix; of a vector, the matrix with that diagonal."""
    if input.ndim == 2:
        return mv.diagonal(input, diagonal).clone()
    if input.ndim != 1:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    return diag_embed(input, diagonal)


@function
def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last dim of `input` as their diagonals."""
    n = input.shape[-1] + (offset if offset >= 0 else -offset)
    ndim = input.ndim + 1
    dim1, dim2 = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    zeros = input.new_zeros((*input.shape[:-1], n, n))
    strides = contiguous_strides(zeros.shape)
    start = offset if offset >= 0 else -offset * n
    geometry = (tuple(input.shape), (*strides[:-2], n + 1), start)
    made = mv.write_region(zeros, input, geometry=geometry)
    return mv.movedim(made, (-2, -1), (dim1, dim2))


_ = in_place_method
