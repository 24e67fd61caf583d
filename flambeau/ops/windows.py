"""Windows: weights that fall off towards both ends, for spectra and filters."""

import math

from .. import dtypes
from . import elementwise as ew
from .api import FUNCTIONS, function
from .from_data import finish
from .special import i0

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _window(name, window_length, periodic, dtype, requires_grad, shape):
    """The values of `shape` at i / (n - 1), or at i / n for a periodic window."""
    dtype = dtype or dtypes.get_default_dtype()
    if dtype.category != dtypes.FLOAT:
        raise RuntimeError(f"{name}() expects floating point dtypes, got: {dtype.name}")
    if window_length < 0:
        raise RuntimeError(
            f"{name}() requires a non-negative window_length, got window_length={window_length}"
        )
    if window_length <= 1:
        return FUNCTIONS["ones"](window_length, dtype=dtype, requires_grad=requires_grad)
    last = window_length if periodic else window_length - 1
    place = FUNCTIONS["arange"](window_length, dtype=dtypes.float64) / last
    return finish(shape(place).to(dtype), requires_grad)


def _cosines(*weights):
    """a0 - a1 cos(2 pi x) + a2 cos(4 pi x) - ..."""

    def shape(x):
        total = x * 0 + weights[0]
        for k, a in enumerate(weights[1:], 1):
            total = total + ew.cos(x * (2 * math.pi * k)) * (a if k % 2 == 0 else -a)
        return total

    return shape


@function(methods=False, out=False)
def bartlett_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """A triangle: 1 - |2x - 1|."""
    return _window(
        "bartlett_window",
        *(window_length, periodic, dtype, requires_grad),
        lambda x: 1 - ew.abs(x * 2 - 1),
    )


@function(methods=False, out=False)
def blackman_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """0.42 - 0.5 cos(2 pi x) + 0.08 cos(4 pi x)."""
    shape = _cosines(0.42, 0.5, 0.08)
    return _window("blackman_window", window_length, periodic, dtype, requires_grad, shape)


@function(methods=False, out=False)
def hamming_window(
    window_length,
    periodic=True,
    alpha=0.54,
    beta=0.46,
    *,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
):
    """alpha - beta cos(2 pi x)."""
    shape = _cosines(alpha, beta)
    return _window("hamming_window", window_length, periodic, dtype, requires_grad, shape)


@function(methods=False, out=False)
def hann_window(
    window_length, periodic=True, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """(1 - cos(2 pi x)) / 2."""
    shape = _cosines(0.5, 0.5)
    return _window("hann_window", window_length, periodic, dtype, requires_grad, shape)


@function(methods=False, out=False)
def kaiser_window(
    window_length,
    periodic=True,
    beta=12.0,
    *,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
):
    """i0(beta sqrt(1 - (2x - 1)^2)) / i0(beta)."""

    def shape(x):
        inside = ew.sqrt(ew.maximum(1 - (x * 2 - 1) ** 2, 0.0))
        return i0(inside * beta) / i0(x.new_full((), beta))

    return _window("kaiser_window", window_length, periodic, dtype, requires_grad, shape)
