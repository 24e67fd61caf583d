"""`flambeau.masked`: reductions, scans and softmaxes of the elements that a mask selects.

Every function takes `mask`, a tensor of bools that broadcasts to its input: False leaves an element
out. `dim` is an int, several, or None for all; `keepdim` keeps reduced dims with size 1; `dtype`
is that of the result. `masked_tensor` puts a tensor and its mask together.

>>> import flambeau as torch
>>> x = torch.tensor([[1.0, 2.0, 6.0]])
>>> torch.masked.mean(x, 1, mask=torch.tensor([True, True, False]))
tensor([1.5000])
"""

from . import dtypes
from .linalg import vector_norm
from .masking import MaskedTensor, as_masked_tensor, masked_tensor
from .ops.api import FUNCTIONS, cast_to
from .ops.reduce import normalize_dim
from .recorder.handle import Tensor

__all__ = [
    "MaskedTensor",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "as_masked_tensor",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "masked_tensor",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _dims(dim, ndim):
    """Dims counted from the front and sorted. Raises RuntimeError if one occurs twice."""
    if dim is None:
        return tuple(range(ndim))
    dims = [normalize_dim(d, ndim) for d in ((dim,) if isinstance(dim, int) else dim)]
    if len(set(dims)) != len(dims):
        raise RuntimeError(f"dim={dim} names a dim more than once")
    return tuple(sorted(dims)) if ndim else ()


def _mask_of(input, mask):
    """The mask as bools of the shape of the input."""
    if not isinstance(mask, Tensor):
        raise TypeError(f"mask must be Tensor, not {type(mask).__name__}")
    if mask.dim() > input.dim():
        raise IndexError(
            "expected broadcastable mask (got mask dimensionality higher than of the input)"
        )
    return cast_to(mask, dtypes.bool_).expand(input.shape)


def _lowest(name, kind):
    if kind.is_floating_point or (kind.is_complex and name == "logsumexp"):
        return float("-inf")
    if kind.category != dtypes.INT:
        raise NotImplementedError(f"identity of {name} on {kind} input")
    return dtypes.iinfo(kind).min


def _highest(name, kind):
    if kind.is_floating_point:
        return float("inf")
    if kind.category != dtypes.INT:
        raise NotImplementedError(f"identity of {name} on {kind} input")
    return dtypes.iinfo(kind).max


def _filled(input, mask, value):
    """The input with `value`, which is what changes nothing, where the mask is False."""
    if mask is None:
        return input
    mask = _mask_of(input, mask)
    return cast_to(FUNCTIONS["where"](mask, input, value), input._meta.dtype)


def _extreme(name, identity, input, mask):
    """The input filled so that a largest or smallest element is one that the mask selects."""
    if mask is None:
        return input
    return _filled(input, mask, identity(name, input._meta.dtype))


def _wide(input, dtype):
    """The dtype that sums and products have: int64 of all ints and bools."""
    return dtype or (dtypes.int64 if input._meta.dtype.category < dtypes.FLOAT else input.dtype)


def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the selected elements; 0 where there are none."""
    zero = False if input._meta.dtype is dtypes.bool_ else 0
    filled = _filled(input, mask, zero)
    dims, dtype = _dims(dim, input.dim()), _wide(input, dtype)
    return FUNCTIONS["sum"](filled, dims or None, keepdim=bool(keepdim), dtype=dtype)


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the selected elements; 1 where there are none."""
    result = _filled(input, mask, True if input._meta.dtype is dtypes.bool_ else 1)
    dims, dtype = _dims(dim, input.dim()), _wide(input, dtype)
    for d in dims[::-1] or [None]:
        if d is None:
            result = FUNCTIONS["prod"](result, dtype=dtype)
        else:
            result = FUNCTIONS["prod"](result, d, bool(keepdim), dtype=dtype)
    return result


def cumsum(input, dim, *, dtype=None, mask=None):
    """Running sums along a dim; elements that are left out add 0."""
    filled = _filled(input, mask, False if input._meta.dtype is dtypes.bool_ else 0)
    return FUNCTIONS["cumsum"](_real_scan("cumsum", filled, dtype), dim, dtype=dtype or input.dtype)


def cumprod(input, dim, *, dtype=None, mask=None):
    """Running products along a dim; elements that are left out count as 1."""
    filled = _filled(input, mask, True if input._meta.dtype is dtypes.bool_ else 1)
    filled = _real_scan("cumprod", filled, dtype)
    return FUNCTIONS["cumprod"](filled, dim, dtype=dtype or input.dtype)


def _real_scan(name, input, dtype):
    if (dtype or input._meta.dtype) is dtypes.bool_:
        raise NotImplementedError(f'"{name}" not implemented for bool tensors')
    return input


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of the selected elements; -inf, or the smallest int, where there are none."""
    filled = _extreme("amax", _lowest, input, mask)
    result = FUNCTIONS["amax"](filled, _dims(dim, input.dim()), bool(keepdim))
    return cast_to(result, dtype or input._meta.dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of the selected elements; inf, or the largest int, where there are none."""
    filled = _extreme("amin", _highest, input, mask)
    result = FUNCTIONS["amin"](filled, _dims(dim, input.dim()), bool(keepdim))
    return cast_to(result, dtype or input._meta.dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the largest of the selected elements is, in the dtype of the input."""
    filled = _extreme("argmax", _lowest, input, mask)
    return cast_to(FUNCTIONS["argmax"](filled, dim, bool(keepdim)), dtype or input._meta.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """Where the smallest of the selected elements is, in the dtype of the input."""
    filled = _extreme("argmin", _highest, input, mask)
    return cast_to(FUNCTIONS["argmin"](filled, dim, bool(keepdim)), dtype or input._meta.dtype)


def _count(input, dims, keepdim, mask):
    """How many elements are selected, int64."""
    ones = FUNCTIONS["ones"](input.shape, dtype=dtypes.int64)
    return sum(ones, dims, keepdim=keepdim, mask=mask)


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the selected elements; NaN where there are none.

    Raises ValueError for ints and bools without a floating-point `dtype`.
    """
    dtype = dtype or input._meta.dtype
    if dtype.category < dtypes.FLOAT:
        raise ValueError(
            "mean(): Could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {dtype}"
        )
    dims = _dims(dim, input.dim())
    total = sum(input, dims, keepdim=keepdim, dtype=dtype, mask=mask)
    return total / _count(input, dims, keepdim, mask)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The lower median of the selected elements along a dim; NaN where there are none.

    Raises ValueError where there are none and ints can not say so.
    """
    kind = input._meta.dtype
    if mask is None and kind.category < dtypes.FLOAT:
        values = FUNCTIONS["median"](cast_to(input, dtypes.float64), dim, bool(keepdim))[0]
        return cast_to(values, dtype or kind)
    floats = input if kind.is_floating_point else cast_to(input, dtypes.float64)
    floats = _filled(floats, mask, float("nan"))
    values = FUNCTIONS["nanmedian"](floats, dim, bool(keepdim))[0]
    if kind.is_floating_point:
        return values
    if bool(values.isnan().any()):
        raise ValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"
        )
    return cast_to(values, dtype or kind)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """log(sum(exp(x))) of the selected elements; -inf where there are none."""
    filled = _extreme("logsumexp", _lowest, input, mask)
    result = FUNCTIONS["logsumexp"](filled, _dims(dim, input.dim()), bool(keepdim))
    return cast_to(result, dtype or input._meta.dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """log(exp(a) + exp(b)), where elements that a mask leaves out count as -inf."""
    filled = [
        _extreme("logaddexp", _lowest, x, mask)
        for x, mask in ((input, input_mask), (other, other_mask))
    ]
    return cast_to(FUNCTIONS["logaddexp"](*filled), dtype or input._meta.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of order `ord` of the selected elements."""
    ord = 2.0 if ord is None else float(ord)
    identity = (
        _highest("norm", input._meta.dtype) if ord == float("-inf") and mask is not None else 0
    )
    dims = _dims(dim, input.dim())
    return vector_norm(_filled(input, mask, identity), ord, dims, bool(keepdim), dtype=dtype)


def _variance(input, dim, unbiased, correction, keepdim, dtype, mask):
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 1 if unbiased is None or unbiased else 0
    dtype = dtype or input._meta.dtype
    dtype = dtypes.float32 if dtype.category < dtypes.FLOAT else dtype
    dims = _dims(dim, input.dim())
    count = _count(input, dims, True, mask)
    x = input - sum(input, dims, keepdim=True, mask=mask) / count
    squares = (x * x.conj()).real if x.is_complex() else x * x
    total = sum(squares, dims, keepdim=keepdim, dtype=dtype, mask=mask)
    count = (count - correction).clamp(min=0) if correction else count
    return cast_to(total / count.reshape(total.shape), dtype)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the selected elements, sum((x - mean)^2) / (count - correction).

    correction: 1 unless told; `unbiased` False means 0.
    """
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The square root of `var`."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()


def softmax(input, dim, *, dtype=None, mask=None):
    """exp(x_i) / sum_j exp(x_j) of the selected elements along a dim; 0 elsewhere."""
    return FUNCTIONS["softmax"](_extreme("amax", _lowest, input, mask), dim, dtype=dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """log(softmax(x)) of the selected elements along a dim; -inf elsewhere."""
    return FUNCTIONS["log_softmax"](_extreme("amax", _lowest, input, mask), dim, dtype=dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmax(-x) of the selected elements along a dim; 0 elsewhere."""
    return FUNCTIONS["softmax"](-_extreme("amin", _highest, input, mask), dim, dtype=dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """x / max(norm(x), eps) of the selected elements along a dim; 0 elsewhere."""
    length = norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, 0) / length.clamp(min=eps)
