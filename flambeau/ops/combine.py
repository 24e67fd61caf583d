"""Writing at indices where several values may meet, combined by a sum, product, mean or extreme."""

import math

from .. import dtypes
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, cast_to, function
from .index import scatter_op
from .reduce import normalize_dim
from .scatter import along
from .whole import whole

__all__ = ["index_reduce", "put", "scatter_reduce"]

MODES = {"sum": "sum", "prod": "prod", "mean": "sum", "amax": "max", "amin": "min"}


def _identity(kind, mode):
    """What changes nothing when it is combined."""
    if mode in ("sum", "prod"):
        return 0 if mode == "sum" else 1
    if kind is dtypes.bool_:
        return mode == "min"
    if kind.category == dtypes.INT:
        limits = dtypes.iinfo(kind)
        return limits.min if mode == "max" else limits.max
    return -math.inf if mode == "max" else math.inf


def _combined(x, value, indices, reduce, include_self):
    """`value` combined into `x` at indices of its leading dims."""
    mode, kind = MODES[reduce], x._meta.dtype
    start = x
    if not include_self:
        neutral = FUNCTIONS["full"]((), _identity(kind, mode), dtype=kind)
        start = scatter_op(x, neutral, *indices, mode="set", wrap=False)
    result = scatter_op(start, value, *indices, mode=mode, wrap=False)
    if reduce != "mean":
        return result
    one = FUNCTIONS["ones"]((), dtype=dtypes.int64)
    base = FUNCTIONS["full"](x.shape, int(include_self), dtype=dtypes.int64)
    count = scatter_op(base, one, *indices, mode="sum")
    count = cast_to(ew.maximum(count, 1), kind)
    return result / count if kind.category >= dtypes.FLOAT else ew.floor_divide(result, count)


def _check_reduce(name, reduce, known):
    if reduce not in known:
        raise RuntimeError(
            f"{name}(): reduce argument must be one of {', '.join(known)}, but got {reduce}"
        )


def _check_dtypes(name, input, src):
    if input._meta.dtype is not src._meta.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, but got "
            f"{input._meta.dtype} and {src._meta.dtype}"
        )


@function(inplace_too=True)
@whole
def scatter_reduce(input, dim, index, src, reduce, *, include_self=True):
    """A copy of `input` with the elements of `src` combined into those at `index` along `dim`.

    Args: reduce: "sum", "prod", "mean", "amax" or "amin"; include_self: whether what was there
        takes part.
    """
    _check_reduce("scatter_reduce", reduce, tuple(MODES))
    _check_dtypes("scatter_reduce", input, src)
    dim = normalize_dim(dim, input.ndim)
    if index._meta.dtype not in (dtypes.int64, dtypes.int32) and index.numel():
        raise RuntimeError("scatter_reduce(): Expected dtype int64 for index")
    if not index.numel():
        return input.clone()
    flat = not input.ndim
    if flat:
        input, src, index = input.reshape(1), src.reshape(-1), index.reshape(-1)
    for d, n in enumerate(index.shape):
        if n > src.shape[d] or (d != dim and n > input.shape[d]):
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self "
                f"{list(input.shape)} apart from dimension {dim} and to be no larger than src "
                f"{list(src.shape)}"
            )
        src = mv.narrow(src, d, 0, n)
    made = _combined(input, src, along(index, dim), reduce, include_self)
    return made.reshape(()) if flat else made


@function(inplace_too=True)
@whole
def index_reduce(input, dim, index, source, reduce, *, include_self=True):
    """A copy of `input` with the slices of `source` combined into those at `index` of `dim`.

    Args: reduce: "prod", "mean", "amax" or "amin"; see `scatter_reduce`.
    """
    _check_reduce("index_reduce", reduce, ("prod", "mean", "amax", "amin"))
    _check_dtypes("index_reduce", input, source)
    dim = normalize_dim(dim, input.ndim)
    if not input.ndim:
        made = _combined(
            input.reshape(1), source.reshape(-1), [index.reshape(-1)], reduce, include_self
        )
        return made.reshape(())
    moved, value = mv.movedim(input, dim, 0), mv.movedim(source, dim, 0)
    made = _combined(moved, value, [index.reshape(-1)], reduce, include_self)
    return mv.movedim(made, 0, dim)


@function(inplace_too=True)
@whole
def put(input, index, source, accumulate=False):
    """A copy of `input` with `source` written at, or added at, indices into its elements."""
    _check_dtypes("put", input, source)
    if index._meta.dtype is not dtypes.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {index.dtype}")
    if index.numel() != source.numel():
        raise RuntimeError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.numel()}, index.numel() = {index.numel()}"
        )
    mode = "sum" if accumulate else "set"
    flat = scatter_op(input.reshape(-1), source.reshape(-1), index.reshape(-1), mode=mode)
    return flat.reshape(input.shape)
