"""Bessel and Airy functions against exact values, and PyTorch's at the edges and in dtypes."""

import math

import numpy as np
import pytest

import flambeau

# (function, x, value) from mpmath, to 17 digits.
EXACT = [
    ("bessel_j0", 1e-5, 0.999999999975),
    ("bessel_j0", 2.5, -0.048383776468198),
    ("bessel_j0", -7.9, 0.19436184484127833),
    ("bessel_j0", 8.1, 0.14751745404437758),
    ("bessel_j0", 300.5, -0.013949560021080597),
    ("bessel_j1", 2.5, 0.49709410246427405),
    ("bessel_j1", -7.9, -0.21917939992175114),
    ("bessel_j1", 30.0, -0.11875106261662294),
    ("bessel_y0", 0.01, -3.005455637083646),
    ("bessel_y0", 5.5, -0.339480592881911),
    ("bessel_y0", 30.0, -0.11729573168666403),
    ("bessel_y1", 0.01, -63.67859628206066),
    ("bessel_y1", 5.5, -0.023758238956389618),
    ("bessel_y1", 30.0, 0.08442557066174723),
    ("airy_ai", -30.0, -0.08796818845684216),
    ("airy_ai", -5.1, 0.30952599628731753),
    ("airy_ai", -4.9, 0.3745363547058388),
    ("airy_ai", -1.0, 0.5355608832923521),
    ("airy_ai", 2.0, 0.03492413042327438),
    ("airy_ai", 2.2, 0.02561040442177322),
    ("airy_ai", 8.0, 4.6922076160992316e-08),
]


def ours(name, x):
    """The values of a function, as an array."""
    return getattr(flambeau.special, name)(flambeau.from_numpy(x)).numpy()


NAMES = (
    *("airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0"),
    *("modified_bessel_i1", "modified_bessel_k0", "modified_bessel_k1"),
    *("scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "spherical_bessel_j0"),
)
EDGES = [0.0, -0.0, 1e-300, math.nan, math.inf, -math.inf, -1.0, -3.0, 750.0, -750.0, 1e3, 104.0]


def test_exact():
    """Values on both sides of where one approximation follows another."""
    for name, x, value in EXACT:
        made = ours(name, np.array([x]))[0]
        assert abs(made - value) < 3e-15 * max(1, abs(value)), (name, x, made)


@pytest.mark.parametrize("name", NAMES)
def test_reference(torch, name):
    """PyTorch's values, which are good to 6 digits for large arguments, and special ones."""
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(-12, 12, 200), 10 ** random.uniform(-6, 2, 100)])
    for kind, rtol, atol in (("float64", 1e-5, 1e-5), ("float32", 1e-4, 1e-4)):
        array = np.concatenate([x, EDGES])
        if kind == "float32":  # in which PyTorch overflows early
            array = array[~(np.abs(array) > 60) | np.isinf(array)].astype(kind)
        theirs = getattr(torch.special, name)(torch.from_numpy(array)).numpy()
        made = ours(name, array)
        assert made.dtype == theirs.dtype
        np.testing.assert_allclose(made, theirs, rtol, atol, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_equations(name):
    """What the functions of the orders 0 and 1 have to do with each other, to full precision."""
    x = np.linspace(0.3, 40, 400)
    if name.startswith("bessel_j") or name.startswith("bessel_y"):
        made = ours("bessel_j1", x) * ours("bessel_y0", x)
        made = made - ours("bessel_j0", x) * ours("bessel_y1", x)
        np.testing.assert_allclose(made, 2 / (math.pi * x), rtol=5e-14)
    elif "modified" in name:
        made = ours("modified_bessel_i0", x) * ours("modified_bessel_k1", x)
        made = made + ours("modified_bessel_i1", x) * ours("modified_bessel_k0", x)
        np.testing.assert_allclose(made, 1 / x, rtol=5e-14)
        for order in "01":
            scaled = ours("scaled_modified_bessel_k" + order, x)
            plain = ours("modified_bessel_k" + order, x)
            np.testing.assert_allclose(scaled, plain * np.exp(x), rtol=5e-14)
    elif name == "airy_ai":
        # y'' = x y, by differences, across both joints; 3 ai(0)^3 is known.
        assert abs(ours(name, np.zeros(1))[0] - 3 ** (-2 / 3) / math.gamma(2 / 3)) < 1e-15
        h, x = 2.0**-8, np.linspace(-9, 6, 301)
        y, up, down = ours(name, x), ours(name, x + h), ours(name, x - h)
        np.testing.assert_allclose((up - 2 * y + down) / h**2, x * y, rtol=0, atol=3e-4)
    else:
        np.testing.assert_allclose(ours(name, x), np.sin(x) / x, rtol=1e-15, atol=1e-17)


@pytest.mark.parametrize("name", NAMES)
def test_dtypes(torch, name):
    """Whole numbers give the default dtype; half and complex are refused; no derivatives."""
    for lib in (flambeau, torch):
        f = getattr(lib.special, name)
        assert f(lib.tensor([1, 2])).dtype is lib.float32
        assert f(lib.tensor([True])).dtype is lib.float32
        assert not f(lib.ones(2, requires_grad=True)).requires_grad
        for kind in (lib.float16, lib.bfloat16, lib.complex64):
            with pytest.raises(NotImplementedError):
                f(lib.ones(2, dtype=kind))
        out = lib.empty(0)
        assert f(lib.ones(2), out=out) is out
        assert out.shape == (2,)
