"""Copies of elements in another order or number: clone, cat, flip, roll, repeat."""

import math

from .. import dtypes
from ..geometry import contiguous_strides
from ..recorder.handle import Tensor, intern
from . import at_once
from .api import function, method
from .core import Op, result_dtype
from .movement import _sizes, clone, expand, normalize_list, reshape
from .reduce import normalize_dim
from .strides import layout_like
from .view_ops import select_op, slice_op, unsqueeze_op
from .whole import whole

__all__ = [
    "cat",
    "cat_op",
    "flip",
    "flip_op",
    "fliplr",
    "flipud",
    "repeat",
    "roll",
    "stack",
    "tile",
]


class _Cat(Op):
    """Tensors one behind the other along `dim`."""

    for_limited = "all"

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
        numel, strides = math.prod(shape), contiguous_strides(shape)
        if not numel:
            return build.const(False if kind is dtypes.bool_ else 0, kind, shape)
        flat, start = build.undef(numel, kind), 0
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
    full = [x for x in tensors if x._meta.shape != (0,)] or tensors
    dim = normalize_dim(dim, len(full[0]._meta.shape))
    # A vector without elements goes with tensors of any shape.
    taken = tensors if len(full[0]._meta.shape) == 1 else full
    if len(taken) >= at_once.MANY and not dim:
        rows = sum([x._meta.shape[0] for x in taken])
        joined = at_once.join(taken, (rows, *full[0]._meta.shape[1:]))
        if joined is not None:
            return joined
    return cat_op(*taken, dim=dim)


@whole
def _stack(tensors, dim):
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


@_stack.op.vjp
def _(g, out, *inputs, fixed, named):
    dim = normalize_dim(fixed[1][1], len(g._meta.shape))
    return tuple(select_op(g, dim=dim, index=k) for k in range(len(inputs)))


@function(methods=False)
def stack(tensors, dim=0):
    """Tensors of one shape along a new dim."""
    tensors = tuple(tensors)
    if len(tensors) >= at_once.MANY and not dim and {*map(type, tensors)} == {Tensor}:
        shape = tensors[0]._meta.shape
        if all(x._meta.shape == shape for x in tensors):
            joined = at_once.join(tensors, (len(tensors), *shape))
            if joined is not None:
                return joined
    return _stack(tensors, dim)


class _Flip(Op):
    """Elements in reverse along `dims`."""

    def infer(self, operands, attrs):
        return layout_like(operands[0].shape, operands[0].dtype, operands)

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
@whole
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
    return clone(input).contiguous()


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
    made = reshape(expand(reshape(self, between), expanded), result)
    return made if made._storage is None else clone(made, memory_format=None)


@function(out=False)
def tile(input, *args, dims=None):
    """`repeat`, with missing dims counted as 1."""
    dims = _sizes(args if dims is None else (dims,))
    return repeat(input, (1,) * (len(input._meta.shape) - len(dims)) + dims)
