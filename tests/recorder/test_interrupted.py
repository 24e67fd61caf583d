"""An exception from outside in the middle of recording loses values, never mixes them up."""

import pytest

import flambeau
from flambeau.recorder.states import root_of
from flambeau.recorder.trace import local


def tear(amount):
    """Leave the current segment as an interruption in the middle of an operation would."""
    segment = local.trace.segment
    if amount == "handles":
        segment.handles.append(flambeau.ones(1))
    elif amount == "state":
        segment.node = segment.node.parent
    elif amount == "scalars":
        segment.scalars.append(1.0)
    else:
        segment.leaves.append(segment.leaves[0])


@pytest.mark.parametrize("amount", ["handles", "state", "scalars", "leaves"])
def test_what_was_recorded_is_lost_and_memory_stays(amount):
    x = flambeau.tensor([1.0, 2.0])
    x += 1.0
    assert x.tolist() == [2.0, 3.0]
    y = x * 2.0
    x *= 3.0
    tear(amount)
    with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
        y.tolist()
    with pytest.raises(RuntimeError, match="never computed"):
        y.tolist()
    assert local.trace.segment.node is root_of(True, None)
    assert (flambeau.tensor([1.0]) + 1.0).tolist() == [2.0]


def test_parameters_keep_what_was_in_memory():
    w = flambeau.ones(3, requires_grad=True)
    optimizer = flambeau.optim.SGD([w], lr=0.5)
    (w * 2.0).sum().backward()
    optimizer.step()
    before = w.tolist()
    loss = (w * w).sum()
    tear("handles")
    with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
        loss.item()
    assert w.tolist() == before
    optimizer.zero_grad()
    (w * w).sum().backward()
    optimizer.step()
    assert w.tolist() == [b - 0.5 * 2 * b for b in before]


def test_what_does_not_depend_on_a_failure_is_computed(monkeypatch):
    """Also what is written in place: each value is that of its line, whatever failed."""
    monkeypatch.setattr(flambeau.config, "backend", "auto")
    x = flambeau.tensor([1.0, 2.0, 3.0])
    x.tolist()
    doubled = x * 2.0
    w = flambeau.ones(3, requires_grad=True)
    x += 10.0
    late = x * 2.0
    bad = doubled[flambeau.tensor([7])]
    with pytest.raises(IndexError):
        bad.tolist()
    assert doubled.tolist() == [2.0, 4.0, 6.0]
    assert late.tolist() == [22.0, 24.0, 26.0]
    assert x.tolist() == [11.0, 12.0, 13.0]
    (w * x).sum().backward()
    assert w.grad.tolist() == [11.0, 12.0, 13.0]
    with pytest.raises(RuntimeError, match="never computed"):
        bad.tolist()
