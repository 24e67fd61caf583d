"""The NumPy implementations of special functions against PyTorch in float64, and at the edges."""

import math

import numpy as np
import pytest

import flambeau
from flambeau.ops import reference

X = np.concatenate([np.linspace(-6, 26, 2001), np.geomspace(1e-300, 1, 200)])


@pytest.mark.parametrize("name", ["erf", "erfc", "erfcx", "i0", "i0e", "i1", "i1e"])
def test_accuracy(torch, name):
    """Nearly all digits of float64."""
    theirs = getattr(torch.special, name)(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(getattr(reference, name)(X), theirs, rtol=3e-13)


@pytest.mark.parametrize("name", ["erfinv", "lgamma", "digamma"])
def test_composites(torch, name):
    """Those that are written with other operations, negative numbers and poles among the points."""
    x = np.linspace(-0.999, 0.999, 801) if name == "erfinv" else np.linspace(-9.37, 40, 2001)
    x = np.concatenate([x, [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan]])
    ours = getattr(flambeau, name)(flambeau.from_numpy(x)).numpy()
    theirs = getattr(torch, name)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_normal_tails(torch):
    """The inverse of the normal distribution function and its logarithm, far out."""
    p = np.geomspace(1e-300, 0.5, 200)
    ours = flambeau.special.ndtri(flambeau.from_numpy(p)).numpy()
    np.testing.assert_allclose(ours, torch.special.ndtri(torch.from_numpy(p)).numpy(), rtol=1e-11)
    x = np.linspace(-40, 10, 501)
    ours = flambeau.special.log_ndtr(flambeau.from_numpy(x)).numpy()
    np.testing.assert_allclose(ours, torch.special.log_ndtr(torch.from_numpy(x)).numpy(), rtol=1e-9)


def test_incomplete_gamma(torch):
    """Both halves, for small and large arguments and at the ends."""
    a, x = np.meshgrid(np.geomspace(1e-3, 1e3, 30), np.geomspace(1e-3, 1e3, 40))
    for ours, name in ((reference.gammainc, "gammainc"), (reference.gammaincc, "gammaincc")):
        theirs = getattr(torch.special, name)(torch.from_numpy(a), torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(ours(a, x), theirs, rtol=1e-8, atol=1e-12)
    ends = np.array([0.0, math.inf])
    assert reference.gammainc(np.ones(2), ends).tolist() == [0, 1]
    assert reference.gammaincc(np.ones(2), ends).tolist() == [1, 0]


def test_zeta(torch):
    """Positive and negative arguments, and poles."""
    s = np.array([2.0, 3.0, 5.5, 1.0, 2.0, 0.5])
    q = np.array([0.3, -1.5, 7.0, 2.0, -2.0, 1.0])
    theirs = torch.special.zeta(torch.from_numpy(s), torch.from_numpy(q)).numpy()
    np.testing.assert_allclose(reference.zeta(s, q), theirs, rtol=1e-12)
