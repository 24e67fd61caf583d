"""Datasets and their combinations do what PyTorch's do."""

import pytest

import flambeau
from flambeau.utils.data import Dataset, IterableDataset, StackDataset, Subset


def stream(lib, *items):
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(items)

        def __len__(self):
            return len(items)

    return Stream()


def mapped(lib, items):
    class Mapped(lib.utils.data.Dataset):
        def __getitem__(self, index):
            return items[index]

        def __len__(self):
            return len(items)

    return Mapped()


def test_tensor_dataset(same):
    def read(lib):
        data = lib.utils.data.TensorDataset(lib.arange(6.0).reshape(3, 2), lib.tensor([1, 2, 3]))
        return len(data), data[1], data[-1], data[0:2], data[[2, 0]]

    same(read)
    same(lambda lib: lib.utils.data.TensorDataset(lib.zeros(3), lib.zeros(2)))


def test_concat_and_chain(same):
    def read(lib):
        both = mapped(lib, "abc") + mapped(lib, "de")
        return len(both), [both[i] for i in range(-5, 5)], both.cumulative_sizes

    same(read)
    same(lambda lib: (mapped(lib, "abc") + mapped(lib, "de"))[-6])
    same(lambda lib: (mapped(lib, "abc") + mapped(lib, "de"))[5])
    same(lambda lib: lib.utils.data.ConcatDataset([]))
    same(lambda lib: lib.utils.data.ConcatDataset([stream(lib, 1)]))
    same(lambda lib: list(stream(lib, 1, 2) + stream(lib, 3)))
    same(lambda lib: len(stream(lib, 1, 2) + stream(lib, 3)))
    same(lambda lib: list(lib.utils.data.ChainDataset([mapped(lib, "a")])))


def test_stack(same):
    def read(lib):
        by_place = lib.utils.data.StackDataset(mapped(lib, "abc"), mapped(lib, [1, 2, 3]))
        by_name = lib.utils.data.StackDataset(x=mapped(lib, "abc"), y=mapped(lib, [1, 2, 3]))
        pairs = [(data[1], data.__getitems__([2, 0])) for data in (by_place, by_name)]
        return pairs, len(by_place)

    same(read)
    same(lambda lib: lib.utils.data.StackDataset())
    same(lambda lib: lib.utils.data.StackDataset("ab", "abc"))
    same(lambda lib: lib.utils.data.StackDataset("ab", x="ab"))


def test_stack_reads_batches_of_its_members():
    class Doubling(Dataset):
        def __len__(self):
            return 3

        def __getitems__(self, indices):
            return [2 * i for i in indices]

    data = StackDataset(Doubling(), "abc")
    assert data.__getitems__([0, 2]) == [(0, "a"), (4, "c")]
    Doubling.__getitems__ = lambda self, indices: []
    with pytest.raises(ValueError, match="Expected 2, got 0"):
        data.__getitems__([0, 2])


def test_subset(same):
    def read(lib):
        data = lib.utils.data.TensorDataset(lib.arange(5))
        part = lib.utils.data.Subset(data, [4, 1, 2])
        return len(part), part[0], part[[2, 0]], part.__getitems__([1, 0])

    same(read)


def test_subset_subclass_must_override_both():
    class Half(Subset):
        def __getitem__(self, index):
            return super().__getitem__(index)

    with pytest.raises(NotImplementedError, match="Half overrides __getitem__"):
        Half("ab", [0])


@pytest.mark.parametrize(
    "lengths", [[3, 7], [0.3, 0.7], [0.25, 0.25, 0.5], [1.0], [10, 0], [0.2, 0.8]]
)
@pytest.mark.parametrize("seeded", [False, True])
def test_random_split(same, lengths, seeded):
    def split(lib):
        options = {"generator": lib.Generator().manual_seed(42)} if seeded else {}
        parts = lib.utils.data.random_split(range(10), lengths, **options)
        return [list(part.indices) for part in parts], lib.rand(1)

    same(split)


def test_random_split_errors(same):
    same(lambda lib: lib.utils.data.random_split(range(10), [3, 8]))
    same(lambda lib: lib.utils.data.random_split(range(10), [1.5, -0.5]))
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        flambeau.utils.data.random_split(range(1), [0.75, 0.25])


def test_base_classes():
    with pytest.raises(NotImplementedError):
        Dataset()[0]
    assert issubclass(IterableDataset, Dataset)
    assert Dataset[int] is not Dataset
