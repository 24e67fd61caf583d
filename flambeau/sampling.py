"""Random numbers of the elementary distributions, equal to those of PyTorch's CPU kernels.

Each function draws from a `Generator` and returns a NumPy array stored as `dtype` wants it; after
each, the generator's state is the one that PyTorch's would have. Normal numbers are made in
`flambeau.gaussian`, those that take an unknown number of draws in `flambeau.rejection`.

A logarithm or tangent in float64 is the C library's, as in PyTorch, so that its last bit is that
of PyTorch on the same machine.
"""

import math
import warnings

import numpy as np

from .backends import lapack
from .dtypes import (
    FROM_NUMPY,
    INT,
    bfloat16,
    bool_,
    decode,
    encode,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .rounding import fma, fma_float32, libm, libm_rounded, narrow

__all__ = [
    "bernoulli",
    "cauchy",
    "exponential",
    "geometric",
    "multinomial",
    "randint",
    "random",
    "randperm",
    "uniform",
]

NATIVE = 5000  # from here on `randperm` has LAPACK swap its numbers
MANY = 2**32 // 20  # from here on `randperm` uses 64-bit words
DIGITS = {float16: 11, bfloat16: 8, float32: 24, float64: 53}


class _Limits(dict):
    """Numbers by dtype, and the error for a dtype that no random numbers are drawn of."""

    def __missing__(self, dtype):
        raise NotImplementedError(f"random numbers are not implemented for {dtype.name} tensors")


LARGEST = _Limits({d: int(np.iinfo(d.numpy).max) for d in (uint8, int8, int16, int32, int64)})
LARGEST |= {d: int(np.iinfo(d.numpy).max) for d in (uint16, uint32, uint64)}
LARGEST |= {d: float(np.finfo(d.numpy).max) for d in (float16, float32, float64)}
LARGEST |= {bool_: 1, bfloat16: (2 - 2.0**-7) * 2.0**127}
# What PyTorch's messages call the dtypes.
C_NAMES = {
    **{"bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short int"},
    **{"int32": "int", "int64": "long int", "float16": "c10::Half", "bfloat16": "c10::BFloat16"},
    **{"float32": "float", "float64": "double"},
}
CLASS_NAMES = {"float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double"}


def _need_float(name, dtype):
    if not dtype.is_floating_point:
        raise NotImplementedError(f"{name} is not defined for {dtype}")


def _check_inside(name, value, dtype):
    largest = LARGEST[dtype]
    smallest = -largest - (dtype.category == INT) if dtype.is_signed else 0
    if not smallest <= value <= largest:
        raise RuntimeError(f"{name} is out of bounds for {C_NAMES[dtype.name]}")


def uniform(generator, shape, dtype, low=0.0, high=1.0):
    """Uniform random numbers of [low, high) as `Tensor.uniform_` makes them.

    Returns an array of `shape` stored as `dtype`; a complex dtype has both parts uniform. Raises
    RuntimeError where low > high or where the dtype cannot hold low, high or high - low.
    """
    if dtype.is_complex:
        parts = uniform(generator, (*shape, 2), dtype.to_real(), low, high)
        return parts.view(dtype.numpy).reshape(shape)
    _need_float("uniform", dtype)
    _check_inside("from", low, dtype)
    _check_inside("to", high, dtype)
    if not low <= high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > LARGEST[dtype]:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{CLASS_NAMES[dtype.name]}>::max(), "
            f"but found to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )
    wide = dtype is float64
    values = (generator.doubles if wide else generator.floats)(math.prod(shape))
    if (low, high) == (0, 1) and dtype in (float32, float64):
        return values.reshape(shape)
    if wide:
        values = fma(values, high - low, low)
    else:
        values = _scaled_floats(values, np.float32(low), np.float32(high))
    values = narrow(values, dtype)
    # A number that was rounded up to `high` is outside: PyTorch then says `low`.
    ends = narrow(np.array([low, high]), dtype)
    values[values == ends[1]] = ends[0]
    return values.reshape(shape)


def _scaled_floats(unit, low, high):
    """unit * (high - low) + low rounded once, of float32 multiples of 2**-24 in [0, 1)."""
    width = high - low
    if low == 0:
        return unit if width == 1 else unit * width
    # The product has 48 bits, so double holds the sum exactly unless the exponents are far apart.
    apart = math.frexp(low)[1] - math.frexp(width)[1]
    if -28 <= apart <= 4:
        wide = unit.astype(np.float64)
        wide *= float(width)
        wide += float(low)
        return wide.astype(np.float32)
    return fma_float32(unit, width, low)


def exponential(generator, shape, dtype, rate=1.0):
    """Exponential random numbers as `Tensor.exponential_` makes them: -log(1 - u) / rate.

    Raises RuntimeError for rate <= 0 and for a dtype that is not floating point.
    """
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    if not dtype.is_floating_point:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {dtype}"
        )

    def finish(logarithm):
        return narrow(-1.0 / rate * logarithm, dtype)

    u = -generator.doubles(math.prod(shape))
    return _transform(math.log1p, np.log1p, u, finish, dtype).reshape(shape)


def cauchy(generator, shape, dtype, median=0.0, sigma=1.0):
    """Cauchy random numbers as `Tensor.cauchy_` makes them: median + sigma tan(pi (u - 1/2)).

    Raises RuntimeError for sigma <= 0 and for a dtype that is not floating point.
    """
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
    if not dtype.is_floating_point:
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a "
            f"floating point but you specified {dtype}"
        )

    def finish(tangent):
        return narrow(fma(tangent, sigma, median), dtype)

    angle = math.pi * (generator.doubles(math.prod(shape)) - 0.5)
    return _transform(math.tan, np.tan, angle, finish, dtype).reshape(shape)


def geometric(generator, shape, dtype, p):
    """The trials until the first success of probability `p`, as `Tensor.geometric_` makes them.

    `dtype` is floating point or an integer. Raises RuntimeError unless 0 < p < 1.
    """
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
    if dtype.is_complex or dtype is bool_:
        raise NotImplementedError(f"geometric is not defined for {dtype}")
    failure = math.log1p(-p)

    def finish(logarithm):
        return np.ceil(logarithm / failure)

    with np.errstate(divide="ignore"):
        trials = libm_rounded(math.log, np.log, generator.doubles(math.prod(shape)), finish)
    return narrow(trials, dtype).reshape(shape)


def _transform(function, fast, x, finish, dtype):
    """finish(function(x)) as the C library computes `function`."""
    if dtype is float64:
        return finish(libm(function, x))
    return libm_rounded(function, fast, x, finish)


def bernoulli(generator, p, shape, dtype, p_dtype=None):
    """Zeros, and ones of probability `p`, as `Tensor.bernoulli_` and `torch.bernoulli` make them.

    `p` is a number, or an array that broadcasts to `shape`, stored as `p_dtype` (by default that
    of the array). Raises RuntimeError for a probability outside of [0, 1].
    """
    n = math.prod(shape)
    if isinstance(p, np.ndarray):
        p_dtype = FROM_NUMPY[p.dtype] if p_dtype is None else p_dtype
        _need_float("bernoulli of probabilities", p_dtype)
        p = np.broadcast_to(decode(p, p_dtype), shape).reshape(-1)
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError("bernoulli expects every probability to be in [0, 1]")
    else:
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        p_dtype = float64
    if dtype.is_complex:
        raise NotImplementedError(f"bernoulli is not defined for {dtype}")
    drawn = generator.doubles(n) if p_dtype is float64 else generator.floats(n)
    return encode(drawn < p, dtype).reshape(shape)


def randint(generator, low, high, shape, dtype):
    """Integers of [low, high) as `torch.randint` makes them, an array of `shape` stored as `dtype`.

    Raises RuntimeError where low >= high or where the dtype cannot hold the range; warns where a
    floating-point dtype cannot tell the range's integers apart.
    """
    return random(generator, shape, dtype, low, high)


def random(generator, shape, dtype, low=None, high=None):
    """Integers as `Tensor.random_` makes them.

    Of [low, high); without `high` from `low` to the largest that `dtype` holds (2**digits for a
    floating-point one), but over all 64 bits if `low` is -2**63; without either from 0 on.
    """
    if dtype.is_complex:
        raise NotImplementedError(f"random integers are not defined for {dtype}")
    n = math.prod(shape)
    if low is None:
        return narrow(_any_of_dtype(generator, n, dtype), dtype).reshape(shape)
    if high is None and low == -(2**63):
        if dtype not in (int64, float64, float32, bfloat16):
            raise RuntimeError(
                "random_full_64_bits_range_kernel_cpu handles only int64, double, float and "
                "bfloat16"
            )
        return narrow(generator.longs(n).view(np.int64), dtype).reshape(shape)
    low, last = _check_range(low, high, dtype)
    span = last - low + 1
    if span >= 2**28:
        drawn = (generator.longs(n) % np.uint64(span)).view(np.int64)
    else:
        drawn = (generator.words(n) % np.uint32(span)).astype(np.int64)
    drawn += low
    return narrow(drawn, dtype).reshape(shape)


def _any_of_dtype(generator, n, dtype):
    """`n` integers of 0 to the largest that `dtype` holds."""
    if dtype is int64:
        return generator.longs(n) & np.uint64(2**63 - 1)
    if dtype is float64:
        return generator.longs(n) % np.uint64(2**53 + 1)
    count = 2 ** DIGITS[dtype] if dtype in DIGITS else LARGEST[dtype]
    return generator.words(n) % np.uint32(count + 1)


def _check_range(low, high, dtype):
    """The first and the last integer to draw, those that `dtype` holds within [low, high)."""
    if high is not None and low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    if dtype not in DIGITS:
        last = LARGEST[dtype] if high is None else high - 1
        _check_inside("from", low, dtype)
        _check_inside("to - 1", last, dtype)
        return low, last
    # The kernel rounds after drawing: keep away from ends that would be rounded outwards.
    rounded, step = _as_stored(low + 1, dtype)
    first = rounded + step if rounded < low else low
    last = 2 ** DIGITS[dtype] if high is None else high - 1
    rounded, step = _as_stored(last, dtype)
    if high is not None and last < rounded < 2**63:
        last = rounded - step - 1
    _check_float_range(first, last, dtype)
    if first > last or (high is None and first == last):
        raise RuntimeError(
            "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
            f"from={first} >= to={last + (high is not None)}"
        )
    return first, last


def _check_float_range(first, last, dtype):
    bits = DIGITS[dtype]
    for name, value in (("from", first), ("to - 1", last)):
        _check_inside(name, value, dtype)
        if abs(value) > 2**bits:
            warnings.warn(
                f"{name} is out of bounds [-(2^{bits}), 2^{bits}]. Due to precision limitations "
                f"{C_NAMES[dtype.name]} can support discrete uniform distribution only within "
                "this range.",
                stacklevel=4,
            )


def _as_stored(integer, dtype):
    """What `dtype` makes of an integer, and the distance of the numbers it holds around there."""
    value = decode(narrow(np.array([integer]), dtype), dtype)[0]
    if not np.isfinite(value):
        return integer, 0
    return int(value), 1 << max(0, abs(integer).bit_length() - DIGITS[dtype])


def randperm(generator, n, dtype):
    """The integers 0 to n - 1 in random order, as `torch.randperm` puts them, stored as `dtype`.

    Raises RuntimeError for n < 0 and for a dtype that does not hold them all.
    """
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype.is_complex or dtype is bool_:
        raise NotImplementedError(f"randperm is not defined for {dtype}")
    if dtype.category == INT and n - 1 > LARGEST[dtype]:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
    if dtype in (float16, float32, float64) and n > 2 ** DIGITS[dtype] + 1:
        most = "2049" if dtype is float16 else f"2^{DIGITS[dtype]}+1"
        name = CLASS_NAMES[dtype.name]
        raise RuntimeError(f"n cannot be greater than {most} for {name} type.")
    if n >= MANY:
        return narrow(_shuffled_inside_out(generator, n), dtype)
    places = np.arange(max(n - 1, 0), dtype=np.uint32)
    others = generator.words(places.size) % (np.uint32(n) - places) + places
    return narrow(_swapped(n, others), dtype)


def _swapped(n, others):
    """The integers 0 to n - 1 after each in turn has changed places with one of `others`."""
    if n >= NATIVE:
        # What LAPACK does with the rows of a matrix, here of one column.
        rows = np.arange(n, dtype=np.float64)[None]
        pivots = (others + np.uint32(1)).view(np.int32)[None]
        lapack.each("laswp", rows.dtype, 1, 1, rows, n, 1, n - 1, pivots, 1, info=False)
        return rows[0].astype(np.int64)
    items = list(range(n))
    for i, j in enumerate(others.tolist()):
        items[i], items[j] = items[j], items[i]
    return np.array(items, np.int64)


def _shuffled_inside_out(generator, n, part=2**16):
    """A permutation of n integers by PyTorch's method for many: 64-bit words, little memory."""
    items = np.empty(n, np.int64)
    view = memoryview(items)
    for start in range(0, n, part):
        stop = min(start + part, n)
        places = np.arange(start + 1, stop + 1, dtype=np.uint64)
        others = generator.longs(stop - start) % places
        for i, j in enumerate(others.tolist(), start):
            view[i] = i
            view[i] = view[j]
            view[j] = i
    return items


def multinomial(generator, weights, count, replacement=False, dtype=None):
    """`count` indices drawn with probability proportional to `weights`, as `torch.multinomial`.

    `weights` is a vector or a matrix of row vectors, stored as `dtype` (by default that of the
    array); the result is int64 with `count` in place of the last dim. Among equal keys of a draw
    without replacement the lower index comes first; PyTorch leaves that open.

    Raises RuntimeError for weights that are negative, not finite or all zero, for other than 1 or
    2 dims, for a count below 1, and for more than there are without replacement.
    """
    dtype = FROM_NUMPY[weights.dtype] if dtype is None else dtype
    _check_multinomial(weights, count, replacement, dtype)
    values = decode(weights, dtype)
    rows = values.reshape(-1, values.shape[-1])
    if len(rows) == 0:
        return np.empty((*weights.shape[:-1], count), np.int64)
    if replacement and count > 1:
        chosen = _by_cumulative_sum(generator, rows, count)
    else:
        chosen = _by_exponential_race(generator, rows, count, dtype)
    return chosen.reshape(*weights.shape[:-1], count)


def _check_multinomial(weights, count, replacement, dtype):
    if weights.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not dtype.is_floating_point:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {dtype}"
        )
    if count <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and count > weights.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
        )
    if weights.shape[-1] > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    values = decode(weights, dtype)
    if not (np.isfinite(values) & (values >= 0)).all():
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if not values.any(axis=-1).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


def _by_exponential_race(generator, rows, count, dtype):
    """Without replacement: the largest of weight / q, where q is exponential."""
    q = decode(exponential(generator, rows.shape, dtype), dtype)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        keys = decode(encode(rows / q, dtype), dtype)
    if count == 1:
        return keys.argmax(axis=1)
    return np.argsort(-keys, axis=1, kind="stable")[:, :count]


def _by_cumulative_sum(generator, rows, count):
    """With replacement: where a uniform number falls in the cumulative distribution."""
    wide = rows.astype(np.float32) if rows.dtype == np.float16 else rows
    total = np.cumsum(wide, axis=1, dtype=wide.dtype)
    total /= total[:, -1:].copy()
    total[:, -1] = 1
    drawn = generator.doubles(len(rows) * count).reshape(-1, count)
    pairs = zip(total.astype(np.float64), drawn, strict=True)
    return np.stack([np.searchsorted(row, u) for row, u in pairs])
