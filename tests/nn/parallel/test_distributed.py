"""`flambeau.nn.parallel.distributed`."""

import pytest

import flambeau
from flambeau import nn
from flambeau.nn.parallel import DistributedDataParallel


@pytest.fixture
def group():
    """A group of one process."""
    flambeau.distributed.init_process_group("gloo", world_size=1, rank=0)
    yield flambeau.distributed.group.WORLD
    flambeau.distributed.destroy_process_group()


def test_one_process(group):
    inner = nn.Linear(2, 3)
    net = DistributedDataParallel(inner, find_unused_parameters=True, broadcast_buffers=False)
    assert net.module is inner
    assert net.process_group is group
    assert repr(net).startswith("DistributedDataParallel(\n  (module): Linear(")
    assert list(net.state_dict()) == ["module.weight", "module.bias"]
    x = flambeau.randn(4, 2)
    with net.no_sync():
        assert not net.require_backward_grad_sync
        net(x).sum().backward()
    with net.join():
        net(input=x).sum().backward()
    assert net.require_backward_grad_sync
    assert inner.bias.grad.tolist() == [8.0, 8.0, 8.0]
    net.register_comm_hook(None, lambda state, bucket: None)
    assert not net.eval().module.training


def test_without_a_group():
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        DistributedDataParallel(nn.Linear(2, 3))


@pytest.mark.usefixtures("group")
def test_what_it_refuses():
    with pytest.raises(RuntimeError, match="any parameter that requires a gradient"):
        DistributedDataParallel(nn.ReLU())
    with pytest.raises(RuntimeError, match="uninitialized parameters"):
        DistributedDataParallel(nn.LazyLinear(3))
    with pytest.raises(ValueError, match="only work with single-device"):
        DistributedDataParallel(nn.Linear(2, 3), device_ids=[0])
