"""How each kind of operation works on batches: what `vmap` replays a recorded function with.

A rule gets the operation, its operands and its attributes as they were recorded for one sample,
and computes the results for all samples at once. Of the operands some are `Batch`es: all samples
along dim 0. Operations of which no rule is known are done sample by sample.
"""

import functools
import math

from ..autograd import function, modes
from ..ops import copies, core, creation, elementwise, index, matmul, movement, reduce, view_ops
from ..ops import reinterpret as bits
from ..ops.api import FUNCTIONS, cast_to
from ..recorder.handle import Meta, Tensor
from ..recorder.states import LEAF, MARK, VIEW, WRITE, Structure

__all__ = ["Batch", "batched", "dense", "replay_expansion", "rule", "step"]


class Batch:
    """A tensor with all samples along dim 0."""

    __slots__ = ("tensor",)

    def __init__(self, tensor):
        self.tensor = tensor

    @property
    def shape(self):
        """Of one sample."""
        return self.tensor._meta.shape[1:]

    def aligned(self, ndim):
        """The tensor, its samples with dims of size 1 in front so that they have `ndim`."""
        shape = self.shape
        if len(shape) >= ndim:
            return self.tensor
        return self.tensor.reshape((len(self.tensor), *[1] * (ndim - len(shape)), *shape))


def batched(state, operands, size):
    """The results of a state's record for operands of which some are batches: `Batch`es."""
    results = rule(state.op, state, operands, dict(state.attrs), size)
    results = results if state.op.multi else (results,)
    return [Batch(r) for r in results]


def dense(x, size):
    """Operand `x` with all samples in memory one after the other."""
    if isinstance(x, Batch):
        return x.tensor.contiguous()
    return x.expand((size, *x._meta.shape)).contiguous()


def _shape(x):
    return x.shape if isinstance(x, Batch) else x._meta.shape


def _plain(x, ndim):
    """An operand for an operation that broadcasts to `ndim` dims and the batch."""
    return x.aligned(ndim) if isinstance(x, Batch) else x


def _shifted(attrs):
    """Attributes that name dims, for operands with one more in front."""
    result = dict(attrs)
    for name, value in attrs.items():
        if name in ("dim", "dim1", "dim2"):
            result[name] = value + 1
        elif name == "dims":
            result[name] = tuple(d + 1 for d in value)
    return result


@functools.singledispatch
def rule(op, state, operands, attrs, size):
    return _one_by_one(op, state, operands, attrs, size)


def _one_by_one(op, state, operands, attrs, size):
    """The operation for each sample, and the results stacked."""
    rows = []
    for k in range(size):
        row = [x.tensor.select(0, k) if isinstance(x, Batch) else x for x in operands]
        rows.append(op(*row, **attrs))
    if not op.multi:
        return FUNCTIONS["stack"](rows)
    return [FUNCTIONS["stack"](list(column)) for column in zip(*rows, strict=True)]


@rule.register(core.Elementwise)
def _(op, state, operands, attrs, size):
    meta = state.meta
    out = op(*[_plain(x, len(meta.shape)) for x in operands], **attrs)
    # A sample without dims promotes less than one number of a batch does.
    return out if out._meta.dtype is meta.dtype else cast_to(out, meta.dtype)


@rule.register(elementwise._Cast)
@rule.register(movement._Clone)
def _(op, state, operands, attrs, size):
    return op(operands[0].tensor, **attrs)


@rule.register(reduce.Reduce)
def _(op, state, operands, attrs, size):
    x = operands[0].tensor
    if not operands[0].shape:  # no dims to fold: not the same as all dims of the batch
        return op(x.unsqueeze(1), **{**attrs, "dims": (1,), "keepdim": False})
    return op(x, **_shifted(attrs))


@rule.register(copies._Flip)
def _(op, state, operands, attrs, size):
    return op(operands[0].tensor, **_shifted(attrs))


@rule.register(core.View)
def _(op, state, operands, attrs, size):
    return _VIEWS.get(op, _moved)(op, operands[0], attrs, state)


def _moved(op, x, attrs, state):
    return op(x.tensor, **_shifted(attrs))


def _permuted(op, x, attrs, state):
    return op(x.tensor, dims=(0, *[d + 1 for d in attrs["dims"]]))


def _reshaped(op, x, attrs, state):
    return x.tensor.reshape((len(x.tensor), *attrs["shape"]))


def _expanded(op, x, attrs, state):
    shape = attrs["shape"]
    return x.aligned(len(shape)).expand((len(x.tensor), *shape))


def _strided(op, x, attrs, state):
    return _seen(x, attrs["base"], attrs["shape"], attrs["strides"], attrs["offset"])


_VIEWS = {
    view_ops.view_op: _reshaped,
    view_ops.permute_op: _permuted,
    view_ops.transpose_op: _permuted,
    view_ops.t_op: _permuted,
    view_ops.expand_op: _expanded,
    view_ops.as_strided_op: _strided,
}


def _in_order(x, meta):
    """A batch laid out as one sample's `meta` is, and how many elements a sample has there."""
    if not meta.is_dense:
        raise RuntimeError("vmap: can not see a tensor that has gaps in memory as another shape")
    order = sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], -meta.shape[d]))
    moved = x.tensor.permute((0, *[d + 1 for d in order])).contiguous()
    return moved.reshape((len(x.tensor), -1)) if meta.numel else moved, meta.numel


def _seen(x, base, shape, strides, offset):
    """Samples whose memory is as `base` tells, seen with another geometry."""
    flat, count = _in_order(x, base)
    start = offset - base.offset
    return flat.as_strided((len(flat), *shape), (count, *strides), start)


@rule.register(bits._Reinterpret)
def _(op, state, operands, attrs, size):
    return op(operands[0].tensor.contiguous(), **attrs)


def _written(base, value, geometry, size):
    """Batches of contiguous samples with a region of each overwritten."""
    shape, strides, offset = geometry
    base = dense(base, size)
    count = math.prod(base._meta.shape[1:])
    geometry = (size, *shape), (count, *strides), offset
    return view_ops.write_region(base, _plain(value, len(shape)), geometry=geometry)


@rule.register(view_ops._Write)
def _(op, state, operands, attrs, size):
    return _written(*operands, attrs["geometry"], size)


@rule.register(view_ops._Embed)
def _(op, state, operands, attrs, size):
    attrs["shape"] = (size, *attrs["shape"])
    return op(operands[0].tensor, **_shifted(attrs))


def _indices(operands, count, ndim, size):
    """Index tensors for a batch: the number of the sample, then those of the samples."""
    first = creation.arange_op(0, 1, size=size, dtype=FUNCTIONS["arange"](1).dtype)
    return [first.reshape((size, *[1] * ndim)), *[_plain(i, ndim) for i in operands]]


@rule.register(index._Gather)
def _(op, state, operands, attrs, size):
    x, *indices = operands
    ndim = max(len(_shape(i)) for i in indices)
    if not isinstance(x, Batch):
        return op(x, *[_plain(i, ndim) for i in indices])
    return op(x.tensor, *_indices(indices, len(indices), ndim, size))


@rule.register(index._Scatter)
def _(op, state, operands, attrs, size):
    x, value, *indices = operands
    ndim = max(len(_shape(i)) for i in indices)
    rest = len(_shape(x)) - len(indices)
    found = _indices(indices, len(indices), ndim, size)
    return op(dense(x, size), _plain(value, ndim + rest), *found, **attrs)


@rule.register(copies._Cat)
def _(op, state, operands, attrs, size):
    return op(*[dense(x, size) for x in operands], **_shifted(attrs))


@rule.register(creation._Full)
def _(op, state, operands, attrs, size):
    shape = attrs["shape"]
    x = operands[0].aligned(len(shape)).expand((size, *shape))
    return cast_to(x, attrs["dtype"]).clone()


@rule.register(matmul._Matmul)
def _(op, state, operands, attrs, size):
    a, b = operands
    batch, rows, columns = state.meta.shape
    if batch == 1 and not isinstance(b, Batch):
        inner = b._meta.shape[1]
        return op(a.tensor.reshape((1, size * rows, inner)), b).reshape((size, 1, rows, columns))
    a, b = (x.tensor if isinstance(x, Batch) else x.expand((size, *x._meta.shape)) for x in (a, b))
    a, b = (x.reshape((size * batch, *x._meta.shape[2:])) for x in (a, b))
    return op(a, b).reshape((size, *state.meta.shape))


@rule.register(function.CustomResults)
def _(op, state, operands, attrs, size):
    tensors = [x.tensor if isinstance(x, Batch) else x for x in operands]
    tracked = modes.is_grad_enabled() and any(x._meta.requires_grad for x in tensors)
    if tracked and op is function.identity:
        raise RuntimeError(
            "vmap: the gradient of a custom autograd.Function is not known for all samples at "
            "once: differentiate within the function that is mapped"
        )
    return [dense(x, size) for x in operands[: attrs["outputs"]]]


@rule.register(core.Host)
def _(op, state, operands, attrs, size):
    if "dim" in attrs and isinstance(operands[0], Batch) and operands[0].shape:
        if not any(isinstance(x, (Batch, Tensor)) for x in operands[1:]):
            return op(operands[0].tensor, *operands[1:], **_shifted(attrs))
    return _one_by_one(op, state, operands, attrs, size)


def replay_expansion(expansion, operands, size):
    """The results of a composite's body for operands of which some are batches."""
    leaves = [
        x if isinstance(x, (Batch, Tensor)) else core.number(x) for x in operands if x is not None
    ]
    values = []
    entered = iter(leaves)
    for state in expansion.path:
        if state.op is LEAF:
            values.append(next(entered))
        elif not isinstance(state.op, Structure) or state.metas:
            numbers = {k: expansion.scalars[s] for k, s in state.slots().items()}
            values.extend(step(state, values.__getitem__, expansion_meta(expansion), numbers, size))
    return [values[p] for p in expansion.outputs]


def expansion_meta(expansion):
    """A function that gives the meta at a position of a composite's body."""
    metas = [m for s in expansion.path for m in s.metas]
    return metas.__getitem__


def step(state, value_at, meta_at, numbers, size):
    """What stands at the positions of a state: batches where an operand is one."""
    operands = [
        value_at(place) if type(place) is int else numbers.get(k)
        for k, place in enumerate(state.operands)
    ]
    some = any(isinstance(x, Batch) for x in operands)
    if isinstance(state.op, Structure):
        return [_structure(state, operands, meta_at, size)]
    if some:
        return batched(state, operands, size)
    results = state.op(*operands, **state.attrs)
    return list(results) if state.op.multi else [results]


def _structure(state, operands, meta_at, size):
    """A view, a write or a mark."""
    base = meta_at(state.operands[0])
    x = operands[0]
    if state.op is MARK:
        return Batch(x.tensor.detach()) if isinstance(x, Batch) else x.detach()
    x = x if isinstance(x, Batch) else Batch(x.expand((size, *x._meta.shape)))
    if state.op is VIEW:
        return Batch(_view(state, x, base))
    geometry = state.attrs["geometry"]
    if not isinstance(geometry, Meta) or state.op is not WRITE:
        raise RuntimeError(f"vmap: {state.op} is not known")  # pragma: no cover
    value = operands[1]
    if _same_place(geometry, base):
        value = value if isinstance(value, Batch) else Batch(value.expand((size, *_shape(value))))
        whole = value.aligned(len(base.shape)).expand((size, *base.shape))
        return Batch(cast_to(whole, base.dtype))
    flat, _ = _in_order(x, base)
    places = geometry.shape, geometry.strides, geometry.offset - base.offset
    made = _written(Batch(flat), value, places, size)
    return Batch(_unordered(made, base, size))


def _same_place(a, b):
    return (a.shape, a.strides, a.offset) == (b.shape, b.strides, b.offset)


def _unordered(flat, meta, size):
    """The reverse of `_in_order`."""
    order = sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], -meta.shape[d]))
    moved = flat.reshape((size, *[meta.shape[d] for d in order]))
    back = [order.index(d) + 1 for d in range(len(order))]
    return moved.permute((0, *back))


def _view(state, x, base):
    meta = state.meta
    if _same_place(meta, base):
        return x.tensor if meta.requires_grad else x.tensor.detach()
    seen = _seen(x, base, meta.shape, meta.strides, meta.offset)
    return seen if meta.requires_grad or not base.requires_grad else seen.detach()
