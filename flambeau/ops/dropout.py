"""Dropout, whose mask each use computes anew from a number."""

import numpy as np

from .. import dtypes
from ..recorder.record import record
from . import elementwise as ew
from .api import function
from .core import Elementwise, composite
from .creation import arange
from .random import _generator

__all__ = ["draw_seed", "dropout", "hash_uniform"]


def _hash(counter, seed):
    x = counter.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + seed.astype(np.uint64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


class _HashUniform(Elementwise):
    """A number of [0, 1) for each (counter, seed), both int64: float32, a multiple of 2**-24.

    It is splitmix64 started at `seed` and `counter` steps on. All arithmetic is on 64-bit words
    modulo 2**64, shifts are logical:

        x = counter * 0x9E3779B97F4A7C15 + seed
        x ^= x >> 30;  x *= 0xBF58476D1CE4E5B9
        x ^= x >> 27;  x *= 0x94D049BB133111EB
        x ^= x >> 31
        result = float32(x >> 40) * 2**-24        (exact)
    """

    differentiable = False

    def dtypes_for(self, operands):
        """Of int64 to float32, whatever the operands are."""
        return dtypes.int64, dtypes.float32


hash_uniform = _HashUniform("hash_uniform", _hash)


hash_uniform.differentiable = False


@composite(name="dropout")
def _dropout(x, p, scale, seed):
    """x * scale where the hash of (index, seed) is at least p, 0 elsewhere."""
    index = arange(x._meta.numel).reshape(x._meta.shape)
    return ew.where(ew.ge(hash_uniform(index, seed), p), x * scale, 0)


@_dropout.vjp
def _(g, out, x, p, scale, seed):
    return _dropout(g, p, scale, seed), None, None, None


def draw_seed(generator=None):
    """A seed of 64 bits for `hash_uniform`, as an int that int64 holds."""
    high, low = _generator(generator).words(2).tolist()
    return (high << 32 | low) - (1 << 63)


@function(out=False, methods=False)
def dropout(input, p=0.5, train=True):
    """Zeros in place of elements, each with probability p; the others times 1 / (1 - p).

    The input itself unless `train`. The mask is new at each call and follows the default
    generator's seed, but it is not that of PyTorch. Raises RuntimeError for p outside of [0, 1].
    """
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not train or p == 0 or not input._meta.numel:
        return input
    if p == 1:
        return input * 0
    p = float(p)
    return record(_dropout, (input, p, 1 / (1 - p), draw_seed()))
