"""Random programs: compiled kernels against the NumPy interpreter, kernel by kernel."""

import random

import numpy as np
import pytest

import flambeau
from flambeau import config

UNARY = ("neg", "abs", "exp", "tanh", "sigmoid", "floor", "sign", "sqrt", "log1p", "square")
BINARY = ("add", "sub", "mul", "div", "maximum", "minimum", "lt", "ge", "eq")


def random_shape(rng):
    return tuple(rng.choice((1, 2, 3, 5, 8, 17)) for _ in range(rng.randint(1, 3)))


def as_float(x):
    return x if x.is_floating_point() else x.float()


def fitted(x, shape):
    """`x` reduced or repeated until it broadcasts with `shape`."""
    while x.ndim > len(shape):
        x = x.sum(0)
    for d in range(-x.ndim, 0):
        if x.shape[d] not in (1, shape[d]) and shape[d] != 1:
            x = as_float(x).mean(d, keepdim=True)
    return x


def grow(rng, values):
    """One more value, made of those that are there."""
    x = rng.choice(values)
    kind = rng.randrange(9)
    if kind == 0:
        return getattr(as_float(x), rng.choice(UNARY))()
    if kind in (1, 2):
        y = as_float(fitted(rng.choice(values), x.shape))
        return getattr(flambeau, rng.choice(BINARY))(as_float(x), y)
    if kind == 3:
        dim = rng.randrange(x.ndim)
        name = rng.choice(("sum", "mean", "amax", "amin", "var", "logsumexp"))
        return getattr(as_float(x), name)(dim, keepdim=rng.random() < 0.7)
    if kind == 4:
        return x.permute(rng.sample(range(x.ndim), x.ndim))
    if kind == 5:
        dim = rng.randrange(x.ndim)
        start = rng.randrange(x.shape[dim])
        return x.narrow(dim, start, rng.randint(1, x.shape[dim] - start))
    if kind == 6:
        return flambeau.cat([as_float(x), as_float(x) * 2], rng.randrange(x.ndim))
    if kind == 7:
        index = flambeau.tensor([rng.randrange(-x.shape[0], x.shape[0]) for _ in range(3)])
        return x[index]
    return x.reshape(-1) * 0.5 if x.is_floating_point() else x.flatten()


def random_program(seed):
    """The results of some random operations, as arrays."""
    rng = random.Random(seed)
    data = np.random.RandomState(seed)
    values = [flambeau.tensor(data.randn(*random_shape(rng)).astype(np.float32)) for _ in range(3)]
    for _ in range(rng.randint(1, 14)):
        value = grow(rng, values)
        if value.ndim and value.numel() < 5000:
            values.append(value)
    return [np.asarray(v.tolist()) for v in values[3:]]


@pytest.mark.parametrize("seed", range(150))
def test_random_program(compiled, monkeypatch, seed):
    found = random_program(seed)
    monkeypatch.setattr(config, "backend", "numpy")
    for a, b in zip(found, random_program(seed), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
