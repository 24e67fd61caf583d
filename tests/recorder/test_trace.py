"""The trie of traces: known walks, sync points, budgets, threads."""

import threading

import pytest

import flambeau
from flambeau import config
from flambeau.recorder import states, trace


def walk(x):
    """Some records and a sync."""
    return ((x * 2 + 1) * x).sum().item()


def test_a_second_walk_adds_nothing():
    x = flambeau.tensor([1.0, 2.0])
    trace.flush()
    walk(x)
    before = states._states
    assert walk(flambeau.tensor([3.0, 4.0])) == 57.0
    assert states._states == before


def test_numbers_are_not_part_of_the_trace():
    x = flambeau.tensor([1.0, 2.0])
    (x * 2.0).tolist()
    before = states._states
    assert (x * 7.5).tolist() == [7.5, 15.0]
    assert states._states == before


def test_only_what_is_alive_is_computed():
    x = flambeau.tensor([1.0, 2.0])
    dead = x * 3
    kept = x * 4
    segment = trace.local.trace.segment
    state = segment.node
    del dead
    trace.flush()
    (task,) = state.programs.values()
    assert len(task.executable.program.outputs) == 1
    assert kept.tolist() == [4.0, 8.0]


def test_a_long_trace_is_run_by_itself(monkeypatch):
    monkeypatch.setattr(config, "max_trace", 50)
    x = flambeau.tensor([1.0])
    y = x
    for _ in range(500):
        y = y + x
        assert trace.local.trace.segment.node.end <= 52
    assert y.item() == 501.0


def test_pending_bytes_are_bounded(monkeypatch):
    monkeypatch.setattr(config, "max_pending", 1 << 16)
    x = flambeau.ones(1 << 12)
    results = [x * float(k) for k in range(40)]
    assert trace.local.trace.segment.node.pending <= 2 << 16
    assert [r[0].item() for r in results] == [float(k) for k in range(40)]


def test_the_trie_is_bounded(monkeypatch):
    monkeypatch.setattr(states, "MAX_STATES", states._states + 200)
    x = flambeau.tensor([1.0])
    for k in range(100):
        y = x
        for _ in range(k % 13):
            y = y + float(k)
        y.reshape([1] * (k % 7 + 1)).tolist()
    assert states._states <= states.MAX_STATES + 1
    assert walk(x) == 3.0


def test_a_tensor_of_another_thread():
    x = flambeau.tensor([1.0, 2.0]) * 3  # pending here
    found = []
    thread = threading.Thread(target=lambda: found.append((x + 1).tolist()))
    thread.start()
    thread.join()
    assert found == [[4.0, 7.0]]
    assert x.tolist() == [3.0, 6.0]


def test_threads_record_apart():
    x = flambeau.tensor([1.0, 2.0, 3.0])
    errors = []

    def work(k):
        try:
            for step in range(200):
                y = x * float(k) + float(step)
                with flambeau.no_grad():
                    assert y.tolist() == [k * v + step for v in (1.0, 2.0, 3.0)]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors


def test_grad_mode_is_recorded():
    x = flambeau.tensor([1.0], requires_grad=True)
    for _ in range(3):
        y = x * 2
        with flambeau.no_grad():
            z = x * 2
        assert y.requires_grad
        assert not z.requires_grad
        trace.flush()


def test_errors_are_raised_by_the_call():
    x, y = flambeau.ones(2, 3), flambeau.ones(4, 5)
    with pytest.raises(RuntimeError, match=r"\[2, 3\] and \[4, 5\]"):
        x + y
    assert x.sum().item() == 6.0


def test_what_is_there_is_read_without_a_run():
    """Looking at memory that a segment only reads, or at a view of it, leaves the segment be."""
    x = flambeau.tensor([1.0, 2.0, 3.0])
    w = flambeau.tensor([[1.0, 2.0]], requires_grad=True)
    y = x * 2
    z = w.reshape(2) + 1
    pending = trace.local.trace.segment.node
    assert x.tolist() == [1, 2, 3]
    assert x[1].item() == 2
    assert w.reshape(2)[1].item() == 2
    assert trace.local.trace.segment.node.depth >= pending.depth
    assert y._segment is trace.local.trace.segment
    assert y.tolist() == [2, 4, 6]
    assert z.tolist() == [2, 3]


def test_what_was_written_is_not_read_too_early():
    x = flambeau.tensor([1.0, 2.0, 3.0])
    y = x * 2
    x += 1
    assert x.tolist() == [2, 3, 4]
    assert y.tolist() == [2, 4, 6]
    part = x[1:]
    part.mul_(10)
    assert x[1].item() == 30
    assert x.tolist() == [2, 30, 40]
    w = flambeau.tensor([1.0], requires_grad=True)
    with flambeau.no_grad():
        w.add_(5)
    assert w.item() == 6
    seen = w.detach()
    with flambeau.no_grad():
        w.mul_(2)
    assert seen.item() == 12
    array = x.numpy()
    total = x + 0
    array[0] = 100
    assert total.tolist() == [2, 30, 40]
    assert x.tolist() == [100, 30, 40]
