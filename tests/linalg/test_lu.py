"""Factors P L U and what is solved with them."""

import numpy as np
import pytest

import flambeau

SHAPES = ((3, 3), (2, 4, 3), (3, 5), (2, 0, 3), (0, 3, 3), (3, 0))


@pytest.mark.parametrize("shape", SHAPES)
def test_values(matrices, kind, shape):
    a = matrices.array(*shape, kind=kind)
    matrices.agree(lambda t, x: t.linalg.lu(x), a)
    matrices.agree(lambda t, x: t.linalg.lu_factor(x), a)
    matrices.agree(lambda t, x: t.linalg.lu_factor_ex(x), a)
    matrices.agree(lambda t, x: t.lu_unpack(*t.linalg.lu_factor(x)), a)


def test_old_functions(matrices, kind):
    a, b = matrices.array(2, 3, 3, kind=kind), matrices.array(2, 3, 1, kind=kind)
    matrices.agree(lambda t, x: tuple(t.lu(x)), a)
    matrices.agree(lambda t, x: tuple(t.lu(x, get_infos=True)), a)
    matrices.agree(lambda t, x: tuple(x.lu()), a)
    matrices.agree(lambda t, x, y: t.lu_solve(y, *t.linalg.lu_factor(x)), a, b)
    matrices.agree(lambda t, x, y: y.lu_solve(*t.linalg.lu_factor(x)), a, b)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_gradients(matrices, wide, shape):
    a = matrices.array(*shape, kind=wide)
    matrices.differentiable(lambda t, x: t.linalg.lu_factor(x)[0], a)
    matrices.same_gradients(lambda t, x: t.linalg.lu(x).L, a)
    matrices.same_gradients(lambda t, x: t.linalg.lu(x).U, a)


@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("adjoint", [False, True])
def test_solve(matrices, kind, left, adjoint):
    a = matrices.array(2, 1, 3, 3, kind=kind)
    b = matrices.array(*((4, 3, 2) if left else (4, 2, 3)), kind=kind)

    def solve(t, a, b):
        return t.linalg.lu_solve(*t.linalg.lu_factor(a), b, left=left, adjoint=adjoint)

    matrices.agree(solve, a, b)
    if kind in ("float64", "complex128"):
        matrices.same_gradients(solve, a, b)


def test_solve_twice_differentiable(matrices, wide):
    a, b = matrices.array(2, 2, kind=wide), matrices.array(2, 1, kind=wide)
    matrices.differentiable(lambda t, x, y: t.linalg.lu_solve(*t.linalg.lu_factor(x), y), a, b)


def test_singular(matrices):
    a = np.zeros((2, 2, 2))
    a[0] = np.eye(2)
    matrices.same_errors(lambda t, x: t.linalg.lu_factor(x), a)
    matrices.same_errors(lambda t, x: t.linalg.lu_factor(x), a[1])
    matrices.same_errors(lambda t, x: t.linalg.lu_factor_ex(x, check_errors=True), a)
    matrices.agree(lambda t, x: t.linalg.lu_factor_ex(x), a)
    matrices.agree(lambda t, x: t.linalg.lu(x), a)


def test_unpacks_what_is_asked_for(matrices):
    a = matrices.array(3, 3)
    for data, pivots in ((False, True), (True, False), (False, False)):
        matrices.agree(lambda t, x, d=data, p=pivots: t.lu_unpack(*t.linalg.lu_factor(x), d, p), a)


def test_errors(matrices):
    a, b = matrices.array(2, 2), matrices.array(3, 1)
    matrices.same_errors(lambda t, x: t.linalg.lu(x, pivot=False), a)
    matrices.same_errors(lambda t, x: t.linalg.lu(x), a[0])
    matrices.same_errors(lambda t, x: t.linalg.lu_factor(x), a[0])
    for change in (
        lambda lu, pivots, b: (lu, pivots, b),
        lambda lu, pivots, b: (lu, pivots.long(), lu),
        lambda lu, pivots, b: (lu, pivots[:1], lu),
        lambda lu, pivots, b: (lu[:, :1], pivots, lu),
        lambda lu, pivots, b: (lu, pivots, b[:, 0]),
    ):
        matrices.same_errors(
            lambda t, x, y, c=change: t.linalg.lu_solve(*c(*t.linalg.lu_factor(x), y)), a, b
        )
    matrices.same_errors(lambda t, x: t.lu_unpack(x, t.tensor([1, 2])), a)


def test_pivots_out_of_range():
    packed, pivots = flambeau.linalg.lu_factor(flambeau.eye(2))
    with pytest.raises(RuntimeError, match="pivots must be between 1"):
        flambeau.linalg.lu_solve(packed, pivots + 5, flambeau.ones(2, 1)).tolist()


def test_out():
    packed, pivots = flambeau.empty(0), flambeau.empty(0, dtype=flambeau.int32)
    made = flambeau.linalg.lu_factor(flambeau.eye(2), out=(packed, pivots))
    assert made.LU is packed
    assert pivots.tolist() == [1, 2]
