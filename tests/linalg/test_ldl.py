"""Factors L D L^H of symmetric and hermitian matrices."""

import numpy as np
import pytest

import flambeau


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (0, 3, 3), (0, 0)])
def test_values(matrices, kind, shape, hermitian):
    a, b = matrices.array(*shape, kind=kind), matrices.array(*shape[:-1], 2, kind=kind)
    matrices.agree(lambda t, x: t.linalg.ldl_factor(x, hermitian=hermitian), a)
    matrices.agree(lambda t, x: t.linalg.ldl_factor_ex(x, hermitian=hermitian), a)

    def solve(t, x, y):
        return t.linalg.ldl_solve(
            *t.linalg.ldl_factor(x, hermitian=hermitian), y, hermitian=hermitian
        )

    matrices.agree(solve, a, b, tolerance=1e-2 if "32" in kind or kind == "complex64" else None)


def test_solution(matrices, wide):
    a = matrices.array(2, 1, 3, 3, kind=wide)
    b = matrices.array(4, 3, 2, kind=wide)
    for hermitian in (False, True):
        turned = a.swapaxes(-1, -2)
        whole = a + (turned.conj() if hermitian else turned)
        factors = flambeau.linalg.ldl_factor(flambeau.tensor(whole), hermitian=hermitian)
        x = flambeau.linalg.ldl_solve(*factors, flambeau.tensor(b), hermitian=hermitian)
        np.testing.assert_allclose(whole @ x.numpy(), np.broadcast_to(b, (2, 4, 3, 2)), atol=1e-9)


def test_singular(matrices):
    a = flambeau.zeros(2, 2)
    assert flambeau.linalg.ldl_factor_ex(a).info.tolist() == 1
    with pytest.raises(flambeau.linalg.LinAlgError, match=r"D\[1,1\] is zero"):
        flambeau.linalg.ldl_factor(a)


def test_errors(matrices):
    a, b = matrices.array(2, 2), matrices.array(3, 1)
    matrices.same_errors(lambda t, x: t.linalg.ldl_factor(x), b)
    for change in (
        lambda packed, pivots, b: (packed, pivots, b),
        lambda packed, pivots, b: (packed, pivots.double(), packed),
        lambda packed, pivots, b: (packed, pivots[:1], packed),
        lambda packed, pivots, b: (packed[:1], pivots, packed),
    ):
        matrices.same_errors(
            lambda t, x, y, c=change: t.linalg.ldl_solve(*c(*t.linalg.ldl_factor(x), y)), a, b
        )


def test_out():
    packed, pivots = flambeau.empty(0), flambeau.empty(0, dtype=flambeau.int32)
    made = flambeau.linalg.ldl_factor(flambeau.eye(2), out=(packed, pivots))
    assert made.LD is packed
    assert pivots.tolist() == [1, 2]
