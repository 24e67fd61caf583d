"""Backward passes through one segment: by the rules the first time, later by what they recorded."""

from ..recorder.entering import enter, memory_of
from ..recorder.handle import DEAD, Tensor
from ..recorder.states import FREE
from ..recorder.trace import local, structural
from .paths import freed_positions, index_path
from .rules import walk
from .tape import NOTHING, SLOTTED, Current, Saved, dense
from .watch import lines

__all__ = ["run_segment"]


class _Macro:
    """Where a walk of the rules from one state ended, and what it made.

    leaves: the position of each saved value that entered; scalars: numbers, or (slot,) of the
    earlier segment; results: (position in the graph, position in this segment) of each gradient.
    """

    __slots__ = ("captures", "end", "leaves", "results", "scalars", "span")


def run_segment(graph, seeds, captures, retain, create_graph, towards=None, needed=None):
    """Walk one segment (the current one where `graph` is None) from `seeds`.

    Unless it is retained, the way to the positions of `towards` is freed, all if it is None.
    Returns: cotangents of leaf positions, and fills `captures`.
    """
    segment = local.trace.segment
    contexts = segment.contexts if graph is None else graph.contexts
    simple = not contexts and not create_graph and needed is None
    simple = simple and not local.trace.exposed and local.trace.watch is None
    key = None
    if simple:
        marks = tuple((p, enter(g, segment)) for p, g in seeds.items())
        freed = graph and graph.freed
        key = (graph and graph.spec, freed, marks, tuple(captures), retain, towards)
        macro = segment.node.macros.get(key)
        if macro is not None:
            return _replay(macro, graph, segment, captures)
    start = segment.node
    before = len(segment.scalars), len(segment.leaves)
    if graph is None:
        path = start.path()
        source = Current(segment, freed_positions(path, index_path(path)))
    else:
        source = Saved(graph)
    source.check = lines.check
    results = walk(source, seeds, captures, needed)
    if lines.done is not None:
        lines.done()
    if not retain and graph is None:
        structural(FREE, tuple(seeds), (("towards", towards),), ())
    if key is not None and segment is local.trace.segment:
        _keep_macro(key, start, before, segment, graph, source, results, captures)
    return results


def _keep_macro(key, start, before, segment, graph, source, results, captures):
    macro = _Macro()
    numbers = segment.scalars[before[0] :]
    if any(type(n) is bool for n in numbers):
        return
    macro.scalars = [(n.slot,) if type(n) in SLOTTED else n for n in numbers]
    entered = segment.leaves[before[1] :]
    macro.leaves = []
    if entered:
        if graph is None:
            return
        origin = {id(memory_of(t)): p for p, t in graph.saved.items()}
        origin[id(NOTHING)] = None
        for buffer in entered:
            if id(buffer) not in origin:
                return
            macro.leaves.append(origin[id(buffer)])
    macro.results = [(p, enter(g, segment)) for p, g in results.items()]
    macro.captures = [(p, enter(g, segment)) for p, g in captures.items() if g is not None]
    macro.end = segment.node
    macro.span = macro.end.end - start.end
    if len(segment.leaves) - before[1] != len(entered):
        return
    start.macros[key] = macro
    # Handles of the rules' own temporaries die now; a later walk makes none for them.
    keep = {p for _, p in macro.results} | {p for _, p in macro.captures}
    for p in range(start.end, macro.end.end):
        if p not in keep:
            segment.handles[p] = DEAD


def _replay(macro, graph, segment, captures):
    segment.handles.extend([DEAD] * macro.span)
    if macro.scalars:
        segment.scalars.extend(
            graph.scalars[n[0]] if type(n) is tuple else n for n in macro.scalars
        )
    for p in macro.leaves:
        segment.leaves.append(NOTHING if p is None else memory_of(graph.saved[p]))
    segment.node = macro.end
    made = {}
    states = None
    for group, into in ((macro.results, None), (macro.captures, captures)):
        for p, at in group:
            if at not in made:
                known = segment.handles[at]
                if known is DEAD:
                    if states is None:
                        states = _metas(macro)
                    known = segment.handles[at] = _handle(segment, at, states[at])
                made[at] = known
            if into is not None:
                into[p] = made[at]
    return {p: made[at] for p, at in macro.results}


_macro_metas = {}


def _metas(macro):
    """The meta at each position up to the end of a macro."""
    found = _macro_metas.get(macro)
    if found is None:
        found = {p: _m for s in macro.end.path() for p, _m in _with_positions(s)}
        if len(_macro_metas) > 1024:
            _macro_metas.clear()
        _macro_metas[macro] = found
    return found


def _with_positions(state):
    # A new handle of a view has memory of its own, in which it is dense.
    metas = [m if m.is_dense else dense(m).with_grad(m.requires_grad) for m in state.metas]
    return [(state.first + k, m) for k, m in enumerate(metas)]


def _handle(segment, position, meta):
    out = Tensor.__new__(Tensor)
    out._segment, out._pos, out._meta, out._storage = segment, position, meta, None
    return out
