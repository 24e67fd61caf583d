"""Slopes of gamma and beta numbers against differences of their distribution functions."""

import numpy as np
import pytest

from flambeau.pathwise import beta_slope, gamma_slope

special = pytest.importorskip("scipy.special", reason="SciPy, the reference, is not installed")

SHARES = np.array([1e-4, 0.01, 0.3, 0.5, 0.8, 0.99])


def quotient(inverse, a):
    """The derivative of a quantile by its parameter: a difference of the fourth order."""
    h = 1e-3 * a
    ends = (inverse(a - 2 * h), inverse(a - h), inverse(a + h), inverse(a + 2 * h))
    return (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * h)


@pytest.mark.parametrize("alpha", [0.2, 0.7, 1.0, 3.0, 30.0, 1000.0])
def test_gamma(alpha):
    x = special.gammaincinv(alpha, SHARES)
    a = np.full_like(x, alpha)
    expected = quotient(lambda a: special.gammaincinv(a, SHARES), alpha)
    np.testing.assert_allclose(gamma_slope(a, special.psi(a), x), expected, rtol=1e-5)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.0, 50.0])
@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0, 50.0])
def test_beta(alpha, beta):
    x = special.betaincinv(alpha, beta, SHARES)
    x = x[(x > 1e-12) & (x < 1 - 1e-6)]
    shares = special.betainc(alpha, beta, x)
    a, b = np.full_like(x, alpha), np.full_like(x, beta)
    expected = quotient(lambda a: special.betaincinv(a, beta, shares), alpha)
    found = beta_slope(a, b, special.psi(a) - special.psi(a + b), x)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_more_elements_than_are_taken_at_a_time():
    a = np.full((3, 5000), 2.0)
    slopes = gamma_slope(a, np.full_like(a, 0.42278433509846713), np.full_like(a, 1.5))
    assert slopes.shape == a.shape
    assert (slopes == slopes[0, 0]).all()
