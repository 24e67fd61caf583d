"""Tensors on their way to another process."""

import os
import subprocess
import sys
import textwrap
from multiprocessing.reduction import ForkingPickler

import pytest

import flambeau
from flambeau import multiprocessing as mp

STRATEGIES = sorted(mp.get_all_sharing_strategies())


@pytest.fixture(params=STRATEGIES)
def strategy(request):
    before = mp.get_sharing_strategy()
    mp.set_sharing_strategy(request.param)
    yield request.param
    mp.set_sharing_strategy(before)


def there_and_back(obj):
    here, there = mp.Pipe()
    with here, there:
        here.send(obj)
        return there.recv()


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32", "bfloat16", "complex64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_tensors(strategy, dtype, shape):
    x = flambeau.ones(shape, dtype=getattr(flambeau, dtype))
    y = there_and_back(x)
    assert x.is_shared()
    assert (y.dtype, y.shape, y.tolist()) == (x.dtype, x.shape, x.tolist())


def test_memory_is_shared(strategy):
    x = flambeau.arange(12.0).reshape(3, 4)
    got = there_and_back([x, x[1], x.T])
    got[1].zero_()
    assert x[1].tolist() == [0, 0, 0, 0]
    assert got[2].stride() == (1, 4)
    x[0, 0] = 9.0
    assert got[0][0, 0].item() == got[2][0, 0].item() == 9
    assert got[0].data_ptr() == x.data_ptr()


def test_gradients(strategy):
    x = flambeau.ones(2, requires_grad=True)
    assert there_and_back(x).requires_grad
    with pytest.raises(RuntimeError, match="non-leaf tensor which requires_grad"):
        ForkingPickler.dumps(x * 2)
    weight = there_and_back(flambeau.nn.Parameter(x.detach()))
    assert type(weight) is flambeau.nn.Parameter
    assert weight.requires_grad


def test_modules(strategy):
    model = flambeau.nn.Sequential(flambeau.nn.Linear(2, 2), flambeau.nn.BatchNorm1d(2))
    got = there_and_back(model)
    with flambeau.no_grad():
        got[0].weight.fill_(3.0)
        got[1].running_mean.fill_(1.0)
    assert model[0].weight.tolist() == [[3, 3], [3, 3]]
    assert model[1].running_mean.tolist() == [1, 1]


def answer(requests, answers):
    for x in iter(requests.get, None):
        x.mul_(2)
        answers.put((x, x.sum()))
    answers.get()  # until the other side has them


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_queues(strategy, method):
    if method not in mp.get_all_start_methods():
        pytest.skip(f"no {method} here")
    context = mp.get_context(method)
    requests, answers = context.Queue(), context.SimpleQueue()
    process = context.Process(target=answer, args=(requests, answers), daemon=True)
    process.start()
    for k in range(3):
        x = flambeau.full((4,), float(k))
        requests.put(x)
        y, total = answers.get()
        assert y.tolist() == x.tolist() == [2 * k] * 4
        assert total.item() == 8 * k
    requests.put(None)
    answers.put(None)
    process.join(20)
    assert process.exitcode == 0


def scale(x):
    return x * 2


def test_pool(strategy):
    with mp.get_context("spawn").Pool(1) as pool:
        got = pool.map(scale, [flambeau.ones(2), flambeau.zeros(1)])
        assert [x.tolist() for x in got] == [[2, 2], [0]]
        assert pool.apply(flambeau.neg, (flambeau.ones(1),)).tolist() == [-1]


def test_strategies():
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(ValueError, match="no sharing strategy 'mail'"):
        mp.set_sharing_strategy("mail")


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="needs /dev/shm")
def test_no_files_are_left():
    """Not even of what nobody fetched."""
    before = set(os.listdir("/dev/shm"))
    program = """
        import flambeau, os
        from flambeau import multiprocessing as mp
        mp.set_sharing_strategy("file_system")
        here, there = mp.Pipe()
        x = flambeau.ones(3)
        here.send(x)
        here.send(x)
        there.recv()
        print(sum(name.startswith("flambeau-") for name in os.listdir("/dev/shm")))
    """
    run = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 2
    assert {n for n in os.listdir("/dev/shm") if n.startswith("flambeau-")} <= before
