"""Discrete Fourier transforms of whole arrays, by NumPy; `flambeau.fft` has their public names.

They are computed in double precision, which takes no longer there, and rounded once.

Three operations do it all: from complex numbers to as many (`c2c`), from real numbers to the half
of the spectrum that says everything (`r2c`), and back (`c2r`). Each is linear, and its derivative
rule is one of the three again.
"""

import math
import operator

import numpy as np

from .. import dtypes
from ..recorder.handle import intern
from . import elementwise as ew
from . import movement as mv
from .api import FUNCTIONS, cast_to, require_tensors
from .core import Host
from .reduce import normalize_dim

__all__ = ["complex_to_complex", "complex_to_real", "plan_dims", "real_to_complex"]


def _infer_c2c(operands, attrs):
    (x,) = operands
    return intern(x.shape, x.dtype.to_complex() if not x.dtype.is_complex else x.dtype)


def _double(x):
    return x.astype(np.result_type(x.dtype, np.float64), copy=False)


def _finished(made, scale, like):
    """What was computed, times a factor, in the precision of `like`."""
    made = made if scale == 1 else made * scale
    single = np.float32 if made.dtype.kind == "f" else np.complex64
    return made.astype(single) if like.dtype in (np.float32, np.complex64) else made


def _c2c(x, dims, inverse, scale):
    if not x.size:
        return np.zeros(x.shape, np.result_type(x.dtype, np.complex64))
    wide = _double(x)
    if inverse:
        return _finished(np.fft.ifftn(wide, axes=dims, norm="forward"), scale, x)
    return _finished(np.fft.fftn(wide, axes=dims, norm="backward"), scale, x)


c2c = Host("fft_c2c", _infer_c2c, _c2c)


@c2c.vjp
def _(g, out, x, *, dims, inverse, scale):
    return c2c(g, dims=dims, inverse=not inverse, scale=scale)


# Of the spectrum X of real numbers only X_0 to X_(n // 2) are kept along the last of the dims: the
# others are their conjugates. `middle` is a factor of those that stand for two: neither the first
# nor, of an even number, the last.


def _weigh(x, dim, n, middle):
    """Multiply the elements that stand for two, in place."""
    if middle != 1:
        x[(*(slice(None),) * dim, slice(1, (n + 1) // 2))] *= middle
    return x


def _with_size(shape, dim, n):
    return (*shape[:dim], n, *shape[dim + 1 :])


def _infer_r2c(operands, attrs):
    (x,), dim = operands, attrs["dims"][-1]
    shape = _with_size(x.shape, dim, x.shape[dim] // 2 + 1)
    return intern(shape, x.dtype.to_complex())


def _r2c(x, dims, scale, middle):
    dim = dims[-1]
    n = x.shape[dim]
    if not x.size:
        shape = _with_size(x.shape, dim, n // 2 + 1)
        return np.zeros(shape, np.result_type(x.dtype, np.complex64))
    made = _weigh(np.fft.rfftn(_double(x), axes=dims, norm="backward"), dim, n, middle)
    return _finished(made, scale, x)


r2c = Host("fft_r2c", _infer_r2c, _r2c)


@r2c.vjp
def _(g, out, x, *, dims, scale, middle):
    return c2r(g, dims=dims, n=x._meta.shape[dims[-1]], scale=scale, middle=middle / 2)


def _infer_c2r(operands, attrs):
    (x,) = operands
    return intern(_with_size(x.shape, attrs["dims"][-1], attrs["n"]), x.dtype.to_real())


def _c2r(x, dims, n, scale, middle):
    dim = dims[-1]
    shape = _with_size(x.shape, dim, n)
    if not x.size:
        return np.zeros(shape, x.real.dtype)
    wide = _weigh(x.astype(np.complex128), dim, n, middle)
    sizes = [shape[d] for d in dims]
    return _finished(np.fft.irfftn(wide, s=sizes, axes=dims, norm="forward"), scale, x)


c2r = Host("fft_c2r", _infer_c2r, _c2r)


@c2r.vjp
def _(g, out, x, *, dims, n, scale, middle):
    return r2c(g, dims=dims, scale=scale, middle=middle * 2)


# What the public functions share


def _number_like(name, argument, value):
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(
            f"fft_{name}(): argument '{argument}' must be int, not {type(value).__name__}"
        ) from None


def _tuple_of_ints(name, argument, value):
    if isinstance(value, int):
        return (value,)
    if not isinstance(value, (tuple, list)):
        raise TypeError(
            f"fft_{name}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}"
        )
    return tuple(_number_like(name, argument, v) for v in value)


def _dim_of(dim, ndim):
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return normalize_dim(dim, ndim)


def plan_dims(name, x, s, dim, single=False):
    """(sizes, dims) of a transform: the dims counted from 0, and a size, or None, for each.

    single: whether `s` and `dim` are one number each. Raises: TypeError for what is no number;
    IndexError for a dim that `x` has not; RuntimeError for dims given twice or sizes that fit none.
    """
    require_tensors("fft_" + name, x)
    ndim = x.ndim
    if single:
        size = None if s is None else _number_like(name, "n", s)
        return (size,), (_dim_of(_number_like(name, "dim", dim), ndim),)
    s = None if s is None else _tuple_of_ints(name, "s", s)
    if dim is not None:
        dims = _tuple_of_ints(name, "dim", dim)
        dims = tuple(_dim_of(d, ndim) for d in dims)
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    else:
        if s is not None and len(s) > ndim:
            raise RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions."
            )
        dims = tuple(range(ndim if s is None else len(s)))
        dims = tuple(d + ndim - len(dims) for d in dims)
    sizes = (None,) * len(dims) if s is None else tuple(None if n == -1 else n for n in s)
    return sizes, dims


def _promoted(x, to_complex=False):
    """A tensor of floats or complex numbers; integers become the default dtype."""
    kind = x._meta.dtype
    if kind.category < dtypes.FLOAT:
        kind = dtypes.get_default_dtype()
    if kind.name in ("float16", "bfloat16"):
        called = {"float16": "Half", "bfloat16": "BFloat16"}[kind.name]
        raise RuntimeError(f"Unsupported dtype {called}")
    if to_complex and not kind.is_complex:
        kind = kind.to_complex()
    return cast_to(x, kind)


def _check_size(n):
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _resized(x, dim, n):
    """The first `n` elements along a dim, followed by zeros where there are fewer."""
    size = x._meta.shape[dim]
    if n < size:
        return mv.narrow(x, dim, 0, n)
    if n > size:
        zeros = x.new_zeros(_with_size(x._meta.shape, dim, n - size))
        return FUNCTIONS["cat"]([x, zeros], dim)
    return x


def _scale(norm, count, inverse):
    """The factor of a transform over `count` points in all."""
    if norm not in (None, "backward", "ortho", "forward"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    if norm == "ortho":
        return 1 / math.sqrt(count)
    return 1 / count if inverse == (norm != "forward") else 1.0


def complex_to_complex(name, x, sizes, dims, norm, inverse):
    """The transform of all `dims`, with exp(+2 pi i jk / n) if it is the inverse."""
    x = _promoted(x)
    sizes = [_check_size(x.shape[d] if n is None else n) for n, d in zip(sizes, dims, strict=True)]
    scale = _scale(norm, math.prod(sizes), inverse)
    if not dims:
        return cast_to(x, x._meta.dtype.to_complex()) if not x.is_complex() else x.clone()
    for n, d in zip(sizes, dims, strict=True):
        x = _resized(x, d, n)
    return c2c(x, dims=dims, inverse=inverse, scale=scale)


def real_to_complex(name, x, sizes, dims, norm, inverse):
    """The transform of real numbers of which the last dim keeps n // 2 + 1 elements."""
    _check_any(name, dims)
    if x._meta.dtype.is_complex:
        called = {"complex64": "ComplexFloat", "complex128": "ComplexDouble"}[x._meta.dtype.name]
        raise RuntimeError(f"{name} expects a real input tensor, but got {called}")
    x = _promoted(x)
    sizes = [_check_size(x.shape[d] if n is None else n) for n, d in zip(sizes, dims, strict=True)]
    scale = _scale(norm, math.prod(sizes), inverse)
    for n, d in zip(sizes, dims, strict=True):
        x = _resized(x, d, n)
    made = r2c(x, dims=dims, scale=scale, middle=1.0)
    return ew.conj(made) if inverse else made


def complex_to_real(name, x, sizes, dims, norm, inverse):
    """The real numbers of which `x` is half the spectrum; the last dim gets its size, or 2n - 2."""
    _check_any(name, dims)
    x = _promoted(x, to_complex=True)
    *lead, last = sizes
    sizes = [x.shape[d] if n is None else n for n, d in zip(lead, dims[:-1], strict=True)]
    sizes.append(2 * (x.shape[dims[-1]] - 1) if last is None else last)
    for n in sizes:
        _check_size(n)
    scale = _scale(norm, math.prod(sizes), inverse)
    for n, d in zip(sizes[:-1], dims[:-1], strict=True):
        x = _resized(x, d, n)
    x = _resized(x, dims[-1], sizes[-1] // 2 + 1)
    return c2r(x if inverse else ew.conj(x), dims=dims, n=sizes[-1], scale=scale, middle=1.0)


def _check_any(name, dims):
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
