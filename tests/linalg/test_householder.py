"""Householder reflections and the older `qr`."""

import numpy as np
import pytest

import flambeau

SHAPES = (((3, 3), 3), ((2, 4, 3), 2), ((2, 4, 3), 3), ((0, 3, 2), 2), ((3, 0), 0), ((3, 2), 0))


@pytest.mark.parametrize(("shape", "count"), SHAPES)
def test_product(matrices, kind, shape, count):
    a = matrices.array(*shape, kind=kind)
    tau = matrices.array(*shape[:-2], count, kind=kind)
    matrices.agree(lambda t, x, y: t.linalg.householder_product(x, y), a, tau)
    matrices.agree(lambda t, x, y: t.orgqr(x, y), a, tau)
    matrices.agree(lambda t, x, y: x.orgqr(y), a, tau)


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("transpose", [False, True])
def test_ormqr(matrices, kind, left, transpose):
    a, tau = matrices.array(2, 4, 3, kind=kind), matrices.array(2, 3, kind=kind)
    other = matrices.array(*((2, 4, 2) if left else (2, 2, 4)), kind=kind)
    matrices.agree(lambda t, x, y, z: t.ormqr(x, y, z, left, transpose), a, tau, other)
    if kind in ("float64", "complex128"):
        a, tau, other = a[0, :, :1], tau[0, :1], other[0, :, :1] if left else other[0, :1]
        matrices.differentiable(lambda t, x, y, z: t.ormqr(x, y, z, left, transpose), a, tau, other)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 3), (2, 3, 4), (0, 3, 2), (3, 0)])
def test_geqrf_and_qr(matrices, kind, shape):
    a = matrices.array(*shape, kind=kind)
    matrices.agree(lambda t, x: t.geqrf(x), a)
    matrices.agree(lambda t, x: x.geqrf(), a)
    if a.size:
        matrices.agree(lambda t, x: t.qr(x), a)
        matrices.agree(lambda t, x: x.qr(some=False), a)


def test_gradients(matrices, wide):
    a, tau = matrices.array(3, 2, kind=wide), matrices.array(2, kind=wide)
    matrices.differentiable(lambda t, x, y: t.linalg.householder_product(x, y), a, tau)
    matrices.same_gradients(lambda t, x, y: t.linalg.householder_product(x, y), a, tau)
    zero = np.zeros_like(tau)
    matrices.same_gradients(lambda t, x, y: t.linalg.householder_product(x, y), a, zero)


def test_is_orthogonal(matrices, wide):
    x = flambeau.tensor(matrices.array(5, 3, kind=wide))
    q = flambeau.linalg.householder_product(*flambeau.geqrf(x))
    assert flambeau.allclose(q.mH @ q, flambeau.eye(3, dtype=q.dtype))
    assert flambeau.allclose(q @ flambeau.geqrf(x).a[:3].triu(), x)


def test_errors(matrices):
    ones = np.ones

    def product(t, x, y):
        return t.linalg.householder_product(x, y)

    def ormqr(t, x, y, z):
        return t.ormqr(x, y, z)

    for a, tau in (((2, 3), 2), ((3, 2), 3), ((3,), 3), ((2, 3, 2), 2)):
        matrices.same_errors(product, ones(a), ones(tau))
    matrices.same_errors(product, ones((2, 3, 2)), ones((3, 2)))
    for a, tau, other in (
        ((3, 2), 2, (2, 1)),
        ((3,), 2, (3, 1)),
        ((3, 2), 2, 3),
        ((3, 2), 1, (3, 1)),
        ((3, 2), (2, 2), (3, 1)),
    ):
        matrices.same_errors(ormqr, ones(a), ones(tau), ones(other))
    matrices.same_errors(lambda t, x: t.geqrf(x), ones(3))


def test_no_derivative_of_reflections():
    x = flambeau.ones(3, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="derivative for"):
        flambeau.geqrf(x).a.sum().backward()


def test_out():
    a, tau = flambeau.empty(0), flambeau.empty(0)
    assert flambeau.geqrf(flambeau.eye(2), out=(a, tau)).a is a
    out = flambeau.empty(0)
    assert flambeau.linalg.householder_product(a, tau, out=out) is out
    assert out.shape == (2, 2)
