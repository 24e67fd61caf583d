"""Methods that fill a tensor with random numbers."""

import numpy as np

from .. import gaussian, sampling
from ..recorder import inplace
from ..recorder.handle import Tensor
from .api import METHODS
from .from_data import from_array
from .random import _draw_in_memory_order, _generator, _memory_order, _probabilities

__all__ = [
    "bernoulli_",
    "cauchy_",
    "exponential_",
    "geometric_",
    "log_normal_",
    "normal_",
    "random_",
    "uniform_",
]


def _fill(self, name, draw):
    inplace.check_writable(self, name)
    meta = self._meta
    values = _draw_in_memory_order(draw, meta)
    inplace.write(self, from_array(values, meta.dtype))
    return self


def _method(f):
    METHODS[f.__name__] = f
    return f


def _from_to(name, low, high, named):
    """The bounds of a method whose parameters PyTorch calls `from` and `to`."""
    low, high = named.pop("from", low), named.pop("to", high)
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument {min(named)!r}")
    return low, high


@_method
def uniform_(self, low=0, high=1, *, generator=None, **named):
    """Fill it with uniform random numbers of [low, high), which are also called `from` and `to`."""
    low, high = _from_to("uniform_", low, high, named)
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "uniform_", lambda s: sampling.uniform(g, s, dtype, float(low), float(high)))


@_method
def normal_(self, mean=0, std=1, *, generator=None):
    """Fill it with normal random numbers."""
    g, meta = _generator(generator), self._meta

    def draw(shape):
        return gaussian.normal(g, shape, meta.dtype, float(mean), float(std), meta.contiguous)

    return _fill(self, "normal_", draw)


@_method
def random_(self, low=None, high=None, *, generator=None, **named):
    """Fill it with integers: of [0, low), of [low, high), or of all that its dtype holds exactly.

    The bounds are also called `from` and `to`.
    """
    if low is not None and high is None and not named:
        low, high = 0, low  # random_(to)
    low, high = _from_to("random_", low, high, named)
    low = 0 if low is None and high is not None else low
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "random_", lambda shape: sampling.random(g, shape, dtype, low, high))


@_method
def bernoulli_(self, p=0.5, *, generator=None):
    """Fill it with ones of probability p, a number or a tensor that broadcasts, and zeros."""
    g, meta = _generator(generator), self._meta
    if not isinstance(p, Tensor):
        return _fill(self, "bernoulli_", lambda shape: sampling.bernoulli(g, p, shape, meta.dtype))
    chances, p_dtype = _probabilities(p, meta.shape, "bernoulli_")
    chances = chances.transpose(_memory_order(meta)) if not meta.contiguous else chances
    return _fill(
        self,
        "bernoulli_",
        lambda shape: sampling.bernoulli(g, np.array(chances), shape, meta.dtype, p_dtype),
    )


@_method
def exponential_(self, lambd=1, *, generator=None):
    """Fill it with exponential random numbers of rate `lambd`."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "exponential_", lambda s: sampling.exponential(g, s, dtype, float(lambd)))


@_method
def geometric_(self, p, *, generator=None):
    """Fill it with the numbers of trials until the first success of probability p."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(self, "geometric_", lambda shape: sampling.geometric(g, shape, dtype, float(p)))


@_method
def cauchy_(self, median=0, sigma=1, *, generator=None):
    """Fill it with Cauchy random numbers."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(
        self, "cauchy_", lambda s: sampling.cauchy(g, s, dtype, float(median), float(sigma))
    )


@_method
def log_normal_(self, mean=1, std=2, *, generator=None):
    """Fill it with exp of normal random numbers."""
    g, dtype = _generator(generator), self._meta.dtype
    return _fill(
        self, "log_normal_", lambda s: gaussian.log_normal(g, s, dtype, float(mean), float(std))
    )
