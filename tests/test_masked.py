"""`flambeau.masked` against torch."""

import warnings

import numpy as np
import pytest

import flambeau

REDUCTIONS = ["sum", "prod", "amax", "amin", "argmax", "argmin", "mean", "var", "std", "logsumexp"]
ALONG = ["cumsum", "cumprod", "softmax", "log_softmax", "softmin", "median"]
VALUES = [[1, 2, 3, 0], [4, 5, 6, 2], [3, -1, 2, 7]]
MASK = [[True, False, True, True], [False, False, True, False], [True, True, True, True]]


def run(library, name, dtype, args, mask=None, **kwargs):
    """What the function returns, or the class of the error it raises."""
    x = library.tensor(VALUES, dtype=getattr(library, dtype))
    if mask is not None:
        kwargs["mask"] = library.tensor(mask)
    if "result" in kwargs:
        kwargs["dtype"] = getattr(library, kwargs.pop("result"))
    try:
        return getattr(library.masked, name)(x, *args, **kwargs)
    except Exception as error:
        return type(error)


@pytest.fixture
def check(torch):
    """Compare a function of both libraries."""

    def compare(name, dtype, *args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = run(torch, name, dtype, args, **kwargs)
        ours = run(flambeau, name, dtype, args, **kwargs)
        if isinstance(theirs, type):
            assert ours is theirs, (name, dtype, args, kwargs)
            return
        assert str(ours.dtype) == str(theirs.dtype)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)

    return compare


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "bool"])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(check, name, dtype):
    check(name, dtype, 1, mask=MASK)
    check(name, dtype, 0, keepdim=True)
    check(name, dtype, mask=MASK)
    check(name, dtype, 1, mask=MASK[1:2], result="float64")
    if not name.startswith("arg"):
        check(name, dtype, (0, 1), mask=MASK)


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "bool"])
@pytest.mark.parametrize("name", ALONG)
def test_along_a_dim(check, name, dtype):
    check(name, dtype, 1, mask=MASK)
    check(name, dtype, 0)
    check(name, dtype, -1, mask=MASK[1:2], result="float64")


@pytest.mark.parametrize("ord", [2.0, 1.0, 0, float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_norms(check, ord, dtype):
    check("norm", dtype, ord)
    if ord != float("-inf") or dtype == "float32":
        check("norm", dtype, ord, 1, mask=MASK)
    if ord != float("-inf"):
        check("normalize", dtype, ord, 1, mask=MASK)


def test_nothing_selected(check):
    nothing = [[False] * 4] * 3
    for name in (*REDUCTIONS, *ALONG, "norm"):
        args = (2.0, 1) if name == "norm" else (1,)
        check(name, "float32", *args, mask=nothing)
    check("median", "int64", 1, mask=nothing)


def test_logaddexp(torch):
    results = []
    for library in (torch, flambeau):
        x, mask = library.tensor(VALUES, dtype=library.float32), library.tensor(MASK)
        results.append(library.masked.logaddexp(x, x + 1, input_mask=mask).numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_arguments(check):
    check("var", "float32", 1, True, correction=1)
    check("var", "float32", 1, correction=2, mask=MASK)
    check("std", "float32", 1, False, mask=MASK)
    check("sum", "float32", 5)
    check("sum", "float32", (0, 0))
    check("sum", "float32", 1, mask=[MASK])
    check("sum", "float32", 1, mask=[[True, False]])
    check("sum", "float32", 1, mask=[1.0, 0.0, 2.0, 0.0])


def test_gradients(torch):
    for name in ("sum", "mean", "amax", "var", "softmax", "logsumexp"):
        grads = []
        for library in (torch, flambeau):
            x = library.tensor(VALUES, dtype=library.float64).requires_grad_()
            y = getattr(library.masked, name)(x, 1, mask=library.tensor(MASK))
            y.nan_to_num().pow(2).sum().backward()
            grads.append(x.grad.numpy())
        np.testing.assert_allclose(*grads, rtol=1e-9, err_msg=name)
