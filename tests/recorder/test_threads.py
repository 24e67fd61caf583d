"""Threads record traces of their own, and may use one another's tensors."""

import sys
import threading

import pytest

import flambeau


def run_all(*functions):
    """Run functions in threads; raises what one of them raised."""
    errors = []

    def guarded(f):
        try:
            f()
        except BaseException as error:  # handed to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
        assert not t.is_alive()
    if errors:
        raise errors[0]


def test_a_pending_tensor_is_used_by_another_thread():
    x = flambeau.ones(4) * 3
    seen = []
    run_all(lambda: seen.append((x + 1).tolist()))
    assert seen == [[4.0] * 4]
    assert x.tolist() == [3.0] * 4


def test_memory_that_two_threads_read_is_changed_outside():
    """What was recorded before NumPy changes a view is computed before, in each thread."""
    x = flambeau.arange(8.0)
    flambeau.synchronize()
    x, part = x[1:], x[2:]
    mine = x * 2
    kept = []
    run_all(lambda: kept.append(part + 1))
    array = part.numpy()
    array += 100
    assert mine.tolist() == [2.0 * k for k in range(1, 8)]
    assert kept[0].tolist() == [1.0 + k for k in range(2, 8)]


def test_many_threads_read_one_tensor():
    x = flambeau.arange(1000.0)
    results = [None] * 4

    def work(k):
        def f():
            total = 0.0
            for i in range(20):
                total += (x * (k + 1) + i).sum().item()
            results[k] = total

        return f

    run_all(*(work(k) for k in range(4)))
    base = sum(range(1000))
    for k in range(4):
        assert results[k] == pytest.approx(20 * base * (k + 1) + 1000 * sum(range(20)), rel=1e-5)


def test_grad_mode_belongs_to_a_thread():
    x = flambeau.ones(2, requires_grad=True)
    seen = []
    with flambeau.no_grad():
        run_all(lambda: seen.append((x * 2).requires_grad))
        assert not (x * 2).requires_grad
    assert seen == [True]


def test_backward_in_another_thread():
    x = flambeau.ones(3, requires_grad=True)
    y = (x * x * 2).sum()
    run_all(y.backward)
    assert x.grad.tolist() == [4.0] * 3


def test_each_thread_trains_its_own_parameter():
    finals = {}

    def train(seed):
        def f():
            w = flambeau.full((3,), float(seed), requires_grad=True)
            for _ in range(15):
                ((w - 1) ** 2).sum().backward()
                with flambeau.no_grad():
                    w -= 0.1 * w.grad
                w.grad = None
            finals[seed] = w.tolist()

        return f

    run_all(*(train(k) for k in range(4)))
    for seed, values in finals.items():
        expected = 1 + (seed - 1) * 0.8**15
        assert values == pytest.approx([expected] * 3, rel=1e-5)


def test_writes_of_another_thread_are_seen():
    x = flambeau.zeros(3)
    view = x[1:]

    def write():
        x.add_(2)
        view.mul_(3)

    run_all(write)
    assert x.tolist() == [2.0, 6.0, 6.0]
    assert view.tolist() == [6.0, 6.0]


def test_results_travel_through_a_chain_of_threads():
    box = [flambeau.ones(2)]
    for k in range(5):
        run_all(lambda k=k: box.append(box[-1] * 2 + k))
    assert box[-1].tolist() == [58.0, 58.0]


def test_view_of_what_another_thread_runs():
    """Two threads look at the same pending tensor: one at its values, one at a view of it."""
    failed = []

    def look(x):
        try:
            for _ in range(3):
                (x + 1).tolist()
                x.detach()
        except Exception as error:
            failed.append(error)

    for k in range(40):
        x = flambeau.full((3,), float(k)) * 2
        thread = threading.Thread(target=look, args=(x,))
        thread.start()
        views = [x.detach(), x[1:], x.detach()]
        look(views[0])
        thread.join()
        assert [v.tolist()[-1] for v in views] == [2.0 * k] * 3
    assert failed == []


def test_records_are_whole_when_another_thread_sees_them():
    interval = sys.getswitchinterval()
    meet = threading.Barrier(4)

    def walk():
        for size in range(2, 40):
            meet.wait()
            x = flambeau.ones(2 * size)[size:]
            with flambeau.no_grad():
                y = x.view(size, 1).sum(1)
            assert y.sum().item() == size

    sys.setswitchinterval(1e-6)
    try:
        run_all(*[walk] * 4)
    finally:
        sys.setswitchinterval(interval)
