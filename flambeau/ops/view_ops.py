"""Operations whose results see the memory of their operand, and writes into parts of memory."""

import math

from .. import dtypes
from ..geometry import contiguous_strides, view_strides
from ..recorder.handle import intern
from .api import FUNCTIONS
from .core import Op, View

__all__ = [
    "as_strided_op",
    "as_strided_vjp",
    "diagonal_op",
    "embed",
    "expand_op",
    "infer_size",
    "permute_op",
    "region_of",
    "select_op",
    "slice_op",
    "squeeze_op",
    "sum_of_strides",
    "t_op",
    "transpose_op",
    "unsqueeze_op",
    "view_op",
    "write_region",
]


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
    lambda g, out, x, shape, strides, offset, base: as_strided_vjp(g, x, shape, strides, offset),
)


def as_strided_vjp(g, x, shape, strides, offset):
    """The cotangent of row-major `x`, given that of a view of it with any strides."""
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

    for_limited = "all"

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

    for_limited = "all"

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
