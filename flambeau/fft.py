"""`flambeau.fft`: discrete Fourier transforms.

Common arguments: `n` or `s`, the size or sizes to crop or zero-pad to; `dim`, what to transform;
`norm`, which direction is divided: "backward" (the default) the inverse by the number of points,
"forward" the other one, "ortho" both by its square root; `out`, a tensor to write to.

Functions whose names begin with r are of real numbers and give, or are given, the half of the
spectrum that determines the other; h means that it is the spectrum which is real.
"""

import functools

from . import dtypes
from .ops import fourier
from .ops.api import FUNCTIONS, into_out

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "hfft2",
    "hfftn",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "ihfft2",
    "ihfftn",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]


def _takes_out(category):
    """Let a function write into `out`, which must be of a category of dtypes: a decorator."""
    called = {dtypes.COMPLEX: "complex", dtypes.FLOAT: "floating point"}[category]

    def decorate(f):
        @functools.wraps(f)
        def wrapper(*args, out=None, **kwargs):
            result = f(*args, **kwargs)
            if out is None:
                return result
            if out.dtype.category != category:
                raise RuntimeError(
                    f"{f.__name__} expects a {called} output tensor, but got {out.dtype.name}"
                )
            return into_out(result, out)

        return wrapper

    return decorate


_to_complex = _takes_out(dtypes.COMPLEX)
_to_real = _takes_out(dtypes.FLOAT)


# One dim


@_to_complex
def fft(input, n=None, dim=-1, norm=None):
    """X_k = sum_j x_j exp(-2 pi i jk / n): the spectrum of a signal along a dim.

    >>> import flambeau as torch
    >>> torch.fft.fft(torch.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j])
    """
    plan = fourier.plan_dims("fft", input, n, dim, single=True)
    return fourier.complex_to_complex("fft", input, *plan, norm, inverse=False)


@_to_complex
def ifft(input, n=None, dim=-1, norm=None):
    """x_j = 1/n sum_k X_k exp(2 pi i jk / n): the inverse of `fft`."""
    plan = fourier.plan_dims("ifft", input, n, dim, single=True)
    return fourier.complex_to_complex("ifft", input, *plan, norm, inverse=True)


@_to_complex
def rfft(input, n=None, dim=-1, norm=None):
    """The first n // 2 + 1 elements of `fft` of real numbers; the others are conjugates of these.

    Raises: RuntimeError for complex input.
    """
    plan = fourier.plan_dims("rfft", input, n, dim, single=True)
    return fourier.real_to_complex("rfft", input, *plan, norm, inverse=False)


@_to_real
def irfft(input, n=None, dim=-1, norm=None):
    """The inverse of `rfft`: n real numbers, without `n` an even number of them."""
    plan = fourier.plan_dims("irfft", input, n, dim, single=True)
    return fourier.complex_to_real("irfft", input, *plan, norm, inverse=True)


@_to_real
def hfft(input, n=None, dim=-1, norm=None):
    """The real `fft` of a signal of n elements that is given by its first n // 2 + 1.

    The others are taken to be the conjugates of these, in reverse order.
    """
    plan = fourier.plan_dims("hfft", input, n, dim, single=True)
    return fourier.complex_to_real("hfft", input, *plan, norm, inverse=False)


@_to_complex
def ihfft(input, n=None, dim=-1, norm=None):
    """The inverse of `hfft`: the first n // 2 + 1 elements of the signal."""
    plan = fourier.plan_dims("ihfft", input, n, dim, single=True)
    return fourier.real_to_complex("ihfft", input, *plan, norm, inverse=True)


# Several dims


@_to_complex
def fftn(input, s=None, dim=None, norm=None):
    """`fft` along several dims: of `s` without `dim` the last, of neither all."""
    plan = fourier.plan_dims("fftn", input, s, dim)
    return fourier.complex_to_complex("fftn", input, *plan, norm, inverse=False)


@_to_complex
def ifftn(input, s=None, dim=None, norm=None):
    """The inverse of `fftn`."""
    plan = fourier.plan_dims("ifftn", input, s, dim)
    return fourier.complex_to_complex("ifftn", input, *plan, norm, inverse=True)


@_to_complex
def rfftn(input, s=None, dim=None, norm=None):
    """`rfft` along the last of several dims and `fft` along the others."""
    plan = fourier.plan_dims("rfftn", input, s, dim)
    return fourier.real_to_complex("rfftn", input, *plan, norm, inverse=False)


@_to_real
def irfftn(input, s=None, dim=None, norm=None):
    """The inverse of `rfftn`; without `s` the last dim becomes even."""
    plan = fourier.plan_dims("irfftn", input, s, dim)
    return fourier.complex_to_real("irfftn", input, *plan, norm, inverse=True)


@_to_real
def hfftn(input, s=None, dim=None, norm=None):
    """`fft` along several dims and `hfft` along the last of them."""
    plan = fourier.plan_dims("hfftn", input, s, dim)
    return fourier.complex_to_real("hfftn", input, *plan, norm, inverse=False)


@_to_complex
def ihfftn(input, s=None, dim=None, norm=None):
    """The inverse of `hfftn`."""
    plan = fourier.plan_dims("ihfftn", input, s, dim)
    return fourier.real_to_complex("ihfftn", input, *plan, norm, inverse=True)


def _of_two_dims(f):
    """The function of two dims, the last ones unless told otherwise, that one of several gives."""
    name = f.__name__[:-1] + "2"

    def public(input, s=None, dim=(-2, -1), norm=None, *, out=None):
        if dim is None:
            raise TypeError(f"fft_{name}(): argument 'dim' must be tuple of ints, not NoneType")
        return f(input, s, dim, norm, out=out)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"`{f.__name__}` along two dims: the last ones unless told otherwise."
    return public


fft2 = _of_two_dims(fftn)
ifft2 = _of_two_dims(ifftn)
rfft2 = _of_two_dims(rfftn)
irfft2 = _of_two_dims(irfftn)
hfft2 = _of_two_dims(hfftn)
ihfft2 = _of_two_dims(ihfftn)


# Frequencies


def _frequencies(name, n, d, dtype, out, requires_grad, places):
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(
            f"fft_{name}(): argument 'n' (position 1) must be int, not {type(n).__name__}"
        )
    if dtype is None:
        dtype = dtypes.get_default_dtype() if out is None else out.dtype
    if out is not None and out.dtype is not dtype:
        raise RuntimeError(
            f"dtype {dtype.name} does not match dtype of out parameter ({out.dtype.name})"
        )
    if dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    if dtype.is_complex:
        raise NotImplementedError(f"{name} is not implemented for {dtype.name}")
    made = places().to(dtypes.float64) / n if n else places().to(dtypes.float64) * float("nan")
    made = (made / float(d) if d else made * float("inf")).to(dtype)
    if out is not None:
        return into_out(made, out)
    return made.requires_grad_() if requires_grad else made


def fftfreq(
    n,
    d=1.0,
    *,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """The frequencies of `fft` of n points `d` apart: 0, 1, ..., -2, -1 divided by n d.

    >>> import flambeau as torch
    >>> torch.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """
    arange, cat = FUNCTIONS["arange"], FUNCTIONS["cat"]
    return _frequencies(
        "fftfreq",
        *(n, d, dtype, out, requires_grad),
        lambda: cat([arange((n + 1) // 2), arange(-(n // 2), 0)]) if n else arange(0),
    )


def rfftfreq(
    n,
    d=1.0,
    *,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """The frequencies of `rfft` of n points `d` apart: 0 to n // 2 divided by n d."""
    return _frequencies(
        "rfftfreq",
        *(n, d, dtype, out, requires_grad),
        lambda: FUNCTIONS["arange"](n // 2 + 1),
    )


def _rolled(input, dim, by):
    dims = range(input.ndim) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if not len(dims):
        raise RuntimeError("`shifts` required")
    limit = input.ndim
    for d in dims:
        if not -limit <= d < limit:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-limit}, {limit - 1}], "
                f"but got {d})"
            )
    return FUNCTIONS["roll"](input, tuple(by(input.shape[d]) for d in dims), tuple(dims))


def fftshift(input, dim=None):
    """The frequency 0 moved from the front to the middle of each dim."""
    return _rolled(input, dim, lambda n: n // 2)


def ifftshift(input, dim=None):
    """The inverse of `fftshift`."""
    return _rolled(input, dim, lambda n: (n + 1) // 2)
