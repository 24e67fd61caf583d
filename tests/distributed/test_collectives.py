"""Collective operations among one process."""

import pytest

import flambeau
from flambeau import distributed as dist


@pytest.fixture(autouse=True)
def group():
    """A default group."""
    dist.init_process_group("gloo", world_size=1, rank=0)
    yield
    dist.destroy_process_group()


def pair():
    return flambeau.tensor([1.0, 2.0]), flambeau.zeros(2)


def test_in_place():
    """What every process has stays as it is."""
    x, _ = pair()
    x.requires_grad_()
    for op in (dist.ReduceOp.SUM, dist.ReduceOp.AVG, dist.ReduceOp.MAX):
        assert dist.all_reduce(x, op=op) is None
    dist.reduce(x, 0)
    dist.broadcast(x, src=0)
    dist.barrier()
    dist.monitored_barrier()
    assert x.tolist() == [1, 2]


@pytest.mark.parametrize(
    "collect",
    [
        lambda out, x, **k: dist.all_gather([out], x, **k),
        lambda out, x, **k: dist.all_gather_into_tensor(out, x, **k),
        lambda out, x, **k: dist.all_gather_into_tensor(out.view(1, 2), x, **k),
        lambda out, x, **k: dist.gather(x, [out], **k),
        lambda out, x, **k: dist.scatter(out, [x], **k),
        lambda out, x, **k: dist.reduce_scatter(out, [x], **k),
        lambda out, x, **k: dist.reduce_scatter_tensor(out, x, **k),
        lambda out, x, **k: dist.reduce_scatter_tensor(out, x.view(1, 2), **k),
        lambda out, x, **k: dist.all_to_all([out], [x], **k),
        lambda out, x, **k: dist.all_to_all_single(out, x, **k),
    ],
)
def test_copies(collect):
    """What is collected of one process is what it has; also without waiting."""
    x, out = pair()
    assert collect(out, x) is None
    assert out.tolist() == [1, 2]
    x, out = pair()
    work = collect(out, x, async_op=True)
    assert work.wait()
    assert work.is_completed()
    assert work.is_success()
    assert work.result()[0].flatten().tolist() == [1, 2]
    assert work.get_future().wait()[0].flatten().tolist() == [1, 2]
    assert out.tolist() == [1, 2]


def test_objects():
    """Objects are copied."""
    given, out = {"a": [1]}, [None]
    dist.all_gather_object(out, given)
    assert out == [given]
    assert out[0] is not given
    dist.gather_object("b", out)
    assert out == ["b"]
    dist.scatter_object_list(out, ["c"], src=0)
    assert out == ["c"]
    dist.broadcast_object_list(out, src=0)
    assert out == ["c"]


@pytest.mark.filterwarnings("ignore")
def test_errors(torch):
    """Wrong arguments raise what PyTorch raises."""
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    calls = [
        lambda d, x, n: d.all_reduce([x]),
        lambda d, x, n: d.all_reduce(x, op="sum"),
        lambda d, x, n: d.all_gather([], x),
        lambda d, x, n: d.all_gather([n(3)], x),
        lambda d, x, n: d.all_gather_into_tensor(n(3), x),
        lambda d, x, n: d.broadcast(x, 1),
        lambda d, x, n: d.broadcast(x),
        lambda d, x, n: d.reduce(x),
        lambda d, x, n: d.send(x, 0),
        lambda d, x, n: d.gather(x),
        lambda d, x, n: d.scatter(x, []),
        lambda d, x, n: d.new_group([1]),
        lambda d, x, n: d.init_device_mesh("cpu", (2,)),
    ]
    try:
        for call in calls:
            with pytest.raises(Exception) as theirs:
                call(torch.distributed, torch.zeros(2), torch.zeros)
            with pytest.raises(theirs.type):
                call(dist, flambeau.zeros(2), flambeau.zeros)
    finally:
        torch.distributed.destroy_process_group()


def test_nobody_else():
    """There is no other process to talk to."""
    x, _ = pair()
    for f in (dist.send, dist.recv, dist.isend, dist.irecv):
        with pytest.raises(RuntimeError, match="no process 1"):
            f(x, 1)
    op = dist.P2POp(dist.isend, x, 1)
    with pytest.raises(RuntimeError, match="no process 1"):
        dist.batch_isend_irecv([op])
    with pytest.raises(ValueError, match="isend or irecv"):
        dist.P2POp(dist.send, x, 1)
