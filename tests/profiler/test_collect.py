"""What a profile notes of programs: kernels, lines, regions, and nothing once it is over."""

import pytest

import flambeau
from flambeau import config, nn
from flambeau.autograd.watch import lines
from flambeau.profiler import profile, record_function
from flambeau.recorder import sync, trace


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(flambeau.tanh(self.body(x)))


def training_step(net, optimizer):
    optimizer.zero_grad()
    with record_function("forward"):
        loss = net(flambeau.ones(5, 6)).square().mean()
    loss.backward()
    optimizer.step()
    return loss.item()


@pytest.fixture(params=["auto", "numpy", "llvm"])
def backend(request, monkeypatch):
    """Each way to run a program."""
    monkeypatch.setattr(config, "backend", request.param)
    monkeypatch.setattr(config, "check", False)
    return request.param


def test_training(backend):
    """Kernels are timed, by module, forward and backward; results are as without."""
    losses = []
    for profiled in (False, True):
        flambeau.manual_seed(0)
        net = Net()
        optimizer = flambeau.optim.SGD(net.parameters(), lr=0.1)
        if profiled:
            with profile() as prof:
                losses.append([training_step(net, optimizer) for _ in range(3)])
        else:
            losses.append([training_step(net, optimizer) for _ in range(3)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    found = {a.key: a for a in prof.modules()}
    assert {"forward", "Net", "Net.body", "Net.head", "Optimizer.step#SGD.step"} <= found.keys()
    assert found["Net"].cpu_time_total >= found["Net.head"].cpu_time_total > 0
    kinds = {e.kind for e in prof.events()}
    assert {"python", "program", "range"} <= kinds
    assert kinds & {"numpy", "kernel"}
    assert {e.name for e in prof.events() if e.kind == "range"} == {
        "forward",
        "Optimizer.step#SGD.step",
    }


def test_everything_counts_once():
    """Times of their own add up to the whole."""
    with profile() as prof:
        for _ in range(3):
            (flambeau.ones(50, 50) @ flambeau.ones(50, 50)).exp().sum().item()
    events = prof.events()
    assert all(e.own >= 0 and e.end >= e.start for e in events)
    first, last = min(e.start for e in events), max(e.end for e in events)
    assert sum(e.own for e in events) == pytest.approx(last - first, rel=1e-6)


def test_lines():
    """A kernel is named by its operations and the lines they come from."""
    x = flambeau.ones(40, 30)
    flambeau.synchronize()
    with profile(with_modules=False) as prof:
        x.exp().sum(1).tolist()
    (name,) = {e.name for e in prof.events() if e.kind == "kernel"}
    assert name.startswith("row: exp, sum (test_collect.py:")


def test_numpy_calls():
    """What NumPy computes is an event of its own."""
    with profile() as prof:
        flambeau.rand(9).sort().values.tolist()
    assert any("sort" in e.name for e in prof.events() if e.kind == "numpy")


def test_errors():
    """Where a program fails the error is as without, and the profile goes on."""
    x, index = flambeau.ones(3), flambeau.tensor([5])
    with profile() as prof:
        with pytest.raises(IndexError, match="out of"):
            x[index].tolist()
        (x + 1).tolist()
    assert any(e.kind == "kernel" for e in prof.events())


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_anomaly_detection():
    """Both can look at a backward pass."""
    x = flambeau.ones(3, requires_grad=True)
    with flambeau.autograd.detect_anomaly(check_nan=False), profile():
        x.exp().sum().backward()
        assert lines.check is not None
    assert x.grad is not None


def test_no_trace_is_left():
    """Afterwards programs run as before."""
    with profile():
        flambeau.ones(2).tolist()
    assert sync.timed is None
    assert trace.run_segment is sync.run
    assert lines.check is lines.done is None
