"""Orthogonal polynomials against PyTorch and NumPy: degrees, edges, overflow, dtypes, numbers."""

import math

import numpy as np
import pytest

import flambeau

NAMES = [name for name in flambeau.special.__all__ if "_polynomial_" in name]
X = [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, math.inf, -math.inf, 1e-3, -0.999, 0.25, 1.5, -37.0]
NUMPY = {
    "chebyshev_polynomial_t": np.polynomial.chebyshev.chebval,
    "hermite_polynomial_h": np.polynomial.hermite.hermval,
    "hermite_polynomial_he": np.polynomial.hermite_e.hermeval,
    "laguerre_polynomial_l": np.polynomial.laguerre.lagval,
    "legendre_polynomial_p": np.polynomial.legendre.legval,
}


@pytest.mark.parametrize("name", NAMES)
def test_degrees(torch, name):
    """Small, large, negative and broken degrees; known values at the edges; overflow."""
    for kind, tolerance in (("float64", 1e-8), ("float32", 1e-3)):
        array = np.array(X, kind)
        for n in (-1, 0, 1, 2, 3, 5, 7.9, 10, 60, 300, math.nan):
            theirs = getattr(torch.special, name)(torch.from_numpy(array), n).numpy()
            made = getattr(flambeau.special, name)(flambeau.from_numpy(array), n).numpy()
            assert made.dtype == theirs.dtype
            np.testing.assert_allclose(made, theirs, tolerance, tolerance, err_msg=str(n))


@pytest.mark.parametrize("name", NUMPY)
def test_numpy(name):
    """The values of NumPy's series."""
    x = np.linspace(-1.5, 1.5, 31)
    for n in range(12):
        made = getattr(flambeau.special, name)(flambeau.from_numpy(x), n).numpy()
        np.testing.assert_allclose(made, NUMPY[name](x, [0] * n + [1]), rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_operands(torch, name):
    """Broadcasting, numbers on either side, whole numbers, refusals, `out`, no derivatives."""
    for lib in (flambeau, torch):
        f = getattr(lib.special, name)
        x, n = lib.tensor([[0.3], [1.7]]), lib.tensor([0.0, 2.0, 5.0])
        table = f(x, n)
        assert table.shape == (2, 3)
        for k in range(3):
            column = f(x, n[k].item())
            assert lib.allclose(column, table[:, k : k + 1])
        assert f(2, lib.tensor([3])).dtype is lib.float32
        assert lib.allclose(f(2.0, n), f(lib.tensor([2.0]), n))
        assert lib.allclose(f(lib.tensor([2]), lib.tensor([3.5])), f(lib.tensor([2.0]), 3))
        with pytest.raises(TypeError):
            f(2, 3)
        with pytest.raises(NotImplementedError):
            f(x.half(), 2)
        with pytest.raises(NotImplementedError):
            f(x.to(lib.complex64), 2)
        assert not f(x.requires_grad_(), n).requires_grad
        out = lib.empty(0)
        assert f(x.detach(), n, out=out) is out
        assert lib.equal(out, table)
