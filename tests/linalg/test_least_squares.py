"""Least squares by each of LAPACK's drivers."""

import numpy as np
import pytest

import flambeau

DRIVERS = (None, "gels", "gelsy", "gelsd", "gelss")
SHAPES = (
    ((4, 2), (4, 3)),
    ((2, 4), (2, 3)),
    ((3, 3), (3, 1)),
    ((2, 4, 2), (2, 4)),
    ((4, 2), (4,)),
    ((0, 4, 2), (0, 4, 1)),
    ((3, 1, 4, 2), (1, 2, 4, 2)),
)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_values(matrices, kind, a, b, driver):
    matrices.agree(
        lambda t, x, y: t.linalg.lstsq(x, y, driver=driver),
        matrices.array(*a, kind=kind),
        matrices.array(*b, kind=kind),
    )


@pytest.mark.parametrize("driver", ["gelsy", "gelsd", "gelss"])
def test_rank(matrices, driver):
    a, b = matrices.array(4, 2), matrices.array(4, 3)
    a[:, 1] = a[:, 0]
    made = matrices.agree(lambda t, x, y: t.linalg.lstsq(x, y, driver=driver)[:3], a, b)
    assert made[2].tolist() == 1
    matrices.agree(lambda t, x, y: t.linalg.lstsq(x, y, 0.9, driver=driver).rank, a, b)


@pytest.mark.parametrize(("a", "b"), SHAPES[:3])
def test_gradients(matrices, wide, a, b):
    a, b = matrices.array(*a, kind=wide), matrices.array(*b, kind=wide)
    matrices.same_gradients(lambda t, x, y: t.linalg.lstsq(x, y)[0], a, b)
    matrices.differentiable(lambda t, x, y: t.linalg.lstsq(x, y)[0], a, b)


def test_gradient_of_residuals(matrices, wide):
    a, b = matrices.array(4, 2, kind=wide), matrices.array(4, 1, kind=wide)
    for driver in ("gels", "gelsd"):
        matrices.same_gradients(lambda t, x, y, d=driver: t.linalg.lstsq(x, y, driver=d)[1], a, b)


def test_singular():
    a = flambeau.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    with pytest.raises(RuntimeError, match="does not have full rank"):
        flambeau.linalg.lstsq(a, flambeau.ones(3, 1), driver="gels")


def test_results_that_require_gradients(matrices):
    a, b = matrices.array(3, 2), matrices.array(3, 1)
    for driver in DRIVERS:
        made = flambeau.linalg.lstsq(
            flambeau.tensor(a).requires_grad_(), flambeau.tensor(b), driver=driver
        )
        assert [x.requires_grad for x in made] == [True, True, False, False]


def test_empty_dims(matrices):
    a, b = matrices.array(4, 2), matrices.array(4, 3)
    for x, y in ((a[:, :0], b), (a[:0], b[:0]), (a, b[:, :0])):
        matrices.agree(lambda t, x, y: t.linalg.lstsq(x, y), x.copy(), y.copy())


def test_errors(matrices):
    a, b = matrices.array(4, 2), matrices.array(4, 3)
    matrices.same_errors(lambda t, x, y: t.linalg.lstsq(x, y[:3]), a, b)
    matrices.same_errors(lambda t, x, y: t.linalg.lstsq(x, y, driver="x"), a, b)
    matrices.same_errors(lambda t, x, y: t.linalg.lstsq(x[0], y), a, b)
    matrices.same_errors(lambda t, x, y: t.linalg.lstsq(x, y.sum()), a, b)
    for shape in ((3, 2), (1, 4)):
        wide = np.ones((2, 4, 2))
        with pytest.raises(RuntimeError):
            flambeau.linalg.lstsq(flambeau.tensor(wide), flambeau.ones(*shape).double())
