"""Cholesky factors and what is solved with them."""

import numpy as np
import pytest

import flambeau

SHAPES = ((3, 3), (2, 3, 3), (0, 3, 3), (0, 0))


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_values(matrices, kind, shape, upper):
    a = matrices.positive(*shape, kind=kind)
    b = matrices.array(*shape[:-1], 2, kind=kind)
    matrices.agree(lambda t, x: t.linalg.cholesky(x, upper=upper), a)
    matrices.agree(lambda t, x: t.cholesky(x, upper), a)
    matrices.agree(lambda t, x: x.cholesky(upper), a)
    matrices.agree(lambda t, x: t.linalg.cholesky_ex(x, upper=upper), a)
    matrices.agree(lambda t, x: t.cholesky_inverse(x, upper=upper), a)
    matrices.agree(lambda t, x, y: t.cholesky_solve(y, x, upper=upper), a, b)


def test_one_triangle_is_read(matrices):
    a = matrices.positive(3, 3)
    for upper in (False, True):
        half = np.triu(a) if upper else np.tril(a)
        ours = flambeau.linalg.cholesky(flambeau.tensor(half), upper=upper)
        whole = flambeau.linalg.cholesky(flambeau.tensor(a), upper=upper)
        assert flambeau.equal(ours, whole)


@pytest.mark.parametrize("upper", [False, True])
def test_gradients(matrices, wide, upper):
    a, b = matrices.positive(3, 3, kind=wide), matrices.array(3, 2, kind=wide)
    matrices.differentiable(lambda t, x: t.linalg.cholesky(x + x.mH, upper=upper), a)
    matrices.differentiable(lambda t, x: t.cholesky_inverse(x, upper), a, twice=False)
    matrices.differentiable(lambda t, x, y: t.cholesky_solve(y, x, upper), a, b, twice=False)
    matrices.same_gradients(lambda t, x: t.linalg.cholesky(x, upper=upper), a)


INDEFINITE = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]]])


@pytest.mark.parametrize("a", [INDEFINITE, INDEFINITE[1], np.full((2, 2), np.nan)])
def test_indefinite(matrices, a):
    matrices.same_errors(lambda t, x: t.linalg.cholesky(x), a)
    matrices.same_errors(lambda t, x: t.linalg.cholesky_ex(x, check_errors=True), a)
    matrices.agree(lambda t, x: t.linalg.cholesky_ex(x).info, a)


def test_errors_come_at_the_call():
    a = flambeau.tensor(INDEFINITE[1])
    with pytest.raises(flambeau.linalg.LinAlgError):
        flambeau.linalg.cholesky(a)
    with pytest.raises(flambeau.linalg.LinAlgError, match="diagonal element 1 is zero"):
        flambeau.cholesky_inverse(flambeau.zeros(2, 2))
    assert flambeau.equal(flambeau.linalg.cholesky(a + 3 * flambeau.eye(2)).tril(), _plus_three())


def _plus_three():
    return flambeau.tensor(np.linalg.cholesky(INDEFINITE[1] + 3 * np.eye(2)))


@pytest.mark.parametrize("shape", [(2, 3), (2,)])
def test_shapes_are_checked(matrices, shape):
    a = matrices.array(*shape)
    matrices.same_errors(lambda t, x: t.linalg.cholesky(x), a)
    matrices.same_errors(lambda t, x: t.cholesky_inverse(x), a)
    matrices.same_errors(lambda t, x: t.linalg.cholesky(x.reshape(-1)[:1].long().reshape(1, 1)), a)


def test_out():
    out = flambeau.empty(0)
    a = flambeau.tensor([[4.0, 2.0], [2.0, 5.0]])
    assert flambeau.linalg.cholesky(a, out=out) is out
    assert out.tolist() == [[2.0, 0.0], [1.0, 2.0]]
    made = flambeau.linalg.cholesky_ex(a, out=(out, flambeau.empty(0, dtype=flambeau.int32)))
    assert made.L is out
    assert made.info.tolist() == 0
