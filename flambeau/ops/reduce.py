"""Functions that fold dims away: sums, extremes, moments, norms."""

import builtins
import collections
import math
import operator

from .. import dtypes
from ..recorder.handle import Meta, Tensor, intern
from . import elementwise as ew
from .api import FUNCTIONS, cast_to, function, method, require_tensors
from .core import Op, composite

__all__ = ["Reduce", "normalize_dim", "normalize_dims"]


def normalize_dim(dim, ndim, name="dim"):
    """A dim counted from the front. Raises IndexError if there is no such dim."""
    limit = ndim or 1
    if dim.__class__ is not int:
        dim = operator.index(dim)
    if not -limit <= dim < limit:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], "
            f"but got {dim})"
        )
    return dim % limit


def normalize_dims(dim, ndim):
    """A sorted tuple of dims for None (all), an int or several."""
    if dim is None:
        return tuple(range(ndim))
    if dim.__class__ is int and ndim:
        return (normalize_dim(dim, ndim),)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if not dims:
        return tuple(range(ndim))
    found = [normalize_dim(int(d), ndim) for d in dims]
    if len(set(found)) != len(found):
        raise RuntimeError(f"dim {found[0]} appears multiple times in the list of dims")
    return tuple(sorted(found)) if ndim else ()


class Reduce(Op):
    """Folds `dims` by a function that kernels know: sum, prod, max, min, any, all, argmax, argmin.

    result(dtype) gives the dtype of the result, to which elements are cast first if `first`.
    """

    def __init__(self, name, fold, result=lambda d: d, vjp=None, empty=True):
        super().__init__(name)
        self.fold, self.result, self.vjp_rule, self.empty = fold, result, vjp, empty
        self.differentiable = vjp is not None

    def infer(self, operands, attrs):
        (x,) = operands
        dims, keepdim = attrs["dims"], attrs["keepdim"]
        if not self.empty and x.dtype.is_complex:
            raise NotImplementedError(f'"{self.name}" not implemented for {x.dtype.name} tensors')
        if not self.empty and 0 in [x.shape[d] for d in dims]:
            raise IndexError(
                f"{self.name}(): Expected reduction dim to be specified for input.numel() == 0 or "
                f"to have non-zero size, but got shape {list(x.shape)}"
            )
        kept = [1 if d in dims else n for d, n in enumerate(x.shape) if keepdim or d not in dims]
        return intern(tuple(kept), attrs.get("dtype") or self.result(x.dtype))

    def lower(self, build, inputs, operands, attrs, metas):
        """The reduction, its dims squeezed unless they are kept."""
        (x,) = inputs
        kind = metas[0].dtype
        if self.fold not in ("argmax", "argmin"):
            x = build.cast(x, kind)
        dims = attrs["dims"]
        if not x.shape and self.fold in ("argmax", "argmin"):
            return build.const(0, kind)
        folded = build.reduce(self.fold, x, dims, kind)
        return folded if attrs["keepdim"] else build.squeeze(folded, dims)


def _restore(g, x, dims, keepdim):
    """A cotangent of the result with the dims it lost as size 1."""
    if keepdim or not x._meta.shape:
        return g
    shape = [1 if d in dims else n for d, n in enumerate(x._meta.shape)]
    return g.reshape(shape)


def _sum_vjp(g, out, x, dims, keepdim, dtype=None):
    return _restore(g, x, dims, keepdim).expand(x._meta.shape)


def _extreme_vjp(g, out, x, dims, keepdim):
    mask = ew.eq(x, _restore(out, x, dims, keepdim))
    count = sum(mask, dims, keepdim=True)
    return ew.where(mask, _restore(g, x, dims, keepdim) / cast_to(count, g._meta.dtype), 0)


def _prod_vjp(g, out, x, dims, keepdim, dtype=None):
    g, out = _restore(g, x, dims, keepdim), _restore(out, x, dims, keepdim)
    zeros = ew.eq(x, 0)
    count = sum(zeros, dims, keepdim=True)
    others = prod_op(ew.where(zeros, 1, x), dims=dims, keepdim=True, dtype=None)
    at_zero = ew.where(ew.eq(count, 1), g * ew.conj(others), 0)
    return ew.where(zeros, at_zero, g * ew.conj(out / ew.where(zeros, 1, x)))


def _wide(dtype):
    return dtypes.int64 if dtype.category <= dtypes.INT else dtype


sum_op = Reduce("sum", "sum", _wide, _sum_vjp)
prod_op = Reduce("prod", "prod", _wide, _prod_vjp)
amax_op = Reduce("amax", "max", vjp=_extreme_vjp, empty=False)
amin_op = Reduce("amin", "min", vjp=_extreme_vjp, empty=False)
any_op = Reduce("any", "any", lambda d: dtypes.uint8 if d is dtypes.uint8 else dtypes.bool_)
all_op = Reduce("all", "all", lambda d: dtypes.uint8 if d is dtypes.uint8 else dtypes.bool_)
any_op.for_limited = all_op.for_limited = "all"
sum_op.for_limited = prod_op.for_limited = "integers"
argmax_op = Reduce("argmax", "argmax", lambda d: dtypes.int64, empty=False)
argmin_op = Reduce("argmin", "argmin", lambda d: dtypes.int64, empty=False)


def _one_dim(name, dim):
    """Raise TypeError unless `dim` is an int or None."""
    if dim is not None and not hasattr(dim, "__index__"):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")


def _dims(input, dim):
    if not isinstance(input, Tensor):
        raise TypeError(f"argument 'input' must be Tensor, not {type(input).__name__}")
    return normalize_dims(dim, len(input._meta.shape))


@function
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` (an int, several, or all); ints and bools add up to int64."""
    return sum_op(input, dims=_dims(input, dim), keepdim=bool(keepdim), dtype=dtype)


@function
def prod(input, dim=None, keepdim=False, *, dtype=None):
    """The product over `dim`, or of all elements."""
    _one_dim("prod", dim)
    return prod_op(input, dims=_dims(input, dim), keepdim=bool(keepdim), dtype=dtype)


def _extreme_dims(input, dim, name):
    dims = _dims(input, dim)
    if not input._meta.numel and (dim is None or dim == ()):
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the "
            "reduction dim with the 'dim' argument."
        )
    return dims


@function
def amax(input, dim=(), keepdim=False):
    """The largest element over `dim`; equal ones share the gradient."""
    return amax_op(input, dims=_extreme_dims(input, dim, "amax"), keepdim=bool(keepdim))


@function
def amin(input, dim=(), keepdim=False):
    """The smallest element over `dim`; equal ones share the gradient."""
    return amin_op(input, dims=_extreme_dims(input, dim, "amin"), keepdim=bool(keepdim))


def _logic(op):
    def fold(input, dim=None, keepdim=False):
        dims = _dims(input, dim) if isinstance(dim, int) or dim is None or len(dim) else ()
        flags = ew.ne(input, 0) if input._meta.dtype is not dtypes.bool_ else input
        result = op(flags, dims=dims, keepdim=bool(keepdim))
        return cast_to(result, op.result(input._meta.dtype))

    fold.__name__ = op.name
    fold.__doc__ = f"Whether {op.name} of the elements over `dim` are true."
    return function(fold)


any, all = _logic(any_op), _logic(all_op)


def _argument(op):
    def fold(input, dim=None, keepdim=False):
        if input._meta.dtype is dtypes.bool_:
            raise RuntimeError(f"\"{op.name}_cpu\" not implemented for 'Bool'")
        _one_dim(op.name, dim)
        if dim is None:
            flat = input.reshape(-1) if len(input._meta.shape) != 1 else input
            result = op(flat, dims=(0,), keepdim=False)
            return result.reshape([1] * len(input._meta.shape)) if keepdim else result
        return op(input, dims=_dims(input, dim), keepdim=bool(keepdim))

    fold.__name__ = op.name
    fold.__doc__ = f"The index of the {'largest' if 'max' in op.name else 'smallest'} element."
    return function(fold)


argmax, argmin = _argument(argmax_op), _argument(argmin_op)

_Pair = collections.namedtuple("_Pair", ["values", "indices"])


def named_pair(name):
    """The type of a result (values, indices), shown as `torch.return_types.NAME`."""

    class pair(_Pair):
        __slots__ = ()

        def __repr__(self):
            return f"torch.return_types.{name}(\nvalues={self.values!r},\nindices={self.indices!r})"

    pair.__name__ = pair.__qualname__ = name
    return pair


_max_pair, _min_pair = named_pair("max"), named_pair("min")


@composite(multi=True, name="max")
def _extreme_with_index(x, *, dim, keepdim, largest):
    """(values, indices) of the extremes over one dim."""
    flags = cast_to(x, dtypes.uint8) if x._meta.dtype is dtypes.bool_ else x
    index = (argmax_op if largest else argmin_op)(flags, dims=(dim,), keepdim=keepdim)
    value = (amax_op if largest else amin_op)(x, dims=(dim,), keepdim=keepdim)
    return value, index


@_extreme_with_index.vjp
def _(g, out, x, *, dim, keepdim, largest):
    g, index = g[0], out[1]
    if not x._meta.shape:
        return g
    if not keepdim:
        g, index = g.unsqueeze(dim), index.unsqueeze(dim)
    places = FUNCTIONS["arange"](x._meta.shape[dim]).reshape(
        [-1 if d == dim else 1 for d in range(len(x._meta.shape))]
    )
    return ew.where(ew.eq(places, index), g, 0)


def _extreme(largest, pair, fold, elementwise):
    def extreme(input, dim=None, keepdim=False):
        if isinstance(dim, Tensor):
            require_tensors(extreme.__name__, input)
            return elementwise(input, dim)
        _one_dim(extreme.__name__, dim)
        if dim is None:
            if keepdim:
                raise TypeError(f"{extreme.__name__}(): `keepdim` needs the argument `dim`")
            if not input._meta.numel:
                raise RuntimeError(
                    f"{extreme.__name__}(): Expected reduction dim to be specified for "
                    "input.numel() == 0. Specify the reduction dim with the 'dim' argument."
                )
            return fold(input, ())
        dim = normalize_dim(dim, len(input._meta.shape))
        if not input._meta.shape:
            return pair(input.clone(), input.new_zeros((), dtype=dtypes.int64))
        return pair(*_extreme_with_index(input, dim=dim, keepdim=bool(keepdim), largest=largest))

    extreme.__name__ = "max" if largest else "min"
    extreme.__doc__ = f"The {'largest' if largest else 'smallest'} element; with `dim` also where."
    return function(extreme)


max = _extreme(True, _max_pair, amax, ew.maximum)
min = _extreme(False, _min_pair, amin, ew.minimum)


@function(out="exact")
def aminmax(input, *, dim=None, keepdim=False):
    """(min, max) over `dim`, or over all elements."""
    _one_dim("aminmax", dim)
    pair = collections.namedtuple("aminmax", ["min", "max"])
    dims = () if dim is None else dim
    return pair(amin(input, dims, keepdim), amax(input, dims, keepdim))


def _floating(input, name, dtype=None):
    kind = dtype or input._meta.dtype
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(
            f"{name}(): could not infer output dtype. Input dtype must be either a floating point "
            f"or complex dtype. Got: {kind.name.capitalize()}"
        )
    return input if dtype is None else cast_to(input, dtype)


def _count(input, dims):
    return math.prod(input._meta.shape[d] for d in dims)


@composite(name="mean")
def _mean(x, *, dims, keepdim):
    total = sum_op(x, dims=dims, keepdim=keepdim, dtype=None)
    return total / _count(x, dims) if _count(x, dims) else total / 0.0


@_mean.vjp
def _(g, out, x, *, dims, keepdim):
    g = _restore(g, x, dims, keepdim) / builtins.max(_count(x, dims), 1)
    return g.expand(x._meta.shape)


@function
def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim`, or of all elements. Floating-point or complex only."""
    input = _floating(input, "mean", dtype)
    return _mean(input, dims=_dims(input, dim), keepdim=bool(keepdim))


@composite(name="var")
def _var(x, *, dims, keepdim, correction):
    center = x - _mean(x, dims=dims, keepdim=True)
    square = center * center
    if x._meta.dtype.is_complex:
        square = (center * ew.conj(center)).real
    total = sum_op(square, dims=dims, keepdim=keepdim, dtype=None)
    return total / float(builtins.max(_count(x, dims) - correction, 0))


@_var.vjp
def _(g, out, x, *, dims, keepdim, correction):
    center = x - _mean(x, dims=dims, keepdim=True)
    scale = 2.0 / float(builtins.max(_count(x, dims) - correction, 0) or math.nan)
    return _restore(g, x, dims, keepdim) * center * scale


def _correction(unbiased, correction):
    if correction is not None:
        return correction
    return 1 if unbiased is None else int(unbiased)


def _var_arguments(dim, unbiased):
    if isinstance(dim, bool):  # var(input, unbiased)
        return None, dim
    return dim, unbiased


@function
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The variance over `dim`, divided by N - correction (1 unless said)."""
    dim, unbiased = _var_arguments(dim, unbiased)
    input = _floating(input, "var")
    n = _correction(unbiased, correction)
    return _var(input, dims=_dims(input, dim), keepdim=bool(keepdim), correction=n)


@composite(name="std")
def _std(x, *, dims, keepdim, correction):
    return ew.sqrt(_var(x, dims=dims, keepdim=keepdim, correction=correction))


@function
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """The standard deviation over `dim`, of N - correction (1 unless said)."""
    dim, unbiased = _var_arguments(dim, unbiased)
    input = _floating(input, "std")
    n = _correction(unbiased, correction)
    return _std(input, dims=_dims(input, dim), keepdim=bool(keepdim), correction=n)


@function(methods=False)
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(variance, mean) over `dim`."""
    value = var(input, dim, unbiased, keepdim, correction=correction)
    dim, _ = _var_arguments(dim, unbiased)
    return value, mean(input, dim, keepdim)


@function(methods=False)
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None):
    """(standard deviation, mean) over `dim`."""
    value = std(input, dim, unbiased, keepdim, correction=correction)
    dim, _ = _var_arguments(dim, unbiased)
    return value, mean(input, dim, keepdim)


@composite(name="logsumexp")
def _logsumexp(x, *, dims, keepdim):
    if not _count(x, dims):
        return ew.log(sum_op(x, dims=dims, keepdim=keepdim, dtype=None))
    top = amax_op(x.real if x._meta.dtype.is_complex else x, dims=dims, keepdim=True)
    top = ew.where(ew.isinf(top), 0.0, top)
    total = ew.log(sum_op(ew.exp(x - top), dims=dims, keepdim=True, dtype=None)) + top
    return total if keepdim else total.squeeze(dims)


@_logsumexp.vjp
def _(g, out, x, *, dims, keepdim):
    g, out = _restore(g, x, dims, keepdim), _restore(out, x, dims, keepdim)
    return g * ew.conj(ew.exp(x - out))


@function
def logsumexp(input, dim, keepdim=False):
    """log(sum(exp(input))) over `dim`, without overflow."""
    if dim is None:
        raise TypeError("logsumexp(): argument 'dim' must be tuple of ints, not NoneType")
    if input._meta.dtype.category < dtypes.FLOAT:
        input = cast_to(input, dtypes.get_default_dtype())
    return _logsumexp(input, dims=_dims(input, dim), keepdim=bool(keepdim))


@function
def nansum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum over `dim` with NaN taken as 0."""
    if input._meta.dtype.is_floating_point:
        input = ew.where(ew.isnan(input), 0.0, input)
    return sum(input, dim, keepdim, dtype=dtype)


@function
def nanmean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean over `dim` of what is not NaN."""
    input = _floating(input, "nanmean", dtype)
    count = sum(ew.logical_not(ew.isnan(input)), dim, keepdim)
    return nansum(input, dim, keepdim) / cast_to(count, input._meta.dtype)


@function
def count_nonzero(input, dim=None):
    """The number of elements over `dim` that are not zero."""
    return sum(ew.ne(input, 0), dim)


def is_meta(x):
    """Whether an operand is described by a meta rather than a number's type."""
    return isinstance(x, Meta)


@method("sum_to_size")
def sum_to_size(self, *size):
    """The sum over the dims that broadcasting from `size` would add."""
    size = size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
    if self._meta.dtype is dtypes.bool_ and self._meta.shape != tuple(size):
        self = cast_to(self, dtypes.int64)
    return sum_to(self, size)


def sum_to(x, shape):
    """Sum away what broadcasting from `shape` has added."""
    shape = tuple(shape)
    lead = len(x._meta.shape) - len(shape)
    dims = [d for d, n in enumerate(x._meta.shape) if d < lead or (shape[d - lead] == 1 and n != 1)]
    if dims:
        x = sum_op(x, dims=tuple(dims), keepdim=True, dtype=x._meta.dtype)
    return x if x._meta.shape == shape else x.reshape(shape)
