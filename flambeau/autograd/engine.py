"""The backward pass: derivative rules run over the recorded graph, and are recorded themselves.

The graph of the current segment is its path in the trie. Where a sync point ended a segment that
a later backward pass may start from, a `Graph` keeps that path and the values it needs. A backward
pass walks segments from the latest to the earliest. The first time, the rules run in Python; the
state keeps where that ended (a *macro*), and later walks jump there.
"""

import heapq
import math
import warnings

from ..formats import strided
from ..ops.api import FUNCTIONS
from ..recorder import inplace
from ..recorder.entering import enter
from ..recorder.trace import flush, force, local
from . import modes
from .arguments import as_list, check_inputs, cotangents, roots_of
from .hooks import call_tensor_hooks, ends_of_pass
from .macros import run_segment
from .paths import gradient_inputs
from .rules import FREED, add_cotangents, zeros_of

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


def run(roots, seeds, targets, retain, create_graph):
    """Cotangents of all leaves that `roots` depend on, or of `targets` alone.

    `seeds` are the cotangents of the roots.

    Returns: a list of (tensor, cotangent) of leaves, or for each target its cotangent or None.
    """
    trace, was_open = local.trace, local.trace.open
    trace.hold += 1  # from here on no other thread takes the segment
    try:
        watched = trace.segment.contexts or trace.exposed or trace.watch is not None
        if watched and not trace.sampling:
            flush()  # what is recorded is then in memory, whatever a hook or another thread does
            trace.open = True
        with (
            modes.set_grad_enabled(bool(create_graph)),
            modes.no_autocast(),
            ends_of_pass(targets is not None),
        ):
            return _run(roots, seeds, targets, retain, create_graph)
    finally:
        trace.hold -= 1
        trace.open = was_open


class _Pending:
    """The cotangents that a backward pass has come to but not passed on yet.

    seeds: {graph, None for the current segment: {position: cotangent}}. The latest comes first.
    """

    def __init__(self):
        self.seeds, self._order = {}, []

    def add(self, graph, position, g):
        """Add a cotangent to what has come to a position of a graph."""
        seeds = self.seeds.get(graph)
        if seeds is None:
            seeds = self.seeds[graph] = {}
            heapq.heappush(self._order, (-math.inf if graph is None else -graph.serial, graph))
        seeds[position] = seeds[position] + g if position in seeds else g

    def pop(self):
        """The latest graph, and its seeds."""
        _, graph = heapq.heappop(self._order)
        return graph, self.seeds.pop(graph)


def _run(roots, seeds, targets, retain, create_graph):
    pending = _Pending()
    for root, g in zip(roots, seeds, strict=True):
        pending.add(*_place(root), g)
    wanted = {}
    for k, t in enumerate(targets or ()):
        wanted.setdefault(_target_place(t), []).append(k)
    ids = {id(t) for t in targets or ()}
    found = [None] * len(targets or ())
    totals, leading, ways, past = {}, {}, {}, 0
    while pending.seeds:
        graph, seeds = pending.pop()
        captures = {p: None for g, p in wanted if g is graph}
        home = local.trace.segment if graph is None else graph
        owners, retained, towards = home.grad_leaves, home.retained, None
        if targets is not None and not retain:
            towards = _towards(owners, captures, ids, wanted, ways)
        if retained:
            captures.update(dict.fromkeys(retained))
        needed = None
        if targets is not None and (retained or _contexts(graph)):
            needed = _leading_to(graph, wanted, ids, leading)
            seeds = {p: g for p, g in seeds.items() if p in needed}
        try:
            results = run_segment(graph, seeds, captures, retain, create_graph, towards, needed)
        except RuntimeError as error:
            if error.args[:1] != (FREED,) or targets is None or needed is not None:
                raise
            # What was freed may not be on the way to a target.
            needed = _leading_to(graph, wanted, ids, leading)
            seeds = {p: g for p, g in seeds.items() if p in needed}
            results = run_segment(graph, seeds, captures, retain, create_graph, towards, needed)
        for p, g in captures.items():
            for k in wanted.get((graph, p), ()):
                found[k] = g
        if retained:
            _retain((t(), captures[p]) for p, t in retained.items())
        for p, g in results.items():
            if p not in owners:
                continue
            owner, history = owners[p]
            if targets is not None and not _leaf_leads(owner, history, ids, wanted, ways):
                continue
            if history is not None:
                pending.add(*history, g.to_dense() if g.is_sparse else g)
            else:
                known = totals.get(id(owner))
                total = g if known is None else add_cotangents(known[1], g)
                totals[id(owner)] = owner, total
        if not retain and graph is not None:
            graph.free(seeds, towards)
        past += graph is not None
        if past and pending.seeds and not local.trace.sampling and local.trace.root is None:
            del seeds, captures, results
            flush()  # a program for each earlier segment, not one for each sequence of them
    _call_hooks(totals, targets)
    if targets is None:
        return totals.values()
    for k, t in enumerate(targets):
        if found[k] is None and id(t) in totals:
            found[k] = totals[id(t)][1]
    return found


def _towards(leaves, captures, ids, wanted, known):
    """The positions of a segment where a way to a target ends or goes on; None if all leaves do.

    Args: ids: of targets that are leaves; wanted: (graph, position) of targets; known: of graphs.
    """
    ends = [p for p in leaves if _leaf_leads(*leaves[p], ids, wanted, known)]
    if len(ends) == len(leaves):
        return None
    return (*ends, *captures)


def _leaf_leads(leaf, history, ids, wanted, known):
    """Whether gradients come to a target from a leaf, or from what it was made of before."""
    if history is None:
        return id(leaf) in ids
    if history not in known:
        graph, position = history
        below = graph.spec.ways_down(position)
        leaves = (graph.grad_leaves[p] for p in below if p in graph.grad_leaves)
        known[history] = any(g is graph and p in below for g, p in wanted) or any(
            _leaf_leads(*entry, ids, wanted, known) for entry in leaves
        )
    return known[history]


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


def _call_hooks(totals, targets):
    """Let the hooks of leaves change their cotangents; totals: {id: (tensor, cotangent)}."""
    wanted = None if targets is None else {id(t) for t in targets}
    for key, (leaf, g) in totals.items():
        if leaf._hooks and (wanted is None or key in wanted):
            totals[key] = leaf, call_tensor_hooks(leaf._hooks, g)


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


def backward(
    tensors,
    grad_tensors=None,
    retain_graph=None,
    create_graph=False,
    grad_variables=None,
    inputs=None,
):
    """Add the gradients of `tensors` to the `.grad` of the leaves they depend on.

    Args: grad_tensors: a cotangent per tensor, which scalars do not need. retain_graph: keep what
        a second pass needs (default: create_graph). grad_variables: the old name of grad_tensors.
        inputs: only these tensors get gradients.
    Raises: RuntimeError for a tensor without a graph, or one that was freed.
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    targets = None if inputs is None else check_inputs(inputs, "backward")
    roots = as_list(tensors)
    seeds = cotangents(roots, grad_tensors)
    roots_of(roots)
    retain = create_graph if retain_graph is None else bool(retain_graph)
    if targets is not None:
        if not all(t._meta.requires_grad for t in targets):
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        found = run(roots, seeds, targets, retain, create_graph)
        pairs = [(t, g) for t, g in zip(targets, found, strict=True) if g is not None]
    else:
        pairs = run(roots, seeds, None, retain, create_graph)
    accumulate(pairs, create_graph)


def _retain(pairs):
    """Add cotangents to the `.grad` of tensors that are no leaves but retain theirs."""
    for tensor, g in pairs:
        if tensor is not None and g is not None and tensor._meta.requires_grad:
            seen = tensor._grad
            tensor._grad = FUNCTIONS["clone"](g) if seen is None else seen + g


def accumulate(pairs, create_graph):
    """Add each cotangent to the `.grad` of its tensor, and call what waits for that."""
    with modes.set_grad_enabled(bool(create_graph)):
        for tensor, g in pairs:
            if tensor is None or not tensor._meta.requires_grad:
                continue
            if g.requires_grad and not create_graph:
                g = g.detach()
            seen = tensor._grad
            if seen is None:
                form = None if tensor._meta.contiguous or g.is_sparse else "preserve"
                tensor._grad = FUNCTIONS["clone"](g, memory_format=form)
            elif create_graph or g.is_sparse or seen.is_sparse:
                tensor._grad = add_cotangents(seen, g)
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
    targets = check_inputs(inputs, "grad")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    roots = as_list(outputs)
    seeds = cotangents(roots, grad_outputs, is_grads_batched)
    roots_of(roots)
    if not all(t._meta.requires_grad for t in targets):
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    retain = create_graph if retain_graph is None else bool(retain_graph)
    passes = _each_of_batch if is_grads_batched else run
    found = passes(roots, seeds, targets, retain, create_graph)
    for k, g in enumerate(found):
        if g is None and materialize_grads:
            found[k] = zeros_of(targets[k]._meta.with_grad(False))
        elif g is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {k} appears to not have been used in the "
                "graph. Set allow_unused=True if this is the desired behavior."
            )
        elif g is not None and g.requires_grad and not create_graph:
            found[k] = g.detach()
    if any(t.layout is not strided for t in as_list(inputs)):
        pairs = zip(as_list(inputs), found, strict=True)
        found = [g if t.layout is strided or g is None else t._gradient(g) for t, g in pairs]
    return tuple(found)


def _each_of_batch(roots, seeds, targets, retain, create_graph):
    """As `run` for each row of the cotangents; the results stacked."""
    sizes = {g._meta.shape[:1] for g in seeds}
    if len(sizes) > 1 or () in sizes:
        raise ValueError(
            "is_grads_batched=True: the first dims of all grad_outputs must have one size, but "
            f"their shapes are {[list(g.shape) for g in seeds]}"
        )
    count = len(seeds[0])
    rows = [
        run(roots, [g[k] for g in seeds], targets, retain or k < count - 1, create_graph)
        for k in range(count)
    ]
    columns = zip(*rows, strict=True)
    return [None if c[0] is None else FUNCTIONS["stack"](list(c)) for c in columns]
