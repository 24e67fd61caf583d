"""Systems with triangular matrices."""

import numpy as np
import pytest

import flambeau

WAYS = [(u, s, o) for u in (False, True) for s in (False, True) for o in (False, True)]


def _system(matrices, kind, left):
    a = matrices.array(2, 1, 3, 3, kind=kind) + 4 * np.eye(3, dtype=kind)
    return a, matrices.array(*((4, 3, 2) if left else (4, 2, 3)), kind=kind)


@pytest.mark.parametrize(("upper", "left", "unit"), WAYS)
def test_values(matrices, kind, upper, left, unit):
    a, b = _system(matrices, kind, left)

    def solve(t, a, b):
        return t.linalg.solve_triangular(a, b, upper=upper, left=left, unitriangular=unit)

    matrices.agree(solve, a, b)
    matrices.agree(solve, a[:0], b[:1])
    matrices.agree(solve, a, b[..., :0].copy() if left else b[:, :0].copy())


@pytest.mark.parametrize(("upper", "left", "unit"), WAYS)
def test_gradients(matrices, wide, upper, left, unit):
    a, b = _system(matrices, wide, left)

    def solve(t, a, b):
        return t.linalg.solve_triangular(a, b, upper=upper, left=left, unitriangular=unit)

    matrices.same_gradients(solve, a, b)
    if unit == left:
        matrices.differentiable(solve, a[0, 0], b[0], twice=upper)


@pytest.mark.parametrize("transpose", [False, True])
def test_triangular_solve(matrices, kind, transpose):
    a, b = _system(matrices, kind, True)
    matrices.agree(lambda t, x, y: tuple(t.triangular_solve(y, x, False, transpose)), a, b)
    matrices.agree(lambda t, x, y: tuple(y.triangular_solve(x, transpose=transpose)), a, b)


def test_zero_on_the_diagonal(matrices):
    solve = flambeau.linalg.solve_triangular
    made = solve(flambeau.zeros(2, 2), flambeau.ones(2, 1), upper=True)
    assert not made.isfinite().any()


def test_errors(matrices):
    a, b = matrices.array(2, 2), matrices.array(3, 1)

    def solve(t, a, b):
        return t.linalg.solve_triangular(a, b, upper=True)

    matrices.same_errors(solve, a, b)
    matrices.same_errors(solve, b, a)
    matrices.same_errors(solve, a, b[:, 0])
    matrices.same_errors(lambda t, x, y: t.triangular_solve(y, x), a, b)
    matrices.same_errors(lambda t, x, y: t.triangular_solve(y, x), a, b[:, 0])


def test_out():
    out = flambeau.empty(0)
    made = flambeau.linalg.solve_triangular(
        flambeau.tensor([[2.0]]), flambeau.tensor([[4.0]]), upper=True, out=out
    )
    assert made is out
    assert out.tolist() == [[2.0]]
