"""Determinants and their derivatives, those of singular matrices above all."""

import math

import numpy as np
import pytest

import flambeau
from flambeau.autograd import gradcheck, gradgradcheck

linalg = flambeau.linalg
KINDS = pytest.mark.parametrize("kind", [flambeau.float64, flambeau.complex128])


def of_rank(rank, n, kind):
    """A matrix of a rank."""
    flambeau.manual_seed(5)
    parts = [flambeau.randn(n, max(rank, 1), dtype=kind) for _ in range(2)]
    made = parts[0] @ parts[1].mT if rank else flambeau.zeros(n, n, dtype=kind)
    return made.detach().requires_grad_()


@KINDS
@pytest.mark.parametrize("rank", range(5))
def test_derivatives_of_det_at_any_rank(kind, rank):
    """The determinant is a polynomial: its derivatives exist everywhere."""
    a = of_rank(rank, 4, kind)
    assert gradcheck(linalg.det, (a,))
    assert gradgradcheck(linalg.det, (a,))


@KINDS
@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (0, 2, 2), (2, 3, 3)])
def test_derivatives_of_batches(kind, shape):
    """Empty ones among them."""
    flambeau.manual_seed(6)
    a = flambeau.randn(*shape, dtype=kind) + 2 * flambeau.eye(shape[-1], dtype=kind)
    a.requires_grad_()
    for f in (linalg.det, flambeau.logdet if kind.is_complex else abs_det):
        assert gradcheck(f, (a,))
        assert gradgradcheck(f, (a,))


def abs_det(a):
    """The logarithm of the size of the determinant."""
    return linalg.slogdet(a).logabsdet


@KINDS
def test_derivatives_of_the_sign(kind):
    """It turns with a complex matrix and is constant for a real one."""
    flambeau.manual_seed(6)
    a = flambeau.randn(2, 3, 3, dtype=kind).requires_grad_()

    def parts(a):
        return tuple(linalg.slogdet(a))

    assert gradcheck(parts, (a,))
    assert gradgradcheck(parts, (a,))


@KINDS
def test_third_derivative(kind):
    """Where there is an inverse."""
    a = of_rank(3, 3, kind)

    def slope(a):
        (g,) = flambeau.autograd.grad(linalg.det(a).abs() ** 2, a, create_graph=True)
        return g

    assert gradgradcheck(slope, (a,))


def test_second_derivative_of_a_zero_matrix():
    """Of a 2 x 2 determinant it is 1 and -1."""
    a = flambeau.zeros(2, 2, dtype=flambeau.float64)
    found = flambeau.autograd.functional.hessian(linalg.det, a).reshape(4, 4)
    expected = [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]]
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


def test_singular_values_of_slogdet_and_logdet():
    """0 and -inf; NaN for the logarithm of a negative determinant."""
    sign, size = linalg.slogdet(flambeau.zeros(2, 2))
    assert (sign.item(), size.item()) == (0.0, -math.inf)
    assert flambeau.logdet(flambeau.zeros(2, 2)).item() == -math.inf
    assert math.isnan(flambeau.logdet(-flambeau.eye(3)).item())
    assert flambeau.slogdet(flambeau.eye(2)).sign.item() == 1.0


def test_elements_that_are_not_finite():
    """They give NaN, in derivatives too, and leave the rest of the batch alone."""
    a = flambeau.eye(2).repeat(2, 1, 1)
    a[0, 0, 0] = math.nan
    a.requires_grad_()
    linalg.det(a).sum().backward()
    assert a.grad[0].isnan().all()
    assert a.grad[1].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_out():
    """Results are written into tensors of the same dtype."""
    out = flambeau.empty(0)
    assert linalg.det(flambeau.eye(2), out=out) is out
    parts = flambeau.empty(0), flambeau.empty(0)
    assert linalg.slogdet(flambeau.eye(2), out=parts).sign is parts[0]
    assert flambeau.slogdet(flambeau.eye(2), out=parts).logabsdet is parts[1]
    with pytest.raises(RuntimeError, match="dtype"):
        linalg.det(flambeau.eye(2), out=flambeau.empty(0, dtype=flambeau.float64))


@pytest.mark.parametrize("name", ["linalg.det", "linalg.slogdet", "logdet", "slogdet"])
@pytest.mark.parametrize(
    "arg", ["T.ones(3)", "T.ones(2, 3)", "T.ones(2, 2).long()", "T.ones(2, 2).half()", "3"]
)
def test_errors(torch, name, arg):
    """What PyTorch refuses is refused, with the same class."""
    code = f"T.{name}({arg})"
    with pytest.raises(Exception) as theirs:
        eval(code, {"T": torch})
    with pytest.raises(type(theirs.value)):
        eval(code, {"T": flambeau})
