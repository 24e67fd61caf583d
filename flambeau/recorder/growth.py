"""Tells of graphs that grow from one training step to the next, as in `total += loss`.

What such a tensor was made of can never be freed. The sign is a graph that depends, one graph
below another, on many that a backward pass has been through already: nothing can pass there again.
"""

import warnings

from .. import config

__all__ = ["EVERY", "note_growth"]

EVERY = 61  # one graph of so many is looked at: a prime, lest it is always the same of each step
MANY = 40  # graphs of earlier steps below one
_told = set()  # lines


def note_growth(graph):
    """Warn, once for each line, if a graph of the autograd engine has grown step by step.

    Raises RuntimeError instead in strict mode.
    """
    known, stack, passed = {id(graph)}, [graph], 0
    while stack:
        current = stack.pop()
        passed += bool(current.freed)
        for below in _below(current):
            if id(below) not in known:
                known.add(id(below))
                stack.append(below)
    if passed < MANY:
        return
    file, line = _growing(graph)
    if (file, line) in _told:
        return
    message = (
        f"the graph that ends here ({file}:{line}) has grown over {passed} backward passes, and "
        "keeps the memory of every step. To sum up losses, add loss.item() or loss.detach()."
    )
    if config.strict:
        raise RuntimeError(message)
    _told.add((file, line))
    warnings.warn_explicit(message, UserWarning, file, line)


def _below(graph):
    """The graphs that a graph goes on from."""
    return [entry[1][0] for entry in graph.grad_leaves.values() if entry[1] is not None]


def _growing(graph):
    """The line of the last record that goes on with an earlier graph which was passed."""
    ends = {p for p, (_, h) in graph.grad_leaves.items() if h is not None and _depends(h[0])}
    found = None
    for state in graph.spec.path:
        if state.grad is not None and any(type(x) is int and x in ends for x in state.operands):
            found = state.line
    return found or ("?", 0)


def _depends(graph):
    return bool(graph.freed) or bool(_below(graph))
