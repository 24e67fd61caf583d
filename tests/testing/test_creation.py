"""Tensors of random numbers: those of torch, bit by bit."""

import warnings

import numpy as np
import pytest

import flambeau

DTYPES = [
    *("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"),
    *("complex64", "complex128", "uint16", "uint32", "uint64"),
]
SMALL = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]
KWARGS = [
    {},
    {"low": 1, "high": 2},
    {"low": -0.5, "high": 1.5},
    {"low": -1e9, "high": 1e9},
    {"noncontiguous": True},
    {"exclude_zero": True},
    {"low": 0, "high": 2, "exclude_zero": True, "noncontiguous": True},
]


def made(lib, shape, dtype, **kwargs):
    """(what is known of the tensor, its numbers), or the class of the error."""
    lib.manual_seed(5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            x = lib.testing.make_tensor(*shape, dtype=getattr(lib, dtype), device="cpu", **kwargs)
        except Exception as error:
            return type(error).__name__, str(error)
    described = (str(x.dtype), tuple(x.shape), x.stride(), x.requires_grad)
    x = x.detach().float() if dtype in SMALL else x.detach()
    return described, [str(w.message) for w in caught], x.numpy().copy()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kwargs", KWARGS, ids=str)
@pytest.mark.parametrize("shape", [(3, 40), ((2, 3),), (), (0,), (1,)], ids=str)
def test_numbers(torch, dtype, kwargs, shape):
    if "exclude_zero" in kwargs and dtype in ("uint16", "uint32", "uint64"):
        pytest.skip("torch can not replace the zeros of these")
    ours, theirs = (made(lib, shape, dtype, **kwargs) for lib in (flambeau, torch))
    assert ours[:2] == theirs[:2]
    if len(ours) == 3:
        np.testing.assert_array_equal(ours[2], theirs[2])


@pytest.mark.parametrize("dtype", SMALL)
@pytest.mark.parametrize("kwargs", [{}, {"low": 1, "high": 5}, {"noncontiguous": True}], ids=str)
def test_small_numbers(torch, dtype, kwargs):
    ours, theirs = (made(lib, (3, 4), dtype, **kwargs) for lib in (flambeau, torch))
    assert ours[0] == theirs[0]
    if len(ours) == 3:
        np.testing.assert_array_equal(ours[2], theirs[2])


BAD = [
    ("float32", {"low": float("nan")}),
    ("float32", {"low": 3, "high": 2}),
    ("float32", {"low": 2, "high": 2}),
    ("int32", {"low": 2, "high": 2}),
    ("int8", {"low": 200, "high": 300}),
    ("uint8", {"low": -5, "high": -1}),
    ("int8", {"requires_grad": True}),
    ("float32", {"requires_grad": True}),
]


@pytest.mark.parametrize(("dtype", "kwargs"), BAD)
def test_bounds_and_errors(torch, dtype, kwargs):
    ours, theirs = (made(lib, (2,), dtype, **kwargs) for lib in (flambeau, torch))
    assert ours[:2] == theirs[:2]


def test_flags_that_exclude_each_other():
    with pytest.raises(ValueError, match="mutually exclusive"):
        flambeau.testing.make_tensor(
            *(2, 2),
            dtype=flambeau.float32,
            device="cpu",
            noncontiguous=True,
            memory_format=flambeau.contiguous_format,
        )
