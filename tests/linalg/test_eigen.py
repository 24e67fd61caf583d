"""Eigenvalues and eigenvectors."""

import numpy as np
import pytest

import flambeau

SHAPES = ((3, 3), (2, 2, 2), (0, 3, 3), (0, 0))


@pytest.mark.parametrize("uplo", ["L", "U", "l"])
@pytest.mark.parametrize("shape", SHAPES)
def test_hermitian(matrices, kind, shape, uplo):
    a = matrices.array(*shape, kind=kind)
    matrices.agree(lambda t, x: t.linalg.eigvalsh(x, uplo), a)
    matrices.agree(lambda t, x: t.linalg.eigh(x, uplo).eigenvalues, a)
    values, vectors = flambeau.linalg.eigh(flambeau.tensor(a), uplo)
    below = np.tril(a, -1) if uplo in "Ll" else np.triu(a, 1)
    whole = below + below.conj().swapaxes(-1, -2) + np.eye(shape[-1]) * a.real
    again = vectors * values.unsqueeze(-2) @ vectors.mH
    np.testing.assert_allclose(again.numpy(), whole, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_general(matrices, kind, shape):
    a = matrices.array(*shape, kind=kind)
    x = flambeau.tensor(a)
    values, vectors = flambeau.linalg.eig(x)
    assert values.dtype == vectors.dtype == flambeau.linalg.eigvals(x).dtype
    assert values.is_complex()
    np.testing.assert_allclose(
        (vectors * values.unsqueeze(-2)).numpy(), a @ vectors.numpy(), atol=1e-4
    )
    matrices.agree(lambda t, x: t.linalg.eigvals(x).sum(-1), a)
    matrices.agree(lambda t, x: t.linalg.eig(x).eigenvalues.abs().sort(-1)[0], a)


def test_gradients(matrices, wide):
    a = matrices.array(3, 3, kind=wide)
    matrices.differentiable(lambda t, x: [v.abs() for v in t.linalg.eigh(x + x.mH)], a)
    matrices.differentiable(lambda t, x: t.linalg.eigvalsh(x + x.mH), a)
    matrices.differentiable(lambda t, x: t.linalg.eigvals(x), a)
    matrices.differentiable(lambda t, x: [v.abs() for v in t.linalg.eig(x)], a)
    matrices.same_gradients(lambda t, x: t.linalg.eigh(x)[1].abs() ** 2 * t.arange(3), a)
    matrices.same_gradients(lambda t, x: t.linalg.eig(x)[1].abs() ** 2 * t.arange(3), a)


def test_gradient_of_equal_values():
    x = flambeau.eye(3, requires_grad=True)
    (flambeau.linalg.eigh(x).eigenvalues.sum() + flambeau.linalg.eigvalsh(x).sum()).backward()
    assert flambeau.allclose(x.grad, 2 * flambeau.eye(3))


@pytest.mark.parametrize("name", ["eig", "eigh"])
def test_losses_that_change_with_phases(matrices, name):
    x = flambeau.tensor(matrices.array(3, 3, kind="complex128")).requires_grad_()
    loss = getattr(flambeau.linalg, name)(x).eigenvectors.sum().abs()
    with pytest.raises(RuntimeError, match="ill-defined"):
        flambeau.autograd.grad(loss, x)[0].tolist()


def test_what_is_not_finite():
    x = flambeau.full((2, 2), float("nan"))
    assert flambeau.linalg.eigvalsh(x).isnan().all()
    with pytest.raises(RuntimeError, match="should not contain infs or NaNs"):
        flambeau.linalg.eigvals(x).tolist()


def test_errors(matrices):
    a = matrices.array(2, 3)
    for name in ("eig", "eigh", "eigvals"):
        matrices.same_errors(lambda t, x, n=name: getattr(t.linalg, n)(x), a[0])
    matrices.same_errors(lambda t, x: t.linalg.eigh(x), a)
    matrices.same_errors(lambda t, x: t.linalg.eig(x), a)
    matrices.same_errors(lambda t, x: t.linalg.eigvalsh(x, "x"), a[:, :2])


def test_out():
    out = flambeau.empty(0)
    assert flambeau.linalg.eigvalsh(flambeau.eye(2), out=out) is out
    assert out.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match="cast"):
        flambeau.linalg.eigvals(flambeau.eye(2), out=flambeau.empty(0))
