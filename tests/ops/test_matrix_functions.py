"""Powers and exponentials of matrices."""

import math

import numpy as np
import pytest

import flambeau
from flambeau.autograd import gradcheck, gradgradcheck

linalg = flambeau.linalg
KINDS = pytest.mark.parametrize("kind", [flambeau.float64, flambeau.complex128])


@KINDS
@pytest.mark.parametrize("shape", [(3, 3), (2, 2, 2), (0, 2, 2), (0, 0)])
def test_derivatives_of_the_exponential(kind, shape):
    """First and second ones."""
    flambeau.manual_seed(1)
    a = flambeau.randn(*shape, dtype=kind).requires_grad_()
    assert gradcheck(flambeau.matrix_exp, (a,))
    assert gradgradcheck(flambeau.matrix_exp, (a,))


@KINDS
@pytest.mark.parametrize("n", [0, 1, 2, 3, -1, -2])
def test_derivatives_of_powers(kind, n):
    """Negative ones and that of 0 among them."""
    flambeau.manual_seed(1)
    a = flambeau.randn(2, 3, 3, dtype=kind) + 2 * flambeau.eye(3, dtype=kind)
    a.requires_grad_()
    assert gradcheck(lambda a: linalg.matrix_power(a, n), (a,))
    if n not in (0, 1):  # of which the first derivative is constant
        assert gradgradcheck(lambda a: linalg.matrix_power(a, n), (a,))


@pytest.mark.parametrize("size", [1e-9, 0.1, 1.0, 5.0, 30.0])
def test_exponentials_of_any_norm(torch, size):
    """From what is nearly the identity to what has to be squared often."""
    a = np.random.default_rng(0).normal(size=(3, 5, 5)) * size
    theirs = torch.linalg.matrix_exp(torch.from_numpy(a)).numpy()
    np.testing.assert_allclose(
        linalg.matrix_exp(flambeau.from_numpy(a)).numpy(), theirs, 1e-9, abs(theirs).max() * 1e-12
    )


def test_exponentials_that_are_not_finite():
    """NaN, and no harm to the others."""
    a = flambeau.zeros(2, 2, 2)
    a[0, 0, 0] = math.inf
    made = linalg.matrix_exp(a)
    assert made[0].isnan().all()
    assert made[1].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_powers_of_whole_numbers(torch):
    """Whole numbers and bools have powers, but no inverse."""
    for kind, n in (("int64", 5), ("int32", 0), ("bool", 0), ("int64", 1)):
        results = [
            t.linalg.matrix_power(t.ones(2, 2, dtype=getattr(t, kind)), n)
            for t in (flambeau, torch)
        ]
        assert results[0].tolist() == results[1].tolist()
        assert str(results[0].dtype) == str(results[1].dtype)


def test_out():
    """Powers are written into tensors of the same dtype."""
    out = flambeau.empty(0)
    assert linalg.matrix_power(flambeau.eye(2), 2, out=out) is out
    with pytest.raises(RuntimeError, match="dtype"):
        flambeau.matrix_power(flambeau.eye(2), 2, out=flambeau.empty(0, dtype=flambeau.float64))


ERRORS = [
    "T.matrix_exp(T.ones(3))",
    "T.matrix_exp(T.ones(2, 3))",
    "T.matrix_exp(T.ones(2, 2).long())",
    "T.matrix_power(T.ones(3), 2)",
    "T.matrix_power(T.ones(2, 3), 2)",
    "T.matrix_power(T.ones(2, 2).long(), -1)",
    "T.matrix_power(T.ones(2, 2), 2.5)",
    "T.matrix_exp(T.ones(2, 2), out=T.ones(2, 2))",
]


@pytest.mark.parametrize("code", ERRORS)
def test_errors(torch, code):
    """What PyTorch refuses is refused, with the same class."""
    with pytest.raises(Exception) as theirs:
        eval(code, {"T": torch})
    with pytest.raises(type(theirs.value)):
        eval(code, {"T": flambeau})
