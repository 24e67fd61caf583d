"""The backward pass: derivative rules run over the recorded graph, and are recorded themselves.

The graph of the current segment is its path in the trie. Where a sync point ended a segment that
a later backward pass may start from, a `Graph` keeps that path and the values it needs. A backward
pass walks segments from the latest to the earliest. The first time, the rules run in Python; the
state keeps where that ended (a *macro*), and later walks jump there.
"""

from ..ops.api import FUNCTIONS
from ..recorder import inplace
from ..recorder.handle import Tensor
from ..recorder.trace import enter, flush, force, local
from . import modes
from .hooks import call_tensor_hooks
from .macros import run_segment
from .paths import gradient_inputs
from .rules import FREED, zeros_of

__all__ = ["backward", "grad"]


def _place(tensor):
    """(graph or None for the current segment, position) of a tensor with a history."""
    home = tensor._segment
    segment = local.trace.segment
    if home is not segment:
        if home is not None and not home.done:
            force(home)
        elif tensor._segment is None and tensor._view_of is not None:
            enter(tensor, segment)  # written to since: its history is that of its base
            return None, tensor._pos
    else:
        found = segment.grad_leaves.get(tensor._pos)
        return (None, tensor._pos) if found is None or found[1] is None else found[1]
    return tensor._history if tensor._history is not None else (None, enter(tensor, segment))


def run(roots, cotangents, targets, retain, create_graph):
    """Cotangents of all leaves that `roots` depend on, or of `targets` alone.

    Returns: a list of (tensor, cotangent) of leaves, or for each target its cotangent or None.
    """
    trace, was_open = local.trace, local.trace.open
    trace.hold += 1  # from here on no other thread takes the segment
    try:
        if trace.segment.contexts or trace.exposed:
            flush()  # what is recorded is then in memory, whatever a hook or another thread does
            trace.open = True
        with modes.set_grad_enabled(create_graph):
            return _run(roots, cotangents, targets, retain, create_graph)
    finally:
        trace.hold -= 1
        trace.open = was_open


def _run(roots, cotangents, targets, retain, create_graph):
    pending = {}  # graph or None -> {position: cotangent}
    for root, g in zip(roots, cotangents, strict=True):
        _add(pending, *_place(root), g)
    wanted = {}
    for k, t in enumerate(targets or ()):
        wanted.setdefault(_target_place(t), []).append(k)
    found = [None] * len(targets or ())
    leaves, leading = [], {}
    while pending:
        graph = None if None in pending else max(pending, key=lambda x: x.serial)
        seeds = pending.pop(graph)
        captures = {p: None for g, p in wanted if g is graph}
        retained = (local.trace.segment if graph is None else graph).retained
        if retained:
            captures.update(dict.fromkeys(retained))
        needed = None
        if targets is not None and (retained or _contexts(graph)):
            needed = _leading_to(graph, wanted, {id(t) for t in targets}, leading)
            seeds = {p: g for p, g in seeds.items() if p in needed}
        try:
            results = run_segment(graph, seeds, captures, retain, create_graph, needed)
        except RuntimeError as error:
            if error.args[:1] != (FREED,) or targets is None or needed is not None:
                raise
            # What was freed may not be on the way to a target.
            needed = _leading_to(graph, wanted, {id(t) for t in targets}, leading)
            seeds = {p: g for p, g in seeds.items() if p in needed}
            results = run_segment(graph, seeds, captures, retain, create_graph, needed)
        for p, g in captures.items():
            for k in wanted.get((graph, p), ()):
                found[k] = g
        if retained:
            accumulate(
                [(t(), captures[p]) for p, t in retained.items() if captures[p] is not None],
                create_graph,
            )
        owners = (local.trace.segment if graph is None else graph).grad_leaves
        for p, g in results.items():
            if p not in owners:
                continue
            owner, history = owners[p]
            if history is not None:
                _add(pending, *history, g)
            else:
                leaves.append((owner, g))
        if not retain and graph is not None:
            graph.free(seeds)
    leaves = _totals(leaves, targets)
    if targets is None:
        return leaves.values()
    for k, t in enumerate(targets):
        if found[k] is None and id(t) in leaves:
            found[k] = leaves[id(t)][1]
    return found


def _contexts(graph):
    return (local.trace.segment if graph is None else graph).contexts


def _leading_to(graph, wanted, ids, known):
    """The positions of a graph from which gradients come to a target.

    Args: wanted: (graph, position) of targets; ids: of leaves that are; known: of graphs so far.
    """
    if graph in known:
        return known[graph]
    segment = local.trace.segment
    path = segment.node.path() if graph is None else graph.spec.path
    leaves = (segment if graph is None else graph).grad_leaves
    found = known[graph] = set()
    for state in path:
        if state.grad == "leaf":
            leaf, history = leaves.get(state.first, (None, None))
            if history is None:
                leads = id(leaf) in ids
            else:
                leads = history[1] in _leading_to(history[0], wanted, ids, known)
        elif state.grad is not None:
            leads = any(p in found for p in gradient_inputs(state))
        else:
            leads = False
        for p in range(state.first, state.end):
            if leads or (graph, p) in wanted:
                found.add(p)
    return found


def _totals(leaves, targets):
    """{id: (tensor, cotangent)} of leaves, each cotangent as the hooks of the tensor leave it."""
    totals = {}
    for leaf, g in leaves:
        seen = totals.get(id(leaf))
        totals[id(leaf)] = (leaf, g if seen is None else seen[1] + g)
    wanted = None if targets is None else {id(t) for t in targets}
    for key, (leaf, g) in totals.items():
        if leaf._hooks and (wanted is None or key in wanted):
            totals[key] = (leaf, call_tensor_hooks(leaf._hooks, g))
    return totals


def _target_place(tensor):
    if inplace.is_leaf(tensor):
        return (None, -1 - id(tensor))
    return gradient_place(tensor)


def gradient_place(tensor):
    """As `_place`, but where the gradient of a tensor comes together: behind untracked writes."""
    graph, position = _place(tensor)
    node = local.trace.segment.node if graph is None else None
    while True:
        if graph is None:
            while not node.first <= position < node.end:
                node = node.parent
            state = node
        else:
            state = graph.spec.index[position]
        if state.grad != "keep":
            return graph, position
        (position,) = gradient_inputs(state)


def _add(pending, graph, position, g):
    seeds = pending.setdefault(graph, {})
    seeds[position] = seeds[position] + g if position in seeds else g


def _ones_like(root, g, name):
    if g is None:
        if root._meta.numel != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        return FUNCTIONS["ones"](root._meta.shape, dtype=root._meta.dtype)
    if g._meta.shape != root._meta.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {g._meta.shape} and output[0] has a "
            f"shape of {root._meta.shape}."
        )
    return g


def _check_roots(roots):
    for k, root in enumerate(roots):
        if not root._meta.requires_grad:
            raise RuntimeError(
                f"element {k} of tensors does not require grad and does not have a grad_fn"
            )


def backward(tensors, grad_tensors=None, retain_graph=None, create_graph=False, inputs=None):
    """Add the gradients of `tensors` to the `.grad` of the leaves they depend on.

    Args: grad_tensors: a cotangent per tensor, which scalars do not need. retain_graph: keep what
        a second pass needs (default: create_graph). inputs: only these tensors get gradients.
    Raises: RuntimeError for a tensor without a graph, or one that was freed.
    """
    roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    given = [grad_tensors] if isinstance(grad_tensors, Tensor) else grad_tensors
    given = [None] * len(roots) if given is None else list(given)
    _check_roots(roots)
    retain = create_graph if retain_graph is None else bool(retain_graph)
    cotangents = [_ones_like(r, g, "backward") for r, g in zip(roots, given, strict=True)]
    if inputs is not None:
        targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        found = run(roots, cotangents, targets, retain, create_graph)
        pairs = [(t, g) for t, g in zip(targets, found, strict=True) if g is not None]
    else:
        pairs = run(roots, cotangents, None, retain, create_graph)
    accumulate(pairs, create_graph)


def accumulate(pairs, create_graph):
    """Add each cotangent to the `.grad` of its tensor, and call what waits for that."""
    with modes.set_grad_enabled(create_graph):
        for tensor, g in pairs:
            if tensor is None or not tensor._meta.requires_grad:
                continue
            if g._meta.requires_grad and not create_graph:
                g = inplace.detached(g)
            seen = tensor._grad
            if seen is None:
                tensor._grad = FUNCTIONS["clone"](g)
            elif create_graph:
                tensor._grad = seen + g
            else:
                inplace.write(seen, seen + g)
            if tensor._after_grad:
                for hook in list(tensor._after_grad.values()):
                    hook(tensor)


def grad(
    outputs,
    inputs,
    grad_outputs=None,
    retain_graph=None,
    create_graph=False,
    allow_unused=None,
    is_grads_batched=False,
    materialize_grads=False,
):
    """The gradients of `outputs` by `inputs`, as a tuple; nothing is accumulated.

    Raises: RuntimeError if an input was not used, unless `allow_unused` (then None).
    """
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    targets = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [grad_outputs] if isinstance(grad_outputs, Tensor) else grad_outputs
    given = [None] * len(roots) if given is None else list(given)
    _check_roots(roots)
    for t in targets:
        if not t._meta.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    retain = create_graph if retain_graph is None else bool(retain_graph)
    cotangents = [_ones_like(r, g, "grad") for r, g in zip(roots, given, strict=True)]
    found = run(roots, cotangents, targets, retain, create_graph)
    for k, g in enumerate(found):
        if g is None and materialize_grads:
            found[k] = zeros_of(targets[k]._meta.with_grad(False))
        elif g is None and not allow_unused:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        elif g is not None and g._meta.requires_grad and not create_graph:
            found[k] = inplace.detached(g)
    return tuple(found)
