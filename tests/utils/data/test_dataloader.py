"""The loader without workers: order, batches, arguments, place."""

import warnings

import pytest

import flambeau
from flambeau.utils.data import DataLoader, IterableDataset, TensorDataset


def loaded(lib, *args, epochs=2, **options):
    """The batches of some epochs, and what the default generator gives next."""
    loader = lib.utils.data.DataLoader(*args, **options)
    return [list(loader) for _ in range(epochs)], len(loader), lib.rand(2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": True},
        {"batch_size": 4},
        {"batch_size": 4, "shuffle": True},
        {"batch_size": 4, "shuffle": True, "drop_last": True},
        {"batch_size": None},
        {"batch_size": None, "shuffle": True},
        {"sampler": [3, 1, 2]},
        {"sampler": [3, 1, 2], "batch_size": 2},
        {"batch_sampler": [[3, 1], [2]]},
        {"collate_fn": sum, "batch_size": 3},
    ],
)
def test_order(same, options):
    same(lambda lib: loaded(lib, range(10), **options))


def test_generator(same):
    def read(lib):
        generator = lib.Generator().manual_seed(3)
        return loaded(lib, range(10), 3, True, generator=generator), lib.rand(1)

    same(read)


def test_samplers(same):
    same(
        lambda lib: loaded(
            lib, range(10), 2, sampler=lib.utils.data.WeightedRandomSampler([1.0] * 10, 5)
        )
    )
    same(
        lambda lib: loaded(
            lib, range(50), 8, sampler=lib.utils.data.RandomSampler(range(50), True, 45)
        )
    )


def test_tensors(same):
    def read(lib):
        data = lib.utils.data.TensorDataset(lib.arange(12.0).reshape(6, 2), lib.arange(6))
        train, rest = lib.utils.data.random_split(data, [4, 2])
        return loaded(lib, train, 3, True), loaded(lib, rest, 3)

    same(read)


def streamed(lib, size):
    class Stream(lib.utils.data.IterableDataset):
        def __iter__(self):
            return iter(range(size))

        def __len__(self):
            return size

    return Stream()


@pytest.mark.parametrize("options", [{}, {"batch_size": None}, {"drop_last": True}])
def test_stream(same, options):
    same(lambda lib: loaded(lib, streamed(lib, 7), **{"batch_size": 3, **options}))


def test_stream_longer_than_it_says():
    class Longer(IterableDataset):
        def __iter__(self):
            return iter(range(3))

        def __len__(self):
            return 2

    loader = DataLoader(Longer())
    assert len(list(loader)) == 3
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        list(loader)


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"num_workers": 1, "prefetch_factor": -1},
        {"persistent_workers": True},
        {"sampler": [1], "shuffle": True},
        {"batch_sampler": [[1]], "shuffle": True},
        {"batch_sampler": [[1]], "batch_size": 2},
        {"batch_sampler": [[1]], "drop_last": True},
        {"batch_sampler": [[1]], "sampler": [1]},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": 1.5},
        {"multiprocessing_context": "fork"},
        {"multiprocessing_context": "no such", "num_workers": 1},
        {"multiprocessing_context": 3, "num_workers": 1},
        {"drop_last": 1},
    ],
)
def test_contradictions(same, options):
    assert isinstance(same(lambda lib: lib.utils.data.DataLoader(range(3), **options)), Exception)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}])
def test_contradictions_of_streams(same, options):
    def make(lib):
        return lib.utils.data.DataLoader(streamed(lib, 3), **options)

    assert isinstance(same(make), Exception)


def test_timeout_needs_workers(same):
    assert same(lambda lib: iter(lib.utils.data.DataLoader(range(3), timeout=1))) is not None


@pytest.mark.parametrize("name", ["batch_size", "dataset", "sampler", "drop_last"])
def test_fixed_attributes(name):
    with pytest.raises(ValueError, match=f"{name} attribute should not be set"):
        setattr(DataLoader(range(3)), name, None)


def test_pin_memory_without_accelerator():
    if flambeau.cuda.is_available():
        pytest.skip("there is an accelerator")
    with pytest.warns(UserWarning, match="no accelerator is found"):
        list(DataLoader(range(2), pin_memory=True))


def test_too_many_workers():
    with pytest.warns(UserWarning, match="suggested max number of worker"):
        DataLoader(range(2), num_workers=10_000)


def test_error_of_the_dataset_arrives():
    class Broken:
        def __len__(self):
            return 2

        def __getitem__(self, index):
            raise KeyError(index)

    with pytest.raises(KeyError):
        list(DataLoader(Broken()))


@pytest.mark.parametrize("seeded", [True, False])
@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_resume(done, seeded):
    def make():
        generator = flambeau.Generator().manual_seed(3) if seeded else None
        return DataLoader(range(10), batch_size=3, shuffle=True, generator=generator)

    def numbers(loader):
        return [batch.tolist() for batch in loader]

    flambeau.manual_seed(0)
    loader = make()
    list(loader)
    batches = iter(loader)
    for _ in range(done):
        next(batches)
    state, random = loader.state_dict(), flambeau.get_rng_state()
    expected = numbers(batches), numbers(loader), flambeau.rand(1).tolist()

    again = make()
    again.load_state_dict(state)
    flambeau.set_rng_state(random)
    if done:
        assert (numbers(again), numbers(again), flambeau.rand(1).tolist()) == expected
    else:
        # Nothing was drawn yet, so the default generator is where it was before the order.
        assert numbers(again) == expected[0]


def test_resume_at_the_end_is_a_new_epoch():
    loader = DataLoader(range(4), batch_size=2)
    batches = iter(loader)
    list(batches)
    assert loader.state_dict() == {}
    loader.load_state_dict({})
    assert len(list(loader)) == 2


def test_resume_stream():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(range(7))

    loader = DataLoader(Stream(), batch_size=2)
    batches = iter(loader)
    next(batches)
    loader.load_state_dict(loader.state_dict())
    assert [batch.tolist() for batch in loader] == [[2, 3], [4, 5], [6]]


def test_generic_and_iterators():
    from flambeau.utils.data.dataloader import _BaseDataLoaderIter

    assert DataLoader[int] is not DataLoader
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        iterator = iter(DataLoader(TensorDataset(flambeau.zeros(4, 1)), batch_size=2))
    assert isinstance(iterator, _BaseDataLoaderIter)
    assert len(iterator) == 2
    assert iter(iterator) is iterator
