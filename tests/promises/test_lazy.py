"""Nobody can tell that execution is lazy and compiled: what others got wrong is tried here."""

import threading

import pytest

import flambeau
from flambeau import config
from flambeau.backends import Executable
from flambeau.backends.llvm import jit
from flambeau.backends.numpy import interpret
from flambeau.recorder.trace import local


@pytest.fixture(params=["numpy", "llvm", "auto"])
def backend(monkeypatch, request):
    monkeypatch.setattr(config, "backend", request.param)


def test_each_replay_reads_its_own_inputs(backend):
    table = flambeau.zeros(4)
    seen = []
    for k in range(5):
        x = flambeau.tensor([float(k), 1.0])
        table[:2] += x
        seen.append((x * 2 + k).tolist())
    assert seen == [[3.0 * k, 2.0 + k] for k in range(5)]
    assert table.tolist() == [10.0, 5.0, 0.0, 0.0]


def test_replay_forgets_what_is_gone(backend):
    for k in range(4):
        x = flambeau.full((3,), float(k))
        y = x + 1
        del x
        assert y.tolist() == [k + 1.0] * 3


def test_write_of_a_slice_changes_nothing_computed_before(backend):
    x = flambeau.arange(6.0)
    before, view = x * 10, x[2:4]
    copy = x.clone()
    x[2:4] = -1
    view += 5
    x[0] = 7
    assert before.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
    assert copy.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert x.tolist() == [7.0, 1.0, 4.0, 4.0, 4.0, 5.0]
    assert view.tolist() == [4.0, 4.0]


def test_value_saved_for_backward_stays(backend):
    w = flambeau.tensor([0.5, 1.0], requires_grad=True)
    for _ in range(3):
        w.grad = None
        y = w.exp()  # its derivative reads it again
        expected = y.tolist()
        z = y.clone()
        z.mul_(100)
        (y.sum() + z.sum() * 0).backward()
        assert w.grad.tolist() == expected


def test_check_names_the_kernel_that_differs(monkeypatch):
    monkeypatch.setattr(config, "backend", "llvm")
    monkeypatch.setattr(config, "check", True)
    rule = interpret.RULES["map"]
    wrong = {"cosh": 1.0}

    def off(node, inputs, leaves, scalars):
        return rule(node, inputs, leaves, scalars) + wrong.get(node.op.name, 0)

    monkeypatch.setitem(interpret.RULES, "map", off)
    x = flambeau.ones(5)
    y = x.cosh()
    with pytest.raises(RuntimeError, match=r"differs from the interpreter .*test_lazy.py:\d+"):
        y.tolist()


def test_pending_records_are_bounded(monkeypatch):
    monkeypatch.setattr(config, "max_trace", 40)
    flambeau.synchronize()
    x = flambeau.ones(17, 3)
    most = 0
    for k in range(300):
        x = x * 1.001 + k % 7
        most = max(most, len(local.trace.segment.handles))
    assert most <= 50
    assert x.shape == (17, 3)


def test_pending_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(config, "max_pending", 1 << 16)
    flambeau.synchronize()
    x = flambeau.ones(1234)
    most = 0
    for k in range(60):
        x = (x + k).sqrt()
        most = max(most, local.trace.segment.node.pending)
    assert most < 3 << 16


def test_errors_are_raised_by_the_call():
    before = local.trace.segment
    with pytest.raises(RuntimeError, match="size of tensor a"):
        flambeau.ones(2) + flambeau.ones(3)
    with pytest.raises(RuntimeError):
        flambeau.ones(2, 3) @ flambeau.ones(2, 3)
    with pytest.raises(RuntimeError):
        flambeau.ones(2, dtype=flambeau.int64).requires_grad_()
    with pytest.raises(IndexError):
        flambeau.ones(2).sum(3)
    assert local.trace.segment is before  # nothing had to run for that


def test_new_sizes_compile_nothing(monkeypatch):
    monkeypatch.setattr(config, "backend", "llvm")

    def step(rows):
        (flambeau.ones(rows, 24) * 1.5).softmax(1).sum(0).tolist()

    step(33)
    step(41)
    before = jit.compiled_count
    for rows in (57, 64, 99):
        step(rows)
        assert flambeau.why().new == "shape"
    assert jit.compiled_count == before


def steps(count, programs):
    """Train a little; `programs` gets how many programs each step ran."""
    model = flambeau.nn.Sequential(
        flambeau.nn.Linear(4, 8), flambeau.nn.ReLU(), flambeau.nn.Linear(8, 3)
    )
    optimizer = flambeau.optim.Adam(model.parameters())
    x, y = flambeau.randn(16, 4), flambeau.randint(0, 3, (16,))
    for _ in range(count):
        before = sum(programs)
        loss = flambeau.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        yield sum(programs) - before


def test_a_training_step_is_one_program(monkeypatch):
    programs, found = [], []
    run = Executable.run

    def counted(self, leaves, scalars):
        programs.append(1)
        return run(self, leaves, scalars)

    monkeypatch.setattr(Executable, "run", counted)
    # In a thread whose tensors no other thread has looked at.
    thread = threading.Thread(target=lambda: found.extend(steps(4, programs)))
    thread.start()
    thread.join()
    assert found[1:] == [1, 1, 1]
