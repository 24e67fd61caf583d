"""Each workload computes the same with both libraries: three calls, in small sizes."""

import pathlib

import numpy as np
import pytest

import flambeau

ROOT = pathlib.Path(__file__).parents[2]
SMALL = {
    "conv2d": {"batch": 1},
    "encoder_infer": {"layers": 1},
    "gpt": {"batch": 1, "layers": 1},
    "lstm": {"length": 6},
    "new_lengths": {"lengths": 2},
    "resnet18": {"batch": 4, "width": 8},
    "resnet18_infer": {"size": 16},
}
NAMES = [*SMALL, "embedding", "gather", "gcn_dense", "gcn_edges", "lenet", "loader", "mask"]
NAMES += ["record", "record_backward", "scatter_add", "topk", "vae"]


@pytest.fixture
def workloads(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.workloads

    return benchmarks.workloads.WORKLOADS


def third(workload, library, **options):
    """What the third call returns."""
    call = workload.setup(library, **options)
    for _ in range(2):
        call()
    return call()


def flat(result):
    """The arrays in a number, a tensor, or lists of those."""
    if isinstance(result, (list, tuple)):
        return [array for part in result for array in flat(part)]
    return [np.array(result) if isinstance(result, float) else result.detach().numpy()]


@pytest.mark.parametrize("name", sorted(NAMES))
def test_the_same_as_torch(torch, workloads, name):
    options = SMALL.get(name, {})
    theirs = flat(third(workloads[name], torch, **options))
    ours = flat(third(workloads[name], flambeau, **options))
    for a, b in zip(theirs, ours, strict=True):
        assert a.shape == b.shape
        assert np.isfinite(b).all()
        assert np.abs(a - b).max() <= 1e-3 * np.abs(a).max()


def test_dropout_is_random_but_finite(torch, workloads):
    for library in (torch, flambeau):
        assert 0 < third(workloads["mlp"], library) < 10


def test_sorted_values_are_those_at_the_indices(torch, workloads):
    values, indices = third(workloads["sort"], flambeau)
    expected, _ = third(workloads["sort"], torch)  # it may order equal numbers in another way
    np.testing.assert_array_equal(values.numpy(), expected.numpy())
    flambeau.manual_seed(0)
    x = flambeau.randn(len(values))
    np.testing.assert_array_equal(x[indices].numpy(), values.numpy())
