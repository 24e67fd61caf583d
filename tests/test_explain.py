"""`why` tells what became of the last program of a thread."""

import threading

import pytest

import flambeau
from flambeau import config
from flambeau.backends.llvm import jit


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Nothing compiled, in memory or on disk."""
    monkeypatch.setattr(config, "backend", "auto")
    monkeypatch.setattr(config, "cache", str(tmp_path))
    monkeypatch.setattr(jit, "_addresses", {})


def chain(x):
    y = x.square() + x
    return y.exp().sum(1)


def test_fused_lines(fresh):
    x = flambeau.ones(7, 5)
    flambeau.synchronize()
    chain(x).tolist()
    report = flambeau.why()
    (kernel,) = report.kernels
    first = chain.__code__.co_firstlineno + 1
    assert kernel.lines == {
        (__file__, first): ["mul", "add"],
        (__file__, first + 1): ["exp", "sum"],
    }
    assert report.lines == [(__file__, first), (__file__, first + 1)]
    assert (kernel.kind, kernel.operations, kernel.inputs) == ("row", 4, [(35,)])
    assert kernel.shape == (7, 1)
    assert f"test_explain.py:{first + 1}  exp, sum" in str(report)
    assert repr(report) == str(report)


def test_what_was_new(fresh):
    def step(n):
        (flambeau.arange(float(n)) * 1.75 + 0.5).tanh().tolist()
        return flambeau.why()

    told = [step(6) for _ in range(3)]
    assert [t.state for t in told] == ["interpreted", "compiled", "compiled"]
    assert [t.new for t in told] == ["structure", "structure", None]
    assert [t.runs for t in told] == [1, 2, 3]
    assert [t.kernels[-1].origin for t in told] == ["interpreted", "compiled", "compiled"]
    other = [step(9) for _ in range(3)]  # sizes are arguments of a kernel
    assert [t.new for t in other] == ["shape", "shape", None]
    assert {k.origin for k in other[-1].kernels} == {"memory"}


def test_found_on_disk(fresh, monkeypatch):
    def step(x):
        (x * 2.125 - 1).cos().tolist()
        return flambeau.why().kernels[-1].origin

    monkeypatch.setattr(config, "backend", "llvm")
    assert step(flambeau.ones(3)) == "compiled"
    monkeypatch.setattr(jit, "_addresses", {})
    assert step(flambeau.ones(3, 2)) in ("disk", "compiled")
    monkeypatch.setattr(jit, "_addresses", {})
    assert step(flambeau.ones(4, 3, 2)) == "disk"


def test_products_and_numpy(fresh):
    x = flambeau.rand(6, 6)
    ((x @ x).sort(0).values + 1).tolist()
    kinds = [k.kind for k in flambeau.why().kernels]
    assert "matmul" in kinds
    assert "numpy" in kinds


def test_each_thread_has_its_own():
    flambeau.ones(3).add(2).tolist()
    before = str(flambeau.why())
    seen = []

    def work():
        with pytest.raises(RuntimeError, match="no program yet"):
            flambeau.why()
        flambeau.ones(3).sub(2).exp().tolist()
        seen.append(str(flambeau.why()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "exp" in seen[0]
    assert str(flambeau.why()) == before


def test_training_step(fresh):
    model = flambeau.nn.Linear(3, 2)
    optimizer = flambeau.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        model(flambeau.ones(4, 3)).square().mean().backward()
        optimizer.step()
    report = flambeau.why()
    assert report.new is None
    assert report.state == "compiled"
    assert len(report.outputs) >= 2
    assert report.arena >= 0
    assert len(report.kernels) >= 2


def test_pending():
    """What is recorded can be planned without being run."""
    x = flambeau.rand(50, 40)
    flambeau.synchronize()
    before = str(flambeau.why())
    y = (x @ x.t()).exp().sum(0)
    x[0] = 1.0
    report = flambeau.why(pending=True)
    assert (report.runs, report.state) == (0, "interpreted")
    assert report.peak >= x.nbytes + y.nbytes
    assert (50,) in [shape for shape, _ in report.outputs]
    assert str(flambeau.why()) == before
    assert y.tolist() == pytest.approx(y.tolist())
    assert x[0].sum().item() == 40
    assert flambeau.why(pending=True).kernels == []
