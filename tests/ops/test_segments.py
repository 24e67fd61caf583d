"""Errors of `segment_reduce`, `nonzero_static` and `histogramdd`, and what they need not copy."""

import pytest

import flambeau


def errors_of(library):
    """The classes that wrong calls raise."""
    x, two = library.ones(3, 2), library.tensor([2, 1])
    calls = [
        lambda: library.segment_reduce(x, "other", lengths=two),
        lambda: library.segment_reduce(x, "sum"),
        lambda: library.segment_reduce(x, "sum", lengths=library.tensor([2, 2])),
        lambda: library.segment_reduce(x, "sum", lengths=library.tensor([-1, 4])),
        lambda: library.nonzero_static(x, size=-1),
        lambda: library.histogramdd(x[0], 2),
        lambda: library.histogramdd(x, [2]),
        lambda: library.histogramdd(x, 2, range=(0.0, 1.0)),
        lambda: library.histogramdd(x, 2, weight=library.ones(2)),
    ]
    found = []
    for call in calls:
        with pytest.raises(Exception) as caught:
            call()
        found.append(caught.type)
    return found


def test_errors(torch):
    assert errors_of(flambeau) == errors_of(torch)


def test_ties(torch):
    """Segments share the gradient of a maximum that occurs twice."""
    grads = []
    for library in (torch, flambeau):
        x = library.tensor([1.0, 3.0, 3.0, 2.0], requires_grad=True)
        lengths = library.tensor([3, 1])
        library.segment_reduce(x, "max", lengths=lengths).sum().backward()
        grads.append(x.grad.tolist())
    assert grads[0] == grads[1]
