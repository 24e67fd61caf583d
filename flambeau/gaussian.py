"""Normal random numbers, equal to those of PyTorch's CPU kernels.

From 16 numbers on, PyTorch fills memory with uniform numbers and turns each block of 16 into
normal ones in place (Box-Muller: the first 8 give radii, the last 8 angles); a last block that is
not whole is drawn anew. Below that, it makes pairs of doubles and keeps the second for later.

For float32 its AVX2 kernel has polynomials of its own for log, sin and cos (those of Cephes, by
way of Pommier's `sse_mathfun`), with a fused multiply-add wherever the compiler could place one.
`_radius` and `_sin_cos` do the same roundings in the same order: they agree with it in every bit
for all 2**24 values that a uniform float32 number can have. Where PyTorch was built without AVX2
(as on ARM), its numbers differ from those of x86-64, and from these, in the last bits.
"""

import math

import numpy as np

from .dtypes import complex64, float32, float64
from .rounding import fma, fma_float32, libm, narrow

__all__ = ["log_normal", "normal"]

BLOCK = 16
ROWS = 1024  # blocks done at a time, so that the temporaries stay in the cache

_LOG = [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1]
_LOG += [-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1]
_SIN = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
_COS = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]
# Each coefficient as the float32 it is in the kernel, in the double that is computed with.
_LOG, _SIN, _COS = ([float(np.float32(c)) for c in p] for p in (_LOG, _SIN, _COS))
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_PI4 = [np.float32(c) for c in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)]
_SQRT_HALF = np.float32(0.707106781186547524)
_FOUR_OVER_PI = np.float32(1.27323954473516)
_TWO_PI = np.float32(2 * math.pi)


def _polynomial(x, coefficients, y, z):
    """Horner's rule in float32 with fused multiply-add; `x` a float64 array of float32 values.

    The product of two float32 is exact in float64. Adding to it rounds twice, which could in
    principle differ from rounding once, but does not for any argument that occurs here. The
    result is in `z`, float32; `y`, float64, is scratch.
    """
    y.fill(coefficients[0])
    for c in coefficients[1:]:
        y *= x
        y += c
        z[...] = y
        y[...] = z
    return z


def _radius(words):
    """sqrt(-2 log(1 - u)) in float32, where u = words / 2**24 is of [0, 1)."""
    u = (np.int32(1 << 24) - words.view(np.int32)).astype(np.float32)
    # The significand and the exponent of 1 - u, the significand in [sqrt(1/2), sqrt(2)).
    bits = u.view(np.int32)
    e = (bits >> 23).astype(np.float32)
    e -= np.float32(126 + 24)
    bits &= 0x7FFFFF
    bits |= 0x3F000000
    small = (u < _SQRT_HALF).astype(np.float32)
    e -= small
    x = u - np.float32(1)
    small *= u
    x += small
    square = x * x
    wide, y = x.astype(np.float64), np.empty(x.shape)
    z = _polynomial(wide, _LOG, y, np.empty_like(x))
    z *= x
    np.multiply(z, square, out=y, dtype=np.float64)
    y += e * _LN2_LOW
    z[...] = y
    square *= np.float32(0.5)
    z -= square
    z += x
    e *= _LN2_HIGH  # exact: few bits
    z += e
    z *= np.float32(-2)
    return np.sqrt(z, out=z)


def _sin_cos(words):
    """sin and cos of 2 pi u in float32, where u = words / 2**24 is of [0, 1)."""
    x = words.view(np.int32).astype(np.float32)
    x *= np.float32(2.0**-24)
    x *= _TWO_PI
    # The octant, made even: x is then measured from the nearest multiple of pi / 2.
    octant = (x * _FOUR_OVER_PI).astype(np.int32)
    octant += 1
    octant &= ~1
    n = octant.astype(np.float32)
    x += n * _PI4[0]  # exact products but for the last
    x += n * _PI4[1]
    y = np.multiply(n, _PI4[2], dtype=np.float64)
    y += x
    x[...] = y
    square = x * x
    wide = square.astype(np.float64)
    cos = _polynomial(wide, _COS, y, n)
    cos *= square
    np.multiply(cos, square, out=y, dtype=np.float64)
    wide *= 0.5
    y -= wide
    cos[...] = y
    cos += np.float32(1)
    wide += wide
    sin = _polynomial(wide, _SIN, y, np.empty_like(x))
    sin *= square
    np.multiply(sin, x, out=y, dtype=np.float64)
    y += x
    sin[...] = y
    # Odd quarter turns exchange the two; the bits of the octant give the signs.
    swap = octant & 2 != 0
    sin, cos = np.where(swap, cos, sin), np.where(swap, sin, cos)
    sin.view(np.int32)[...] ^= (octant & 4) << 29
    cos.view(np.int32)[...] ^= (octant + 2 & 4) << 29
    return sin, cos


def _float32_blocks(words, mean, std):
    """Box-Muller of whole blocks of 32-bit words, in float32."""
    mean, std = np.float32(mean), np.float32(std)
    words &= np.uint32(0xFFFFFF)
    words = words.reshape(-1, 2, BLOCK // 2)
    values = np.empty(words.shape, np.float32)
    for start in range(0, len(words), ROWS):
        part, out = words[start : start + ROWS], values[start : start + ROWS]
        radius = _radius(np.ascontiguousarray(part[:, 0]))
        sin, cos = _sin_cos(np.ascontiguousarray(part[:, 1]))
        out[:, 0] = fma_float32(radius * cos, std, mean)
        out[:, 1] = fma_float32(radius * sin, std, mean)
    return values.reshape(-1)


def _float64_blocks(uniform, mean, std):
    """Box-Muller of whole blocks of float64 uniform numbers."""
    uniform = uniform.reshape(-1, 2, BLOCK // 2)
    radius = np.sqrt(-2 * libm(math.log, 1 - uniform[:, 0].reshape(-1)))
    theta = 2 * math.pi * uniform[:, 1].reshape(-1)
    values = np.empty(uniform.shape)
    values[:, 0] = fma(radius * libm(math.cos, theta), std, mean).reshape(-1, BLOCK // 2)
    values[:, 1] = fma(radius * libm(math.sin, theta), std, mean).reshape(-1, BLOCK // 2)
    return values.reshape(-1)


def _pairs(generator, n):
    """`n` standard normal doubles by pairs; an odd one out stays in the generator."""
    if n == 0:
        return np.empty(0)
    kept, generator.next_normal = generator.next_normal, None
    first = 0 if kept is None else 1
    uniform = generator.doubles((n - first + 1) // 2 * 2)
    radius = np.sqrt(-2 * libm(math.log1p, -uniform[1::2]))
    theta = 2 * math.pi * uniform[0::2]
    values = np.empty(first + uniform.size)
    values[:first] = kept
    values[first::2] = radius * libm(math.cos, theta)
    values[first + 1 :: 2] = radius * libm(math.sin, theta)
    if values.size > n:
        generator.next_normal = float(values[n])
    return values[:n]


def _blocks(generator, n, dtype, mean, std):
    """`n` >= 16 normal numbers as PyTorch fills contiguous memory."""
    whole, rest = n - n % BLOCK, n % BLOCK
    in_place = dtype in (float32, float64)  # a half goes through a buffer of one block
    drawn = n if in_place else whole
    draw, transform = generator.words, _float32_blocks
    if dtype is float64:
        draw, transform = generator.doubles, _float64_blocks
    source = draw(drawn + BLOCK if rest else drawn)
    if not rest:
        return narrow(transform(source, mean, std), dtype)
    source[whole : whole + BLOCK] = source[drawn:].copy()
    values = narrow(transform(source[: whole + BLOCK], mean, std), dtype)
    values[n - BLOCK : n] = values[whole:].copy()
    return values[:n]


def normal(generator, shape, dtype, mean=0.0, std=1.0, contiguous=True):
    """Normal random numbers as `Tensor.normal_` makes them: an array of `shape`, stored as `dtype`.

    A complex number has the variance std**2 in all. `contiguous=False` gives the numbers of a
    tensor that is not contiguous, in the order of its memory. Raises RuntimeError for std < 0 and
    NotImplementedError for a dtype that is not floating point.
    """
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    n = math.prod(shape)
    if dtype.is_complex:
        real = float32 if dtype is complex64 else float64
        parts = normal(generator, (2 * n,), real, mean, std / math.sqrt(2), contiguous)
        return parts.view(dtype.numpy).reshape(shape)
    if not dtype.is_floating_point:
        raise NotImplementedError(f"normal is not defined for {dtype}")
    if n >= BLOCK and contiguous:
        return _blocks(generator, n, dtype, mean, std).reshape(shape)
    return narrow(fma(_pairs(generator, n), std, mean), dtype).reshape(shape)


def _exp(x):
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def log_normal(generator, shape, dtype, mean=1.0, std=2.0):
    """exp of normal numbers, as `Tensor.log_normal_` makes them.

    Raises RuntimeError for std <= 0.
    """
    if not std > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
    if not dtype.is_floating_point:
        raise NotImplementedError(f"log_normal is not defined for {dtype}")
    values = fma(_pairs(generator, math.prod(shape)), std, mean)
    return narrow(libm(_exp, values), dtype).reshape(shape)
