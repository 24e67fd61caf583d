"""Random numbers whose making takes an unknown number of draws: Poisson, gamma, binomial.

The samplers are those of PyTorch's CPU kernels, element by element in float64, with the same
draws in the same order. Each works off one array of parameters and returns an array like it.
"""

import math

import numpy as np

from .dtypes import decode, float32, float64
from .rounding import narrow

__all__ = ["binomial", "dirichlet", "gamma", "poisson"]

ONE_THIRD = float(np.float32(1 / 3))  # these are float32 constants in the kernel
SQUEEZE = float(np.float32(0.0331))


def poisson(generator, rates, dtype):
    """A Poisson number for each of `rates`, an array stored as `dtype`, as `torch.poisson`.

    Below a rate of 10 by Knuth's product of uniform numbers, above by Hoermann's transformed
    rejection ("PTRS", 1993). Raises RuntimeError for a negative rate.
    """
    if not dtype.is_floating_point:
        raise NotImplementedError(f"poisson is not defined for {dtype}")
    values = decode(rates, dtype)
    if not (values >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    with generator.one_by_one() as draw:
        counts = [
            _poisson_large(rate, draw) if rate >= 10 else _poisson_small(rate, draw)
            for rate in values.reshape(-1).tolist()
        ]
    return narrow(np.array(counts, np.int64), dtype).reshape(rates.shape)


def _poisson_small(rate, draw):
    if rate == 0:
        return 0
    limit = math.exp(-rate)
    count, product = 0, draw()
    while product > limit:
        count += 1
        product *= draw()
    return count


def _poisson_large(rate, draw):
    log_rate = math.log(rate)
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    log_inverse_alpha = math.log(1.1239 + 1.1328 / (b - 3.4))
    accept = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = draw() - 0.5, draw()
        us = 0.5 - abs(u)
        # us is 0 for one draw in 2**53, and C++ then goes on with an infinite or undefined k.
        k = math.floor((2 * a / us + b) * u + rate + 0.43) if us else -1
        if us >= 0.07 and v <= accept:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = _log(v) + log_inverse_alpha - math.log(a / (us * us) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1):
            return k


def _log(x):
    return math.log(x) if x else -math.inf


def gamma(generator, alpha, dtype):
    """A standard gamma number for each shape parameter of `alpha`, as `torch._standard_gamma`.

    `alpha` is stored as `dtype`, float32 or float64. By Marsaglia and Tsang's rejection from a
    normal number (2000); never less than the dtype's smallest normal number.
    """
    _need_single_or_double("gamma", dtype)
    samples = narrow(_gammas(generator, alpha, dtype), dtype)
    return np.fmax(samples, np.finfo(dtype.numpy).smallest_normal).reshape(alpha.shape)


def dirichlet(generator, alpha, dtype):
    """Probabilities by Dirichlet's distribution of each row of `alpha`, as `_sample_dirichlet`.

    Gamma numbers in float64, divided by their sum over the last dim.
    """
    _need_single_or_double("dirichlet", dtype)
    tiny = np.finfo(np.float64).smallest_normal
    samples = np.fmax(_gammas(generator, alpha.astype(np.float64), float64), tiny)
    samples = samples.reshape(alpha.shape)
    samples = (samples / samples.sum(axis=-1, keepdims=True)).astype(dtype.numpy)
    below_one = np.nextafter(dtype.numpy.type(1), dtype.numpy.type(0))
    return np.clip(samples, np.finfo(dtype.numpy).smallest_normal, below_one)


def _need_single_or_double(name, dtype):
    if dtype not in (float32, float64):
        raise NotImplementedError(f"{name} is not defined for {dtype}")


def _gammas(generator, alpha, dtype):
    """Standard gamma numbers in float64, a vector."""
    # What the kernel computes in the dtype of alpha: 1 / alpha, alpha + 1 and d.
    alpha = alpha.reshape(-1)
    boosted = np.where(alpha < 1, alpha + dtype.numpy.type(1), alpha)
    d = boosted - dtype.numpy.type(ONE_THIRD)
    with np.errstate(divide="ignore"):
        inverse = dtype.numpy.type(1) / alpha
    normals = generator.next_normal
    with generator.one_by_one() as draw:
        sampler = _Gamma(draw, normals)
        parameters = zip(alpha.tolist(), inverse.tolist(), d.tolist(), strict=True)
        samples = np.array([sampler.sample(*p) for p in parameters], np.float64)
    generator.next_normal = sampler.kept
    return samples


class _Gamma:
    """One gamma number after the other from a function that draws uniform doubles."""

    def __init__(self, draw, kept):
        self.draw, self.kept = draw, kept

    def normal(self):
        if self.kept is not None:
            value, self.kept = self.kept, None
            return value
        u1, u2 = self.draw(), self.draw()
        radius, theta = math.sqrt(-2 * math.log1p(-u2)), 2 * math.pi * u1
        self.kept = radius * math.sin(theta)
        return radius * math.cos(theta)

    def sample(self, alpha, inverse, d):
        scale = 1.0
        if alpha < 1:
            if alpha == 0:
                return 0.0
            # A negative alpha has no distribution; the kernel goes on with d < 0 and gives NaN.
            scale = (1 - self.draw()) ** inverse
        c = 1 / math.sqrt(9 * d) if d > 0 else math.nan
        while True:
            x = self.normal()
            y = 1 + c * x
            if y <= 0:
                continue
            v = y * y * y
            u = 1 - self.draw()
            xx = x * x
            if u < 1 - SQUEEZE * xx * xx:
                return scale * d * v
            if math.log(u) < 0.5 * xx + d * (1 - v + math.log(v)):
                return scale * d * v


def binomial(generator, count, prob, dtype):
    """Successes among `count` trials of probability `prob`, elementwise, as `torch.binomial`.

    `count` and `prob` are arrays of one shape, stored as `dtype`, float32 or float64. Few expected
    successes by the gaps between them, many by Hoermann's transformed rejection ("BTRS", 1993).
    """
    _need_single_or_double("binomial", dtype)
    one, shape = dtype.numpy.type(1), count.shape
    count, prob = count.reshape(-1), prob.reshape(-1)
    # Rare failures are counted instead of frequent successes.
    mirror = prob > 0.5
    rare = np.where(mirror, one - prob, prob)
    # Computed in the dtype of the parameters, as in the kernel.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = count * rare
        spread = np.sqrt(np.maximum(mean * (one - rare), 0))
        odds = rare / (one - rare)
        mode = np.floor((count + one) * rare)
        log_failure = np.log1p(-rare.astype(np.float64)).astype(dtype.numpy)
    results = []
    columns = (count, prob, rare, mirror, mean, spread, odds, mode, log_failure)
    columns = [column.tolist() for column in columns]
    with generator.one_by_one() as draw:
        for n, given, p, mirrored, *rest in zip(*columns, strict=True):
            if n <= 0 or given <= 0:
                results.append(0.0)
            elif given >= 1:
                results.append(n)
            elif given != given:
                results.append(math.nan)
            else:
                k = _binomial(n, p, *rest, draw)
                results.append(n - k if mirrored else k)
    return narrow(np.array(results, np.float64), dtype).reshape(shape)


def _binomial(n, p, mean, spread, odds, mode, log_failure, draw):
    if mean >= 10:
        return _binomial_large(n, p, mean, spread, odds, mode, draw)
    successes = trials = 0
    while True:
        u = draw()
        if not u:
            return successes
        trials += math.ceil(math.log(u) / log_failure)
        if trials > n:
            return successes
        successes += 1


def _binomial_large(n, p, mean, spread, odds, mode, draw):
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    center = mean + 0.5
    accept = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    while True:
        u, v = draw() - 0.5, draw()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + center) if us else -1
        if not 0 <= k <= n:
            continue
        if us >= 0.07 and v <= accept:
            return k
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1)))
            + (n + 1) * math.log((n - mode + 1) / (n - k + 1))
            + (k + 0.5) * math.log(odds * (n - k + 1) / (k + 1))
            + _stirling(mode)
            + _stirling(n - mode)
            - _stirling(k)
            - _stirling(n - k)
        )
        if _log(v * alpha / (a / (us * us) + b)) <= bound:
            return k


_STIRLING = [
    *(0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.02079067210376509),
    *(0.0166446911898211, 0.0138761288230707, 0.0118967099458917, 0.0104112652619720),
    *(0.00925546218271273, 0.00833056343336287),
]


def _stirling(k):
    """log k! less Stirling's approximation of it."""
    if k <= 9:
        return _STIRLING[int(k)]
    square = (k + 1) * (k + 1)
    return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / (k + 1)
