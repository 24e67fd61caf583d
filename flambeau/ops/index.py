"""Reading and writing at indices: `x[...]`, gather, scatter and their relatives."""

import numpy as np

from .. import dtypes
from ..recorder import inplace
from ..recorder.entering import view_in_memory
from ..recorder.handle import Tensor, intern
from ..recorder.trace import local
from . import elementwise as ew
from . import movement as mv
from . import view_ops
from .api import FUNCTIONS, METHODS, cast_to
from .at_once import become_memory, set_region
from .core import Elementwise, Op, broadcast_shapes
from .creation import arange
from .from_data import make_tensor
from .strides import broadcast_strides, layout_by
from .view_ops import select_op

__all__ = ["gather_op", "gather_shape", "getitem", "parse", "positions", "scatter_op", "setitem"]


def positions(x, dim):
    """0, 1, ... along `dim`, in a shape that broadcasts with `x`."""
    shape = [1] * len(x._meta.shape)
    shape[dim] = x._meta.shape[dim]
    return arange(shape[dim]).reshape(shape)


FAR = 1 << 62  # how far below zero an index is moved that must not be negative
_less = Elementwise("lt", np.less, "bool")


def _indices(build, inputs, shape, wrap):
    """The indices as int64 of one shape; unless they wrap, negative ones are out of range."""
    indices = [build.expand(build.cast(i, dtypes.int64), shape) for i in inputs]
    if wrap:
        return indices
    zero, far = build.const(0, dtypes.int64), build.const(FAR, dtypes.int64)
    found = []
    for i in indices:
        negative = build.map(_less, (i, zero), shape, dtypes.bool_)
        below = build.map(ew.sub_op, (i, far), shape, dtypes.int64)
        found.append(build.map(ew.where_op, (negative, below, i), shape, dtypes.int64))
    return found


class _Gather(Op):
    """Operand 0 read at index tensors (int64, of one shape) along some of its dims.

    dims: those dims, in rising order, and the result is as PyTorch's `x[...]`: the dims of the
        indices stand in place of theirs, or in front if those are not adjacent, and in memory the
        others stay in the order of x. Without it they are the leading dims.
    wrap: whether negative indices count from the end; they do unless it is False.
    """

    for_limited = "all"

    def infer(self, operands, attrs):
        x, *indices = operands
        shape = broadcast_shapes("index", [i.shape for i in indices])
        dims = attrs.get("dims", tuple(range(len(indices))))
        place, rest = _place(dims), _others(x, dims)
        lead, trail = rest[:place], rest[place:]
        made = (*[x.shape[d] for d in lead], *shape, *[x.shape[d] for d in trail])
        if "dims" not in attrs or x.contiguous or 0 in made:
            return intern(made, x.dtype)
        before, after = [0] * len(lead), [0] * len(trail)
        steps = [[*[x.strides[d] for d in lead], *[0] * len(shape), *[x.strides[d] for d in trail]]]
        steps += [[*before, *broadcast_strides(i, shape), *after] for i in indices]
        return layout_by(made, x.dtype, steps)

    def lower(self, build, inputs, operands, attrs, metas):
        """The gather node, of x with the indexed dims in front."""
        x, *indices = inputs
        shape = broadcast_shapes("index", [i.shape for i in operands[1:]])
        dims = attrs.get("dims", tuple(range(len(indices))))
        front = [*dims, *_others(operands[0], dims)]
        x = build.permute(x, front) if front != sorted(front) else x
        made = build.gather(x, _indices(build, indices, shape, attrs.get("wrap", True)))
        order = _behind(len(shape), _place(dims), len(made.shape))
        return build.permute(made, order) if order != sorted(order) else made


def _place(dims):
    """Where the dims of indices of some dims stand in the result."""
    return dims[0] if dims == tuple(range(dims[0], dims[0] + len(dims))) else 0


def _others(x, dims):
    return [d for d in range(len(x.shape)) if d not in dims]


def _behind(width, place, ndim):
    """The order of dims that moves the first `width` behind the next `place`."""
    return [*range(width, width + place), *range(width), *range(width + place, ndim)]


class _Scatter(Op):
    """Operand 0 with operand 1 combined into it at index tensors, one element after another."""

    for_limited = "all"

    def infer(self, operands, attrs):
        return intern(operands[0].shape, operands[0].dtype)

    def lower(self, build, inputs, operands, attrs, metas):
        """The scatter node."""
        x, value, *indices = inputs
        shape = broadcast_shapes("index_put", [i.shape for i in operands[2:]])
        indices = _indices(build, indices, shape, attrs.get("wrap", True))
        value = build.expand(build.cast(value, x.dtype), (*shape, *x.shape[len(indices) :]))
        return build.scatter(x, value, indices, attrs["mode"])


gather_op, scatter_op = _Gather("index"), _Scatter("index_put")


@gather_op.vjp
def _(g, out, x, *indices, dims=None, **wrap):
    zeros = g.new_zeros(x._meta.shape)
    none = [None] * len(indices)
    if dims is None:
        return (scatter_op(zeros, g, *indices, mode="sum", **wrap), *none)
    front = [*dims, *_others(x._meta, dims)]
    width = len(broadcast_shapes("index", [i._meta.shape for i in indices]))
    order = _behind(width, _place(dims), len(g._meta.shape))
    g = view_ops.permute_op(g, dims=_inverse(order))
    made = scatter_op(
        view_ops.permute_op(zeros, dims=tuple(front)), g, *indices, mode="sum", **wrap
    )
    return (view_ops.permute_op(made, dims=_inverse(front)), *none)


def _inverse(order):
    return tuple(order.index(d) for d in range(len(order)))


@scatter_op.vjp
def _(g, out, x, value, *indices, mode, wrap=True):
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


class _SelectAt(Op):
    """`select` at an index that is a number of the run: a view all the same."""

    view = True
    grad_name = select_op.grad_name

    def infer(self, operands, attrs):
        shape, strides, offset = select_op.geometry(operands[0], attrs["dim"], 0)
        return intern(shape, operands[0].dtype, tuple(strides), offset)

    def lower(self, build, inputs, operands, attrs, metas):
        """A gather along the dim, at an index that was checked when it was recorded."""
        x, index = inputs
        dims = [d for d in range(len(x.shape)) if d != attrs["dim"]]
        return build.gather(build.permute(x, [attrs["dim"], *dims]), [index], check=False)

    @staticmethod
    def displacement(x, index, dim):
        """How many elements after the operand it begins."""
        return index * x._meta.strides[dim]


select_at_op = _SelectAt("select_at")
select_op.at_run_time = lambda x, dim, index: select_at_op(x, index, dim=dim)


@select_at_op.vjp
def _(g, out, x, index, dim):
    return ew.where(ew.eq(positions(x, dim), index), g.unsqueeze(dim), 0), None


# x[...]


def parse(x, index):
    """The views an index takes, and its tensors: (viewed tensor, {dim: index tensor})."""
    items = list(index) if isinstance(index, tuple) else [index]
    items = [_item(i) for i in items]
    view = _view_at_once(x, items)
    if view is None and all(type(i) is int for i in items) and become_memory(x):
        view = _view_at_once(x, items)  # such as count[i, j] of zeros
    if view is not None:
        return view, {}
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
        if item is Ellipsis:
            continue
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
            x = mv.at(x, dim, item % n)
        elif not item._meta.shape and item._meta.dtype in (dtypes.bool_, dtypes.uint8):
            x = mv.unsqueeze(x, dim)
            tensors[dim] = FUNCTIONS["nonzero"](item, as_tuple=True)[0]
            dim += 1
        else:
            dim = _tensor_index(x, item, dim, tensors)
    return x, tensors


def _view_at_once(x, items):
    """The view that ints and slices take of a tensor in memory; None where it is recorded."""
    meta = x._meta
    sizes, steps = tuple(meta.shape), meta.strides  # a plain tuple is quicker to look into
    ndim, dim = len(sizes), 0
    shape, strides, offset = [], [], meta.offset
    for item in items:
        kind = type(item)
        if item is Ellipsis:
            rest = max(ndim - len(items) + 1, 0)
            shape += sizes[dim : dim + rest]
            strides += steps[dim : dim + rest]
            dim += rest
            continue
        if dim == ndim:
            return None
        n, stride = sizes[dim], steps[dim]
        if kind is int and -n <= item < n:
            offset += (item % n) * stride
        elif kind is slice and (item.step is None or (type(item.step) is int and item.step > 0)):
            start, stop, step = item.indices(n)
            size = len(range(start, stop, step))
            shape.append(size)
            strides.append(stride * step)
            offset += start * stride if size else 0
        else:
            return None
        dim += 1
    return view_in_memory(x, (*shape, *sizes[dim:]), (*strides, *steps[dim:]), offset)


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
    if type(i) in (int, slice):
        return i
    if i is None or i is Ellipsis or isinstance(i, (slice, bool, int)):
        return i
    if isinstance(i, Tensor):
        if not i._meta.shape and i._meta.dtype.category == dtypes.INT:
            if i._meta.dtype is not dtypes.uint8 and not local.trace.sampling:
                return int(i.item())  # a view, which knows where it starts
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
    rest = [d for d in range(len(x._meta.shape)) if d not in tensors]
    moved = (
        view_ops.permute_op(x, dims=tuple(dims + rest))
        if dims + rest != list(range(len(x._meta.shape)))
        else x
    )
    indices = [tensors[d] for d in dims]
    _check_indices(indices)
    return moved, indices, _place(tuple(dims))


def _check_indices(indices):
    """Raise IndexError where index tensors have no common shape."""
    shapes = [i._meta.shape for i in indices]
    try:
        broadcast_shapes("index", shapes)
    except RuntimeError:
        text = ", ".join(str(list(shape)) for shape in shapes)
        raise IndexError(
            "shape mismatch: indexing tensors could not be broadcast together with shapes " + text
        ) from None


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
        if self._storage is None and not self._meta.requires_grad:
            become_memory(self)  # such as total[i] of zeros
        return mv.at(self, 0, index % shape[0])
    x, tensors = parse(self, index)
    if not tensors:
        return x if x is not self else mv.reshape(self, self._meta.shape)
    dims = tuple(sorted(tensors))
    indices = [tensors[d] for d in dims]
    _check_indices(indices)
    return gather_op(x, *indices, dims=dims)


def setitem(self, index, value):
    """x[index] = value, which broadcasts."""
    if set_region(self, index, value):
        return
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
    inplace.write(x, view_ops.permute_op(changed, dims=_inverse(dims + rest)))


def gather_shape(moved, indices):
    """The shape of what the indices read, indexed dims first."""
    shape = broadcast_shapes("index", [i._meta.shape for i in indices])
    return (*shape, *moved._meta.shape[len(indices) :])


def _fit_value(value, target, width, place):
    if place:
        shown = (*target[width : width + place], *target[:width], *target[width + place :])
        value = _broadcast_value(value, shown)
        return view_ops.permute_op(value, dims=_inverse(_behind(width, place, len(shown))))
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
