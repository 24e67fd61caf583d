"""Loaders with worker processes: the same batches, errors, deaths, and nothing left behind."""

import itertools
import multiprocessing
import os
import random
import signal
import time
from pickle import PicklingError

import numpy as np
import pytest

import flambeau
from flambeau.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


class Squares(Dataset):
    """Tensors, text, and what a worker is."""

    def __init__(self, size=12):
        self.data = flambeau.arange(size) ** 2

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        return self.data[index], str(index), get_worker_info().id


class Stream(IterableDataset):
    """Each worker reads its share: 0, 2, 4, ... and 1, 3, ..."""

    def __init__(self, sizes):
        self.sizes = sizes

    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id, self.sizes[info.id], info.num_workers))


class Troubled(Dataset):
    """Does what its trouble says at index 3."""

    def __init__(self, trouble):
        self.trouble = trouble

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index == 3:
            self.trouble(index)
        return index


class TwoArguments(Exception):
    """An exception that can not be made from a message."""

    def __init__(self, first, second):
        super().__init__(first, second)


def numbers(batches):
    return [batch.tolist() for batch in batches]


def flat(lists):
    return list(itertools.chain.from_iterable(lists))


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("workers", [1, 2])
def test_order(workers, persistent):
    def read(**options):
        flambeau.manual_seed(5)
        loader = DataLoader(range(23), batch_size=3, shuffle=True, **options)
        return [numbers(loader) for _ in range(2)]

    ours = read(num_workers=workers, persistent_workers=persistent)
    here = read()
    assert sorted(flat(ours[1])) == list(range(23))
    assert ours[0] == here[0]
    if not persistent:
        assert ours == here


@pytest.mark.parametrize("persistent", [True, False])
def test_order_is_that_of_torch(same, persistent):
    def read(lib):
        loader = lib.utils.data.DataLoader(
            range(23), 3, True, num_workers=2, persistent_workers=persistent
        )
        return list(loader), list(loader), lib.rand(2)

    same(read)


def test_values_and_turns():
    for (x, text, who), at in zip(DataLoader(Squares(), 3, num_workers=2), range(4), strict=True):
        assert x.tolist() == [i**2 for i in range(3 * at, 3 * at + 3)]
        assert text == tuple(str(i) for i in range(3 * at, 3 * at + 3))
        assert who.tolist() == [at % 2] * 3


def test_large_batches():
    loader = DataLoader(flambeau.ones(6, 100, 100), 3, num_workers=1)
    total = sum(batch.mul_(2).sum().item() for batch in loader)
    assert total == 2 * 6 * 100 * 100


def randoms(_):
    return flambeau.rand(1).item(), random.random(), np.random.rand(), get_worker_info().seed


class Noise(Dataset):
    def __len__(self):
        return 4

    __getitem__ = staticmethod(randoms)


def test_seeds():
    def read():
        return DataLoader(Noise(), batch_size=None, num_workers=2)

    flambeau.manual_seed(1)
    first, second = list(read()), list(read())
    flambeau.manual_seed(1)
    assert list(read()) == first
    assert first != second
    seeds = {sample[3] for sample in first}
    assert max(seeds) - min(seeds) == 1
    assert len({sample[0] for sample in first}) == 4


def test_seeds_are_those_of_torch(torch):
    class TheirNoise(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            info = torch.utils.data.get_worker_info()
            return torch.rand(1).item(), random.random(), np.random.rand(), info.seed

    flambeau.manual_seed(1)
    ours = list(DataLoader(Noise(), batch_size=None, num_workers=2))
    torch.manual_seed(1)
    theirs = torch.utils.data.DataLoader(TheirNoise(), batch_size=None, num_workers=2)
    assert ours == list(theirs)


@pytest.mark.parametrize("sizes", [(9, 9), (2, 11), (0, 5)])
def test_stream(sizes):
    loader = DataLoader(Stream(sizes), batch_size=2, num_workers=2, persistent_workers=True)
    first = numbers(loader)
    shares = [list(range(i, size, 2)) for i, size in enumerate(sizes)]
    assert sorted(flat(first)) == sorted(flat(shares))
    assert numbers(loader) == first


def test_stream_takes_turns(same):
    def read(lib):
        class Parts(lib.utils.data.IterableDataset):
            def __iter__(self):
                info = lib.utils.data.get_worker_info()
                return iter(range(10 * info.id, 10 * info.id + 4))

        return list(lib.utils.data.DataLoader(Parts(), batch_size=2, num_workers=2))

    same(read)


def slowly(worker_id):
    if worker_id == 0:
        time.sleep(0.5)


def test_out_of_order():
    loader = DataLoader(
        Squares(8), batch_size=None, num_workers=2, worker_init_fn=slowly, in_order=False
    )
    samples = list(loader)
    assert sorted(int(text) for _, text, _ in samples) == list(range(8))
    assert samples[0][2] == 1


def raise_value(index):
    raise ValueError(f"bad {index}")


def raise_key(index):
    raise KeyError("bad\nkey")


def raise_two(index):
    raise TwoArguments(index, "b")


def raise_local(index):
    class Local(Exception):
        pass

    raise Local("mine")


@pytest.mark.parametrize(
    ("trouble", "kind", "text"),
    [
        (raise_value, ValueError, "ValueError: bad 3"),
        (raise_key, KeyError, "Original Traceback"),
        (raise_two, RuntimeError, "TwoArguments: "),
        (raise_local, RuntimeError, "Local: mine"),
    ],
)
def test_errors_arrive(trouble, kind, text):
    batches = iter(DataLoader(Troubled(trouble), batch_size=2, num_workers=1))
    next(batches)
    with pytest.raises(kind) as caught:
        next(batches)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message.startswith("Caught ")
    assert "in DataLoader worker process 0.\n" in message
    assert text in message
    assert "in __getitem__" in message
    # The error took the place of one batch.
    assert numbers(batches) == [[4, 5], [6, 7]]


def fail(worker_id):
    raise ValueError("not ready")


def lambdas(samples):
    return lambda: samples


def test_error_of_init():
    with pytest.raises(ValueError, match="not ready"):
        list(DataLoader(range(4), num_workers=1, worker_init_fn=fail))


def test_error_of_starting_a_stream():
    loader = DataLoader(Stream(()), batch_size=2, num_workers=1, timeout=20)
    batches = iter(loader)
    for _ in range(2):
        with pytest.raises(IndexError):
            next(batches)


def test_batch_that_can_not_be_sent():
    with pytest.raises((AttributeError, RuntimeError), match="in DataLoader worker process 0"):
        list(DataLoader(range(4), num_workers=1, collate_fn=lambdas))


def kill_self(index):
    os.kill(os.getpid(), signal.SIGKILL)


def leave(index):
    os._exit(7)


@POSIX
@pytest.mark.parametrize(
    ("trouble", "how"), [(kill_self, "was killed by SIGKILL"), (leave, "ended with exit code 7")]
)
def test_death_is_noticed(trouble, how):
    loader = DataLoader(Troubled(trouble), batch_size=2, num_workers=2)
    expected = rf"\(pid\(s\) \d+\) exited unexpectedly: worker 1 {how}.* the sample 3 of the"
    expected += r" samples \[2, 3\]"
    with pytest.raises(RuntimeError, match=expected):
        list(loader)


def hang(index):
    time.sleep(60)


@POSIX
def test_timeout(capfd, monkeypatch):
    monkeypatch.setattr("flambeau.utils.data.pool.GRACE", 1.0)
    loader = DataLoader(Troubled(hang), batch_size=2, num_workers=1, timeout=1)
    expected = (
        r"timed out after 1 seconds: worker 0 .* reading the sample 3 of the samples \[2, 3\]"
    )
    with pytest.raises(RuntimeError, match=expected):
        list(loader)
    deadline = time.monotonic() + 20
    shown = ""
    while "in hang" not in shown and time.monotonic() < deadline:
        time.sleep(0.05)
        shown += capfd.readouterr().err
    assert "in hang" in shown


@POSIX
def test_long_wait_is_told(monkeypatch):
    monkeypatch.setattr("flambeau.utils.data.pool.SLOW", 0.1)
    loader = DataLoader(Squares(4), num_workers=1, worker_init_fn=slowly)
    with pytest.warns(UserWarning, match="has waited .* worker 0"):
        assert len(list(loader)) == 4


def children():
    return {process.pid for process in multiprocessing.active_children()}


def test_processes_end():
    before = children()
    loader = DataLoader(range(100), num_workers=2, persistent_workers=True)
    kept = iter(loader)
    next(kept)
    others = iter(DataLoader(range(100), num_workers=2))
    next(others)
    assert len(children() - before) == 4
    del others
    assert len(children() - before) == 2
    list(loader)
    assert len(children() - before) == 2
    del kept, loader
    assert not children() - before


@POSIX
def test_no_files_are_left_open():
    def count():
        return len(os.listdir("/dev/fd"))

    list(DataLoader(flambeau.ones(6, 100, 100), 3, num_workers=2))
    before = count()
    for _ in range(3):
        list(DataLoader(flambeau.ones(6, 100, 100), 3, num_workers=2))
    assert count() == before


def test_persistent_restart_in_the_middle():
    loader = DataLoader(range(12), 2, num_workers=2, persistent_workers=True)
    next(iter(loader))
    assert numbers(loader) == [[i, i + 1] for i in range(0, 12, 2)]


def test_prefetch_and_samples_ahead():
    loader = DataLoader(range(50), 1, num_workers=1, prefetch_factor=40)
    assert flat(numbers(loader)) == list(range(50))
    with pytest.raises(AssertionError):
        iter(DataLoader(range(3), num_workers=1, prefetch_factor=0))


def test_spawn():
    data = TensorDataset(flambeau.arange(4))
    loader = DataLoader(data, 2, num_workers=1, multiprocessing_context="spawn")
    assert [x.tolist() for (x,) in loader] == [[0, 1], [2, 3]]


def test_spawn_of_what_can_not_be_pickled():
    loader = DataLoader(
        range(4), num_workers=1, multiprocessing_context="spawn", collate_fn=lambda batch: batch
    )
    with pytest.raises((AttributeError, TypeError, PicklingError)) as caught:
        list(loader)
    assert any("top level of a module" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("workers", [1, 2])
def test_resume(workers):
    flambeau.manual_seed(0)
    options = {"batch_size": 2, "shuffle": True, "num_workers": workers}
    loader = DataLoader(range(12), **options)
    batches = iter(loader)
    next(batches)
    next(batches)
    state = loader.state_dict()
    rest = numbers(batches)
    again = DataLoader(range(12), **options)
    again.load_state_dict(state)
    assert numbers(again) == rest


def test_resume_stream():
    loader = DataLoader(Stream((9, 9)), batch_size=2, num_workers=2)
    batches = iter(loader)
    next(batches)
    state = loader.state_dict()
    rest = numbers(batches)
    loader.load_state_dict(state)
    assert numbers(loader) == rest


def wait_then_leave(index):
    time.sleep(0.5)
    os._exit(7)


def test_death_names_the_batch_it_was_at():
    """Also where answers to earlier batches are still to be looked at."""
    loader = DataLoader(Troubled(wait_then_leave), batch_size=1, num_workers=1, prefetch_factor=4)
    batches = iter(loader)
    time.sleep(1.5)
    with pytest.raises(RuntimeError, match="while reading the sample 3 of the samples \\[3\\]"):
        list(batches)
