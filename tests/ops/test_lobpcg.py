"""Extreme eigenvalues of symmetric matrices."""

import numpy as np
import pytest

import flambeau
from flambeau.autograd import gradcheck, gradgradcheck


def symmetric(*shape, seed=0):
    """A symmetric matrix with separate eigenvalues, and a positive one."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, *shape))
    a = a + np.swapaxes(a, -2, -1) + 3 * np.diag(np.arange(shape[-1]))
    b = 0.1 * b @ np.swapaxes(b, -2, -1) + np.eye(shape[-1])
    return a, b


def reference(a, b, k, largest):
    """Eigenvalues and vectors of A x = e B x, by the Cholesky factor of B."""
    factor = np.linalg.cholesky(b)
    inner = np.linalg.solve(factor, np.swapaxes(np.linalg.solve(factor, a), -2, -1))
    values, vectors = np.linalg.eigh(inner)
    values, vectors = (values[..., ::-1], vectors[..., ::-1]) if largest else (values, vectors)
    vectors = np.linalg.solve(np.swapaxes(factor, -2, -1), vectors)
    return values[..., :k], vectors[..., :k]


@pytest.mark.parametrize("method", ["ortho", "basic"])
@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("general", [True, False])
def test_pairs(method, largest, general):
    """In a batch, with and without B."""
    a, b = symmetric(2, 15, 15)
    b = b if general else np.broadcast_to(np.eye(15), b.shape)
    flambeau.manual_seed(0)
    values, vectors = flambeau.lobpcg(
        flambeau.tensor(a),
        k=2,
        B=flambeau.tensor(b) if general else None,
        largest=largest,
        method=method,
        tol=1e-7 if method == "ortho" else 1e-5,
    )
    expected, sides = reference(a, b, 2, largest)
    np.testing.assert_allclose(values.numpy(), expected, 1e-6, 1e-6)
    np.testing.assert_allclose(abs(vectors.numpy()), abs(sides), 1e-3, 1e-3)


@pytest.mark.parametrize("general", [True, False])
def test_derivatives(general):
    """With respect to A and B, first and second ones."""
    a, b = (flambeau.tensor(x, requires_grad=True) for x in symmetric(4, 4))
    start = flambeau.eye(4, 1, dtype=flambeau.float64)

    def pairs(a, b):
        b = b if general else None
        values, vectors = flambeau.lobpcg(a, B=b, X=start, tol=1e-14, niter=40)
        return values, vectors * vectors[:1]  # whatever its sign

    inputs = (a, b) if general else (a, b.detach())
    assert gradcheck(pairs, inputs, atol=1e-4)
    assert gradgradcheck(pairs, inputs, atol=1e-3)


def test_same_as_pytorch(torch):
    """From the same start, a preconditioner included, to the same pairs."""
    a, _ = symmetric(12, 12)
    a = a @ a
    start = np.random.default_rng(1).normal(size=(12, 3))
    found = []
    for t in (flambeau, torch):
        x, precondition = t.tensor(start), t.tensor(np.linalg.inv(a + np.eye(12)))
        made = t.lobpcg(t.tensor(a), k=2, X=x, iK=precondition, largest=False, tol=1e-8)
        found.append([made[0].numpy(), abs(made[1].numpy())])
    np.testing.assert_allclose(found[0][0], found[1][0], 1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], 1e-3, 1e-3)


def test_tracker():
    """It sees each step and can stop the iteration."""
    a = flambeau.tensor(symmetric(12, 12)[0])
    steps = []

    def tracker(worker):
        steps.append((worker.ivars["istep"], worker.ivars["converged_count"]))
        assert tuple(worker.X.shape) == (12, 2)
        assert tuple(worker.E.shape) == (2,)
        assert worker.B is None
        assert tuple(worker.tvars["rerr"].shape) == (2,)
        worker.bvars["force_stop"] = len(steps) == 3

    flambeau.lobpcg(a, k=2, tol=1e-12, tracker=tracker)
    assert [step for step, _ in steps] == [0, 1, 2]


def test_limit_of_steps():
    """niter ends the iteration early."""
    a = flambeau.tensor(symmetric(12, 12)[0])
    seen = []
    flambeau.lobpcg(a, tol=1e-12, niter=4, tracker=lambda w: seen.append(w.ivars["istep"]))
    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "code",
    [
        *("T.lobpcg(T.eye(5), k=2)", "T.lobpcg(T.ones(6, 5))", "T.lobpcg(T.eye(9), B=T.eye(8))"),
        "T.lobpcg(T.eye(9), X=T.ones(8, 2))",
    ],
)
def test_errors(torch, code):
    """What PyTorch refuses is refused, with the same class."""
    with pytest.raises(Exception) as theirs:
        eval(code, {"T": torch})
    with pytest.raises(type(theirs.value)):
        eval(code, {"T": flambeau})


def test_low_rank_as_in_pytorch(torch):
    """The random vectors are PyTorch's, so that even what is not of low rank agrees."""
    values = np.random.default_rng(0).normal(size=(6, 5))
    for name in ("svd_lowrank", "pca_lowrank"):
        found = []
        for t in (flambeau, torch):
            t.manual_seed(4)
            u, s, v = getattr(t, name)(t.tensor(values), q=3)
            found.append((s.numpy(), (u @ t.diag(s) @ v.mT).numpy()))
        np.testing.assert_allclose(found[0][0], found[1][0], 1e-8)
        np.testing.assert_allclose(found[0][1], found[1][1], 1e-8, 1e-8)
