"""Which of equal elements the selections find, against PyTorch."""

import itertools

import numpy as np
import pytest

import flambeau

LENGTHS = (1, 2, 5, 10, 17, 40, 130, 700)
SEEDS = range(3)


def rows(length, seed, dtype):
    """Rows with many equal elements, some NaN if `dtype` has it."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, rng.integers(2, 9), (6, length)).astype(dtype)
    if values.dtype.kind == "f":
        values[rng.random(values.shape) < 0.1] = np.nan
    return values


def same(torch, values, call):
    """The results of a call, here and in torch, must be equal in values and places."""
    found, expected = (call(m.from_numpy(values.copy())) for m in (flambeau, torch))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


@pytest.mark.parametrize("dtype", ["int64", "bool", "float32", "uint8"])
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_places_of_equal_elements(torch, length, seed, dtype):
    values = rows(length, seed, dtype)
    if dtype == "bool":
        same(torch, values, lambda x: x.mode())
        same(torch, values, lambda x: x.sort(stable=True, dim=1))
        return
    for k in {1, 2, length // 70, length // 3, length - 1, length}:
        if not 1 <= k <= length:
            continue
        same(torch, values, lambda x, k=k: x.kthvalue(k))
        for how in ((k, -1, *flags) for flags in itertools.product((True, False), repeat=2)):
            same(torch, values, lambda x, how=how: x.topk(*how))
    if dtype != "float32":
        same(torch, values, lambda x: x.mode())
    same(torch, values, lambda x: x.median(1))


def test_other_dims_and_nothing_at_all(torch):
    values = np.random.default_rng(0).integers(0, 3, (4, 30, 5))
    same(torch, values, lambda x: x.topk(7, 1))
    same(torch, values, lambda x: x.kthvalue(7, 1, keepdim=True))
    same(torch, values, lambda x: x.mode(1))
    for shape, k in (((0, 4), 2), ((3, 0), 0), ((3, 4), 0)):
        same(torch, np.zeros(shape, np.int64), lambda x, k=k: x.topk(k))
    same(torch, np.zeros((0, 4), np.int64), lambda x: x.kthvalue(2))
    same(torch, np.zeros((0, 4), np.int64), lambda x: x.mode())


def test_places_are_found_in_long_rows(torch):
    values = np.random.default_rng(0).integers(0, 50, 60_000)
    same(torch, values, lambda x: x.kthvalue(20_000))
    same(torch, values, lambda x: x.topk(300))
    same(torch, values, lambda x: x.topk(3000))
    same(torch, values, lambda x: x.mode())


def test_bool_has_no_kth_element(torch):
    for lib in (flambeau, torch):
        x = lib.tensor([[True, False, True]])
        for call in (lambda y: y.kthvalue(1), lambda y: y.median(1), lambda y: y.nanmedian()):
            with pytest.raises(NotImplementedError):
                call(x)
        with pytest.raises(RuntimeError):
            x.topk(2)
