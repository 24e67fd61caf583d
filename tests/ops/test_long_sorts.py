"""Sorting and selecting from long rows, where another way is quicker: the same elements."""

import numpy as np
import pytest

import flambeau

KINDS = ["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8"]


def rows(kind, shape, seed, few):
    """Numbers of a dtype; many of them equal if `few`, with NaN, infinities and zeros of floats."""
    rng = np.random.default_rng(seed)
    if "float" in kind:
        x = rng.standard_normal(shape) * 100
        x = np.round(x / 50) if few else x
        special = rng.integers(0, 40, shape)
        for value, at in ((np.nan, 0), (np.inf, 1), (-np.inf, 2), (-0.0, 3), (0.0, 4)):
            x[special == at] = value
        return x.astype(np.float32 if kind == "bfloat16" else kind)
    info = np.iinfo(kind)
    low, high = (-3, 3) if few and info.min else (0, 5) if few else (info.min, info.max)
    return rng.integers(low, high, shape, kind, endpoint=True)


def both(torch, kind, values):
    ours, theirs = flambeau.from_numpy(values.copy()), torch.from_numpy(values.copy())
    if kind == "bfloat16":
        return ours.bfloat16(), theirs.bfloat16()
    return ours, theirs


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_sort(torch, kind, few):
    for seed, (shape, dim) in enumerate([((700,), 0), ((3, 400), 1), ((300, 4), 0)]):
        ours, theirs = both(torch, kind, rows(kind, shape, seed, few))
        for descending in (False, True):
            found = flambeau.sort(ours, dim=dim, descending=descending)
            wanted = torch.sort(theirs, dim=dim, descending=descending, stable=True)
            assert found.indices.tolist() == wanted.indices.tolist()
            a, b = found.values.double().numpy(), wanted.values.double().numpy()
            np.testing.assert_array_equal(a, b)
            zero = b == 0
            np.testing.assert_array_equal(np.signbit(a[zero]), np.signbit(b[zero]))


@pytest.mark.parametrize("few", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_topk(torch, kind, few):
    for seed, (shape, dim) in enumerate([((900,), 0), ((3, 500), 1), ((400, 4), 0)]):
        ours, theirs = both(torch, kind, rows(kind, shape, seed, few))
        for k in (1, 5, 60):
            for largest in (False, True):
                found = flambeau.topk(ours, k, dim, largest)
                wanted = torch.topk(theirs, k, dim, largest)
                assert found.indices.tolist() == wanted.indices.tolist()
                a, b = found.values.double().numpy(), wanted.values.double().numpy()
                np.testing.assert_array_equal(a, b)


def test_topk_of_different_numbers(torch):
    x = np.random.default_rng(1).permutation(5000).astype(np.float32).reshape(5, 1000)
    for largest in (False, True):
        found = flambeau.topk(flambeau.from_numpy(x), 7, largest=largest)
        wanted = torch.topk(torch.from_numpy(x), 7, largest=largest)
        assert found.indices.tolist() == wanted.indices.tolist()
        assert found.values.tolist() == wanted.values.tolist()
