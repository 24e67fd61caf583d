"""Which leaves the gradient of a tensor would reach."""

from ..autograd.engine import gradient_place
from ..autograd.paths import gradient_inputs
from ..recorder.trace import local

__all__ = ["reaches_others"]


def reaches_others(tensor, own):
    """Whether gradients of a tensor reach a leaf whose id is not one of `own`."""
    seen, stack = set(), [gradient_place(tensor)]
    while stack:
        place = stack.pop()
        if place in seen:
            continue
        seen.add(place)
        graph, position = place
        state = _state(graph, position)
        if state.grad == "leaf":
            leaves = local.trace.segment.grad_leaves if graph is None else graph.grad_leaves
            leaf, history = leaves.get(position, (None, None))
            if history is not None:
                stack.append(history)
            elif id(leaf) not in own:
                return True
        elif state.grad is not None:
            metas = [None if p is None else _meta(graph, p) for p in gradient_inputs(state)]
            stack.extend(
                (graph, p)
                for p, meta in zip(gradient_inputs(state), metas, strict=True)
                if meta is not None and meta.requires_grad
            )
    return False


def _state(graph, position):
    if graph is not None:
        return graph.spec.index[position]
    node = local.trace.segment.node
    while not node.first <= position < node.end:
        node = node.parent
    return node


def _meta(graph, position):
    state = _state(graph, position)
    return state.metas[position - state.first]
