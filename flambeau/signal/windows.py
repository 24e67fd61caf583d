"""Windows of M samples, symmetric unless told: weights that fall off towards both ends."""

import math

from ..formats import strided
from ..ops.api import FUNCTIONS

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]

_exp, _sin, _cos, _tensor = (FUNCTIONS[name] for name in ("exp", "sin", "cos", "tensor"))


def _window(name, M, sym, dtype, layout, requires_grad, shape):
    """shape(k, last): the samples for k = 0 ... M - 1, where `last` closes the period."""
    if M < 0:
        raise ValueError(f"{name} window: M must be non-negative, but got {M}")
    if layout not in (None, strided):
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    kind = dtype or FUNCTIONS["zeros"](0).dtype
    if not kind.is_floating_point or kind.name in ("float16", "bfloat16"):
        raise ValueError(f"{name} window: dtype must be float32 or float64, but got {kind}")
    if M <= 1:
        made = FUNCTIONS["ones"](M, dtype=kind)
    else:
        last = M - 1 if sym else M
        k = FUNCTIONS["arange"](M).double()
        made = shape(k, last).to(kind)
    return made.requires_grad_(requires_grad)


def general_cosine(M, *, a, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """sum_i (-1)^i a_i cos(2 pi i k / (M - 1))."""
    if not isinstance(a, (list, tuple)) and not hasattr(a, "__iter__"):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")

    def shape(k, last):
        total = k * 0 + a[0]
        for i, weight in enumerate(a[1:], 1):
            total = total + _cos(k * (2 * math.pi * i / last)) * ((-1) ** i * weight)
        return total

    return _window("general_cosine", M, sym, dtype, layout, requires_grad, shape)


def general_hamming(M, *, alpha=0.54, sym=True, **options):
    """alpha - (1 - alpha) cos(2 pi k / (M - 1))."""
    return general_cosine(M, a=[alpha, 1 - alpha], sym=sym, **options)


def hamming(M, *, sym=True, **options):
    """0.54 - 0.46 cos(2 pi k / (M - 1))."""
    return general_hamming(M, sym=sym, **options)


def hann(M, *, sym=True, **options):
    """(1 - cos(2 pi k / (M - 1))) / 2."""
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M, *, sym=True, **options):
    """0.42 - 0.5 cos(2 pi k / (M - 1)) + 0.08 cos(4 pi k / (M - 1))."""
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(M, *, sym=True, **options):
    """The four-term window of Nuttall with continuous first derivative."""
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


def bartlett(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """1 - |2 k / (M - 1) - 1|."""

    def shape(k, last):
        return 1 - (k * (2 / last) - 1).abs()

    return _window("bartlett", M, sym, dtype, layout, requires_grad, shape)


def cosine(M, *, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """sin(pi (k + 1/2) / M)."""

    def shape(k, last):
        return _sin((k + 0.5) * (math.pi / (last + 1)))

    return _window("cosine", M, sym, dtype, layout, requires_grad, shape)


def exponential(
    M, *, center=None, tau=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False
):
    """exp(-|k - center| / tau); the center is the middle, where it must be if symmetric."""
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def shape(k, last):
        middle = last / 2 if center is None else center
        return _exp((k - middle).abs() / -tau)

    return _window("exponential", M, sym, dtype, layout, requires_grad, shape)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """exp(-((k - (M - 1) / 2) / std)^2 / 2)."""
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def shape(k, last):
        scaled = (k - last / 2) / std
        return _exp(scaled * scaled * -0.5)

    return _window("gaussian", M, sym, dtype, layout, requires_grad, shape)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=None, device=None, requires_grad=False):
    """i0(beta sqrt(1 - (2 k / (M - 1) - 1)^2)) / i0(beta)."""
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def shape(k, last):
        x = k * (2 / last) - 1
        root = (1 - x * x).clamp(min=0).sqrt()
        return (root * beta).i0() / _tensor(float(beta), dtype=k.dtype).i0()

    return _window("kaiser", M, sym, dtype, layout, requires_grad, shape)
