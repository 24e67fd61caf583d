"""Pseudoinverses, ranks and condition numbers."""

import math

import numpy as np
import pytest

import flambeau
from flambeau.autograd import gradcheck, gradgradcheck

linalg = flambeau.linalg
KINDS = pytest.mark.parametrize("kind", [flambeau.float64, flambeau.complex128])


@KINDS
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4), (0, 3, 2), (3, 0)])
def test_derivatives(kind, shape):
    """Of matrices that are tall, wide or empty."""
    flambeau.manual_seed(2)
    a = flambeau.randn(*shape, dtype=kind) + 3 * flambeau.eye(*shape[-2:], dtype=kind)
    a.requires_grad_()
    assert gradcheck(linalg.pinv, (a,))
    assert gradgradcheck(linalg.pinv, (a,))


@KINDS
def test_derivatives_where_the_rank_stays(kind):
    """Along matrices of rank 2, and of hermitian ones."""
    flambeau.manual_seed(2)
    a, b = (flambeau.randn(n, 2, dtype=kind) + 3 * flambeau.eye(n, 2, dtype=kind) for n in (3, 3))
    a.requires_grad_()
    b.requires_grad_()

    def of_product(a, b):
        return linalg.pinv(a @ b.mT, rtol=1e-6)

    def of_hermitian(a):
        return linalg.pinv(a @ a.mH, rtol=1e-6, hermitian=True)

    assert gradcheck(of_product, (a, b))
    assert gradgradcheck(of_product, (a, b))
    assert gradcheck(of_hermitian, (a,))
    assert gradgradcheck(of_hermitian, (a,))


@KINDS
@pytest.mark.parametrize("p", [None, 2, -2, "fro", "nuc", 1, math.inf])
def test_derivatives_of_the_condition(kind, p):
    """By singular values, and by the inverse."""
    flambeau.manual_seed(2)
    a = flambeau.randn(3, 3, dtype=kind).requires_grad_()
    assert gradcheck(lambda a: linalg.cond(a, p), (a,))


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
@pytest.mark.parametrize(
    "how",
    [
        *("rtol=T.tensor([2.0, 0.1])", "atol=T.tensor([0.0, 9.0])", "atol=0.0", "atol=0.3"),
        *("hermitian=True", "rtol=0.1, atol=T.tensor(0.1)", "rtol=T.tensor([2, 0])"),
    ],
)
def test_tolerances(torch, how):
    """Numbers or tensors, whose dims broadcast with the batch."""
    values = np.array([[1.0, 0.2, 0.0], [0.2, 0.05, 0.0], [0.0, 0.0, 2.0]], np.float32)
    for name in ("pinv", "matrix_rank"):
        code = f"T.linalg.{name}(T.from_numpy(a), {how})"
        theirs, ours = (eval(code, {"T": t, "a": values}) for t in (torch, flambeau))
        assert str(ours.dtype) == str(theirs.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), 1e-3, 1e-3)


def test_only_the_lower_triangle_of_hermitian_ones():
    """The upper one is not read."""
    a = flambeau.tensor([[2.0, 7.0], [0.0, 4.0]])
    assert linalg.pinv(a, hermitian=True).tolist() == [[0.5, 0.0], [0.0, 0.25]]
    assert linalg.matrix_rank(a, 3.0, True).item() == 1


def test_condition_of_singular_matrices(torch):
    """inf by inverses, what the quotient is by singular values."""
    for values in (np.zeros((2, 2)), np.ones((2, 2)), np.array([[math.nan, 1.0], [0.0, 1.0]])):
        for p in ("fro", 1, -1, math.inf):
            ours, theirs = (t.linalg.cond(t.tensor(values), p) for t in (flambeau, torch))
            assert ours.item() == theirs.item()
    assert math.isnan(linalg.cond(flambeau.zeros(2, 2), "nuc").item())


@pytest.mark.parametrize("f", [linalg.pinv, linalg.matrix_rank])
def test_elements_that_are_not_finite(f):
    """They have no singular values."""
    with pytest.raises(linalg.LinAlgError, match="non-finite"):
        f(flambeau.full((2, 2), math.nan)).tolist()


def test_out():
    """Results are cast to what they are written into."""
    a = flambeau.eye(2)
    for kind in (flambeau.float32, flambeau.float64, flambeau.complex64):
        for f in (linalg.pinv, linalg.cond, linalg.matrix_rank):
            out = flambeau.empty(0, dtype=kind)
            assert f(a, out=out) is out
            assert out.reshape(-1)[0].item() == (2 if f is linalg.matrix_rank else 1)
    with pytest.raises(RuntimeError):
        linalg.pinv(a, out=flambeau.empty(0, dtype=flambeau.int32))


ERRORS = [
    "T.linalg.pinv(T.ones(3))",
    "T.linalg.pinv(T.ones(3, 3).long())",
    "T.linalg.pinv(T.ones(2, 3), hermitian=True)",
    "T.linalg.pinv(T.ones(2, 2), rtol=T.tensor(1j))",
    "T.linalg.pinv(T.ones(2, 2), T.tensor(1j))",
    "T.linalg.pinv(T.ones(2, 2), atol=0.1, rcond=0.1)",
    "T.linalg.matrix_rank(T.ones(3))",
    "T.linalg.matrix_rank(T.ones(3, 3).half())",
    "T.linalg.matrix_rank(T.ones(2, 3), hermitian=True)",
    "T.linalg.matrix_rank(T.ones(2, 2), atol=T.tensor(1j))",
    "T.linalg.matrix_rank(T.ones(2, 2), 0.1, atol=0.2)",
    "T.linalg.cond(T.ones(3))",
    "T.linalg.cond(T.ones(2, 3), 1)",
    "T.linalg.cond(T.ones(2, 2), 7)",
    "T.linalg.cond(T.ones(2, 2), 'x')",
    "T.linalg.cond(1)",
]


@pytest.mark.parametrize("code", ERRORS)
def test_errors(torch, code):
    """What PyTorch refuses is refused, with the same class."""
    with pytest.raises(Exception) as theirs:
        eval(code, {"T": torch})
    with pytest.raises(type(theirs.value)):
        eval(code, {"T": flambeau})
