"""The group of one: how it is made, what it answers, and what it refuses."""

import pytest

import flambeau
from flambeau import distributed as dist


@pytest.fixture
def group():
    """A default group."""
    dist.init_process_group("gloo", world_size=1, rank=0)
    yield dist.group.WORLD
    if dist.is_initialized():
        dist.destroy_process_group()


def test_before_and_after():
    """Without a group what needs one raises; afterwards it is gone."""
    assert dist.is_available()
    assert not dist.is_initialized()
    assert dist.group.WORLD is None
    for f in (dist.get_rank, dist.get_world_size, dist.barrier, dist.get_backend, dist.new_group):
        with pytest.raises(ValueError, match="has not been initialized"):
            f()
    with pytest.raises(AssertionError):
        dist.destroy_process_group()
    dist.init_process_group(world_size=1, rank=0)
    with pytest.raises(ValueError, match="twice"):
        dist.init_process_group(world_size=1, rank=0)
    dist.destroy_process_group()
    assert not dist.is_initialized()


def test_environment(monkeypatch):
    """The numbers come from the environment, as torchrun sets it."""
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match="environment variable RANK expected"):
        dist.init_process_group("gloo")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "1")
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    dist.init_process_group("cpu:gloo,cuda:nccl", init_method="env://")
    assert (dist.get_rank(), dist.get_world_size(), dist.get_node_local_rank()) == (0, 1, 0)
    assert dist.is_torchelastic_launched()
    dist.destroy_process_group()
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(RuntimeError, match="world_size is 4, but flambeau computes in one process"):
        dist.init_process_group("gloo")
    monkeypatch.delenv("LOCAL_RANK")
    assert dist.get_node_local_rank(3) == 3


def test_backends(group):
    """What can be asked for is "gloo"."""
    assert dist.get_backend() == "gloo"
    assert dist.is_gloo_available()
    assert not dist.is_nccl_available()
    assert not dist.is_mpi_available()
    assert dist.Backend("GLOO") == dist.Backend.GLOO == "gloo"
    dist.destroy_process_group()
    with pytest.raises(RuntimeError, match="NCCL built in"):
        dist.init_process_group("nccl", world_size=1, rank=0)
    with pytest.raises(ValueError):
        dist.Backend(3)


@pytest.mark.filterwarnings("ignore")
def test_arguments(torch, monkeypatch):
    """Wrong arguments raise what PyTorch raises."""
    monkeypatch.delenv("RANK", raising=False)
    for lib in (flambeau, torch):
        d = lib.distributed
        with pytest.raises(AssertionError, match="both init_method and store"):
            d.init_process_group("gloo", init_method="env://", store=d.HashStore())
        with pytest.raises(AssertionError, match="world_size must be positive"):
            d.init_process_group("gloo", store=d.HashStore())
        with pytest.raises(ValueError, match="RANK expected"):
            d.init_process_group("gloo")
        with pytest.raises(RuntimeError, match="NCCL built in"):
            d.init_process_group("nccl", store=d.HashStore(), rank=0, world_size=1)


def test_groups(group):
    """Groups of all processes, and the numbers in them."""
    other = dist.new_group([0])
    assert (other.rank(), other.size(), other.name()) == (0, 1, "gloo")
    assert dist.get_world_size(other) == 1
    assert dist.get_global_rank(other, 0) == dist.get_group_rank(other, 0) == 0
    assert dist.get_process_group_ranks(other) == [0]
    assert dist.GroupMember.WORLD is group
    dist.destroy_process_group(other)
    with pytest.raises(ValueError, match="Rank 1 is out of range"):
        dist.new_group([0, 1])
    with pytest.raises(ValueError, match="Invalid process group"):
        dist.destroy_process_group(other)


def test_store(group):
    """The store that was given is that of the group."""
    dist.destroy_process_group()
    store = dist.HashStore()
    dist.init_process_group("gloo", store=store, world_size=1, rank=0)
    assert dist.group.WORLD.get_group_store() is store


def test_sampler(group):
    """A sampler for many processes gives this one everything."""
    data = flambeau.utils.data.TensorDataset(flambeau.arange(6))
    sampler = flambeau.utils.data.distributed.DistributedSampler(data, shuffle=False)
    assert list(sampler) == list(range(6))
