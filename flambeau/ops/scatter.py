"""Reading and writing at places that indices or masks name."""

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from . import movement as mv
from . import view_ops
from .api import FUNCTIONS, cast_to, function
from .core import broadcast_shapes, composite
from .from_data import make_tensor
from .index import (
    _arrange,
    _fit_value,
    gather_op,
    gather_shape,
    getitem,
    parse,
    positions,
    scatter_op,
)
from .reduce import normalize_dim
from .whole import whole

__all__ = [
    "along",
    "argwhere",
    "gather",
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "index_select",
    "masked_fill",
    "masked_scatter",
    "masked_select",
    "nonzero",
    "scatter",
    "scatter_add",
    "take",
    "take_along_dim",
]


def _check_index(name, index):
    if index._meta.dtype not in (dtypes.int64, dtypes.int32) and index._meta.numel:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def along(index, dim):
    """Index tensors for all dims: `index` itself for `dim`, positions for the others."""
    return [index if d == dim else positions(index, d) for d in range(len(index._meta.shape))]


@function(out="exact")
@whole
def gather(input, dim, index, *, sparse_grad=False):
    """out[i][j] = input[index[i][j]][j] for dim 0, and so on; the shape is that of `index`.

    Raises RuntimeError for shapes that do not fit, IndexError for an index that is negative or too
    large (when the result is computed).
    """
    return _gather(input, dim, index, wrap=False)


def _gather(input, dim, index, wrap):
    ndim = len(input._meta.shape)
    dim = normalize_dim(dim, ndim)
    _check_index("gather", index)
    if not ndim and len(index._meta.shape) < 2:
        found = gather_op(input.reshape(1), index.reshape(-1), wrap=wrap)
        return found.reshape(index._meta.shape)
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
    return gather_op(input, *along(index, dim), wrap=wrap)


def _number(value, kind):
    """A number as a 0-dim tensor of a dtype."""
    if isinstance(value, Tensor):
        return cast_to(value, kind)
    return FUNCTIONS["full"]((), value, dtype=kind)


_MODES = {None: "set", "add": "sum", "sum": "sum", "multiply": "prod", "prod": "prod"}
_MODES |= {"amax": "max", "amin": "min"}


def _scatter(input, dim, index, src, mode, name):
    ndim = len(input._meta.shape)
    dim = normalize_dim(dim, ndim)
    _check_index(name, index)
    if not isinstance(src, Tensor) or src._meta.wrapped:
        src = _number(src, input._meta.dtype).expand(index._meta.shape)
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
        places = index.reshape(1)
        return scatter_op(input.reshape(1), src.reshape(1), places, mode=mode, wrap=False).reshape(
            ()
        )
    for d in range(ndim):
        if d != dim and index._meta.shape[d] > input._meta.shape[d]:
            raise RuntimeError(
                f"Expected index {list(index._meta.shape)} to be no larger than self "
                f"{list(input._meta.shape)} apart from dimension {dim}"
            )
    return scatter_op(input, src, *along(index, dim), mode=mode, wrap=False)


def _tensors(state):
    return [place for place in state.operands if type(place) is int]


@function(inplace_too=True)
@whole(derivative=lambda state: f"ScatterBackward{int(len(_tensors(state)) < 3)}")
def scatter(input, dim, index, src=None, *, reduce=None, value=None):
    """A copy of `input` with `src` written at `index` along `dim`."""
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    return _scatter(input, dim, index, value if src is None else src, _MODES[reduce], "scatter")


@function(inplace_too=True)
@whole
def scatter_add(input, dim, index, src):
    """A copy of `input` with `src` added at `index` along `dim`."""
    return _scatter(input, dim, index, src, "sum", "scatter_add")


@function(out="exact")
@whole
def index_select(input, dim, index):
    """The slices of `dim` that a 1-d index names."""
    dim = normalize_dim(dim, len(input._meta.shape))
    if len(index._meta.shape) > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    _check_index("index_select", index)
    if not input._meta.shape:
        return gather_op(input.reshape(1), index.reshape(-1), wrap=False).reshape(())
    moved = mv.movedim(input, dim, 0) if dim else input
    result = gather_op(moved, index.reshape(-1), wrap=False)
    return mv.movedim(result, 0, dim) if dim else result


def _index_into(input, dim, index, source, mode, name):
    dim = normalize_dim(dim, len(input._meta.shape))
    _check_index(name, index)
    if source._meta.dtype is not input._meta.dtype:
        raise RuntimeError(f"{name}(): self and source expected to have the same dtype")
    if not input._meta.shape:
        places = index.reshape(-1)
        flat = scatter_op(input.reshape(1), source.reshape(-1), places, mode=mode, wrap=False)
        return flat.reshape(())
    moved = mv.movedim(input, dim, 0)
    value = mv.movedim(source, dim, 0) if source._meta.shape else source
    if value._meta.shape and value._meta.shape[1:] != moved._meta.shape[1:]:
        raise RuntimeError(
            f"{name}(): source tensor shape must match self tensor shape, excluding the specified "
            f"dimension. Got self.shape = {list(input.shape)} source.shape = {list(source.shape)}"
        )
    changed = scatter_op(moved, value, index.reshape(-1), mode=mode, wrap=False)
    return mv.movedim(changed, 0, dim)


@function(inplace_too=True)
@whole
def index_add(input, dim, index, source, *, alpha=1):
    """A copy of `input` with the slices of `source`, times alpha, added at `index` of `dim`."""
    if isinstance(alpha, Tensor) or alpha != 1:
        source = cast_to(source * alpha, source._meta.dtype)
    return _index_into(input, dim, index, source, "sum", "index_add")


@function(inplace_too=True)
@whole
def index_copy(input, dim, index, source):
    """A copy of `input` with the slices of `source` written at `index` of `dim`."""
    return _index_into(input, dim, index, source, "set", "index_copy")


@function(inplace_too=True)
@whole
def index_fill(input, dim, index, value):
    """A copy of `input` with a number written at `index` of `dim`."""
    if isinstance(value, Tensor):
        value = value.reshape(())
    elif isinstance(value, complex) and not input._meta.dtype.is_complex:
        raise RuntimeError(
            f"index_fill(): a complex value cannot be converted to {input._meta.dtype.name}"
        )
    else:
        value = _number(value, input._meta.dtype)
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
    back = tuple(order.index(d) for d in range(len(order)))
    if back == tuple(range(len(order))):
        return changed
    return mv.clone(view_ops.permute_op(changed, dims=back), memory_format=None)


def _mask(name, mask):
    if mask._meta.dtype is not dtypes.bool_:
        raise RuntimeError(
            f"{name} only supports boolean masks, but got mask with dtype {mask._meta.dtype.name}"
        )
    return mask


@composite(name="masked_fill")
def _masked_fill(x, mask, value):
    return cast_to(ew.where(mask, value, x), x._meta.dtype).contiguous()


@function(inplace_too=True)
def masked_fill(input, mask, value):
    """A copy of `input` with a number where `mask` is true."""
    if isinstance(value, Tensor) and value._meta.shape:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    kind = value._meta.dtype if isinstance(value, Tensor) else dtypes.of_scalar(type(value))
    if kind.is_complex and not input._meta.dtype.is_complex:
        raise RuntimeError(
            f"masked_fill: a complex value cannot be converted to {input._meta.dtype.name}"
        )
    return _masked_fill(input, _mask("masked_fill", mask), value)


@function(out="exact")
def masked_select(input, mask):
    """The elements where `mask` is true, 1-d."""
    input, mask = mv.broadcast_tensors(input, _mask("masked_select", mask))
    if not input._meta.shape:
        input, mask = input.reshape(1), mask.reshape(1)
    return getitem(input, mask)


@function(inplace_too=True)
def masked_scatter(input, mask, source):
    """A copy of `input` with the elements of `source`, in order, where `mask` is true."""
    if source._meta.dtype is not input._meta.dtype:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes but got "
            f"{input._meta.dtype.name} and {source._meta.dtype.name}"
        )
    input, mask = mv.broadcast_tensors(input, _mask("masked_scatter", mask))
    if not source._meta.numel and not mask.any():
        return input.clone()
    flat = mask.reshape(-1)
    order = (flat.cumsum(0) - 1).clamp(min=0)
    value = source.reshape(-1)[order].reshape(input._meta.shape)
    return ew.where(mask, value, input).contiguous()


@function(out="exact")
@whole
def take(input, index):
    """The elements at indices into the flattened tensor."""
    _check_index("take", index)
    return gather_op(input.reshape(-1), index)


@function
@whole(derivative="GatherBackward0")
def take_along_dim(input, indices, dim=None):
    """`gather` with broadcasting; of the flattened tensor without `dim`."""
    if dim is None:
        return _gather(input.reshape(-1), 0, indices.reshape(-1), wrap=True)
    dim = normalize_dim(dim, input.ndim)
    left, right = list(input.shape), list(indices.shape)
    left[dim] = right[dim] = 1
    both = list(broadcast_shapes("take_along_dim", [tuple(left), tuple(right)]))
    wide, narrow = list(both), list(both)
    wide[dim], narrow[dim] = input.shape[dim], indices.shape[dim]
    return _gather(input.expand(wide), dim, indices.expand(narrow), wrap=True)


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
