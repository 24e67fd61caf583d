"""Paths of states as graphs: which positions gradients pass."""

from ..recorder.states import FREE, MARK

__all__ = ["freed_positions", "gradient_inputs", "index_path", "meta_at", "passed", "reachable"]


def index_path(path):
    """The state that made each position."""
    return {p: s for s in path for p in range(s.first, s.end)}


def meta_at(index, position):
    state = index[position]
    return state.metas[position - state.first]


def gradient_inputs(state):
    """The positions that a state's gradient goes to, None for those that get none."""
    if state.grad == "keep":
        return (state.operands[1 if state.op is MARK else 0],)
    return tuple(p if type(p) is int else None for p in state.operands)


def reachable(roots, index):
    """The positions that gradients pass through on the way from `roots` to leaves.

    All results of an operation count as passed where one is.
    """
    seen, stack = set(), list(roots)
    while stack:
        position = stack.pop()
        if position in seen:
            continue
        state = index[position]
        if state.grad not in ("op", "keep"):
            continue
        seen.update(range(state.first, state.end))
        stack.extend(p for p in gradient_inputs(state) if p is not None)
    return seen


def passed(roots, towards, index):
    """The positions passed on the way from `roots` to those of `towards`, to all leaves if None.

    Those where the way ends are not passed.
    """
    seen = reachable(roots, index)
    if towards is None:
        return seen
    ends, found = frozenset(towards), set()
    for position in sorted(seen):
        if any(p in ends or p in found for p in gradient_inputs(index[position])):
            found.add(position)
    return found


def freed_positions(path, index):
    """The positions whose graph was walked by a backward pass that did not retain it."""
    freed = set()
    for state in path:
        if state.op is FREE:
            freed |= passed(state.operands, state.attrs["towards"], index)
    return freed
