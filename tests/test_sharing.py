"""Tensors in memory that processes share: the same values, written in place."""

import os

import pytest

import flambeau
from flambeau import config, nn
from flambeau.multiprocessing import start_processes

FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def in_child(f):
    """Run `f` in a forked process, which must end well."""
    pid = os.fork()
    if not pid:
        try:
            f()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def test_sharing_changes_no_values():
    x = flambeau.arange(12.0).reshape(3, 4).T
    view, pending = x[1], x * 2
    assert not x.is_shared()
    assert x.share_memory_() is x
    assert x.is_shared()
    assert view.is_shared()
    assert pending.tolist() == (flambeau.arange(12.0).reshape(3, 4).T * 2).tolist()
    view.zero_()
    assert x[1].tolist() == [0, 0, 0]
    assert not (x + 1).is_shared()
    where = x.data_ptr()
    assert x.share_memory_().data_ptr() == where


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (1000, 100)])
def test_shapes(shape):
    x = flambeau.ones(shape, dtype=flambeau.bfloat16).share_memory_()
    assert x.is_shared()
    assert (x + 1).float().sum().item() == 2 * x.numel()


@FORK
def test_writes_are_seen():
    x = flambeau.zeros(2, 3).share_memory_()
    row = x[1]
    doubled = x * 2
    in_child(lambda: x.add_(1))
    assert x.tolist() == [[1, 1, 1]] * 2
    assert row.tolist() == [1, 1, 1]
    assert doubled.tolist() == [[0, 0, 0]] * 2
    in_child(lambda: x.copy_(flambeau.ones(2, 3) * 7))
    assert row.tolist() == [7, 7, 7]
    row.mul_(2)
    assert x.tolist() == [[7, 7, 7], [14, 14, 14]]


@FORK
def test_a_module_is_trained_in_another_process():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert model.share_memory() is model
    assert all(p.is_shared() for p in (*model.parameters(), *model.buffers()))
    before = model[0].weight.tolist()

    def train():
        optimizer = flambeau.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(4):
            optimizer.zero_grad()
            model(flambeau.randn(8, 2)).pow(3).sum().backward()
            optimizer.step()
        assert model[0].weight.tolist() != before

    in_child(train)
    assert model[0].weight.tolist() != before
    assert model[1].num_batches_tracked.item() == 4


def test_storages():
    x = flambeau.zeros(3)
    assert not x.untyped_storage().is_shared()
    x.untyped_storage().share_memory_()
    assert x.is_shared()
    assert x.storage().is_shared()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")
def test_descriptors_are_closed():
    def count():
        return len(os.listdir("/proc/self/fd"))

    before = count()
    for _ in range(20):
        flambeau.ones(10).share_memory_()
    assert count() <= before + 1


def count(rank, x):
    for _ in range(200):
        x[rank] += 1


@FORK
@pytest.mark.parametrize("backend", ["numpy", "llvm", "auto"])
@pytest.mark.parametrize("size", [1, 500])
def test_each_process_writes_its_own_part_only(monkeypatch, backend, size):
    monkeypatch.setattr(config, "backend", backend)
    monkeypatch.setattr(config, "check", False)  # memory that others write to is not read twice
    x = flambeau.zeros(2, size).share_memory_()
    start_processes(count, (x,), nprocs=2, start_method="fork")
    assert x.tolist() == [[200] * size] * 2
