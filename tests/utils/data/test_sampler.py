"""Orders are PyTorch's, draw for draw."""

import pytest

import flambeau
from flambeau.utils.data import BatchSampler, RandomSampler, Sampler


def twice(sampler, lib):
    """Two epochs, and what the default generator gives afterwards."""
    return list(sampler), list(sampler), lib.rand(2)


@pytest.mark.parametrize("seeded", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_samples": 3},
        {"num_samples": 25},
        {"replacement": True},
        {"replacement": True, "num_samples": 70},
    ],
)
def test_random(same, options, seeded):
    def draw(lib):
        generator = lib.Generator().manual_seed(7) if seeded else None
        return twice(lib.utils.data.RandomSampler(range(10), generator=generator, **options), lib)

    same(draw)


def test_sequential_and_subset(same):
    same(lambda lib: twice(lib.utils.data.SequentialSampler("abcd"), lib))
    same(lambda lib: twice(lib.utils.data.SubsetRandomSampler([5, 1, 8, 3]), lib))


@pytest.mark.parametrize("replacement", [True, False])
def test_weighted(same, replacement):
    weights = [0.1, 0.9, 0.4, 0.7, 3.0, 0.6]

    def draw(lib):
        return twice(lib.utils.data.WeightedRandomSampler(weights, 5, replacement), lib)

    same(draw)


@pytest.mark.parametrize("drop_last", [True, False])
@pytest.mark.parametrize("size", [0, 1, 3, 7, 9])
def test_batch(same, size, drop_last):
    def draw(lib):
        sampler = lib.utils.data.BatchSampler(range(size), 3, drop_last)
        return len(sampler), list(sampler)

    same(draw)


def test_batches_of_an_endless_sampler():
    class Endless(Sampler):
        def __iter__(self):
            while True:
                yield 1

    batches = iter(BatchSampler(Endless(), 2, False))
    assert [next(batches), next(batches)] == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    "make",
    [
        lambda data: data.RandomSampler(range(3), replacement=1),
        lambda data: data.RandomSampler(range(3), num_samples=0),
        lambda data: data.RandomSampler(range(3), num_samples=1.5),
        lambda data: data.RandomSampler([]),
        lambda data: data.WeightedRandomSampler([1.0], True),
        lambda data: data.WeightedRandomSampler([1.0], 2, replacement=0),
        lambda data: data.WeightedRandomSampler([[1.0]], 2),
        lambda data: data.BatchSampler(range(3), 0, False),
        lambda data: data.BatchSampler(range(3), True, False),
        lambda data: data.BatchSampler(range(3), 2, 1),
    ],
)
def test_errors(same, make):
    assert isinstance(same(lambda lib: make(lib.utils.data)), Exception)


def test_sampler_draws_when_first_asked():
    flambeau.manual_seed(0)
    order = iter(RandomSampler(range(5)))
    flambeau.manual_seed(1)
    first = list(order)
    flambeau.manual_seed(1)
    assert list(RandomSampler(range(5))) == first


def test_a_dataset_may_be_passed_to_the_base_class():
    class Old(Sampler):
        def __init__(self, data):
            super().__init__(data)

        def __iter__(self):
            return iter([1])

    assert list(Old("ab")) == [1]
