"""Views of memory need no record, and see every write, whoever makes it."""

import numpy as np
import pytest

import flambeau
from flambeau import config
from flambeau.recorder import states


@pytest.fixture(params=["numpy", "llvm"])
def backend(request, monkeypatch):
    monkeypatch.setattr(config, "backend", request.param)
    monkeypatch.setattr(config, "verify", True)


def test_rows_of_a_dataset_walk_one_path(backend):
    x = flambeau.tensor(np.arange(40.0, dtype=np.float32).reshape(10, 4))
    rng = np.random.RandomState(0)
    flambeau.synchronize()  # nothing of before is in the trace
    flambeau.stack([x[int(i)] for i in rng.permutation(10)[:4]]).tolist()
    before = states._states
    for _ in range(5):
        index = rng.permutation(10)[:4]
        batch = flambeau.stack([x[int(i)] for i in index])
        assert batch.tolist() == (np.arange(40.0).reshape(10, 4)[index]).tolist()
    assert states._states == before


def test_a_view_and_the_whole_in_one_program(backend):
    x = flambeau.arange(6.0)
    x.tolist()
    for k in range(4):
        row = x[2]
        before = row + 0
        x.add_(1)
        row.mul_(10) if k == 0 else None
        expected = float(2 + k) if k == 0 else before.item()
        assert before.item() == pytest.approx(expected)
        assert row.item() == x.tolist()[2]


def test_writing_through_a_view(backend):
    x = flambeau.zeros(3, 4)
    x.tolist()
    for k in range(3):
        x[1].fill_(float(k))
        x[2][3] = 7.0
        assert x.tolist() == [[0.0] * 4, [float(k)] * 4, [0.0, 0.0, 0.0, 7.0]]


def test_views_of_an_array_of_the_outside(backend):
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    x = flambeau.from_numpy(array)
    for k in range(3):
        doubled = x[1] * 2
        array[1] = k
        assert doubled.tolist() == ([6.0, 8.0, 10.0] if k == 0 else [2.0 * (k - 1)] * 3)
        x[0].fill_(9.0)
        assert array[0].tolist() == [9.0] * 3


def test_strided_views(backend):
    x = flambeau.tensor(np.arange(24.0, dtype=np.float32).reshape(4, 6)).t()
    x.tolist()
    for _ in range(3):
        assert (x[3] * 1).tolist() == [3.0, 9.0, 15.0, 21.0]
        assert (x[3].unsqueeze(1) + x[1]).sum().item() == 4 * (48.0 + 40.0)
