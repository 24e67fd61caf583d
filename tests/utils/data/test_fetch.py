"""Batches of rows of tensors are the same, taken one by one or at once."""

import pytest

import flambeau
from flambeau.utils.data import DataLoader, Subset, TensorDataset, default_collate

DATA = TensorDataset(flambeau.arange(20).reshape(10, 2), flambeau.arange(10.0))


def one_by_one(samples):
    return default_collate(samples)


@pytest.mark.parametrize(
    "dataset",
    [DATA, Subset(DATA, [3, 1, 7, 8]), Subset(Subset(DATA, [3, 1, 7, 8, 2]), [4, 0, 1])],
)
def test_rows_at_once(dataset):
    fast = list(DataLoader(dataset, batch_size=3))
    slow = list(DataLoader(dataset, batch_size=3, collate_fn=one_by_one))
    assert len(fast) == len(slow)
    for ours, expected in zip(fast, slow, strict=True):
        assert type(ours) is list
        for a, b in zip(ours, expected, strict=True):
            assert a.dtype == b.dtype
            assert a.tolist() == b.tolist()


def test_unusual_keys():
    batches = list(DataLoader(DATA, batch_sampler=[[-1, 0], [flambeau.tensor(2)]]))
    assert [y.tolist() for _, y in batches] == [[9.0, 0.0], [2.0]]
    with pytest.raises(IndexError):
        list(DataLoader(DATA, batch_sampler=[[10]]))


def test_subclasses_are_asked():
    class Scaled(TensorDataset):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            return x * 10, y

    (x, _) = next(iter(DataLoader(Scaled(*DATA.tensors), batch_size=2)))
    assert x.tolist() == [[0, 10], [20, 30]]
