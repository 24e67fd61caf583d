"""The backward pass: derivative rules run over the recorded graph, and are recorded themselves.

The graph of the current segment is its path in the trie. Where a sync point ended a segment that
a later backward pass may start from, a `Graph` keeps that path and the values it needs. A backward
pass walks segments from the latest to the earliest. The first time, the rules run in Python; the
state keeps where that ended (a *macro*), and later walks jump there.
"""

import itertools

from .. import dtypes
from ..backends.memory import Buffer
from ..ops.core import number, private_trace, symbol
from ..ops.reduce import sum_to
from ..recorder import inplace, sync
from ..recorder.handle import DEAD, Tensor
from ..recorder.trace import (
    FREE,
    LEAF,
    MARK,
    VIEW,
    WRITE,
    Scalar,
    enter,
    flush,
    grad_enabled,
    local,
    new_leaf,
    set_grad_mode,
    structural,
)
from .hooks import call_tensor_hooks

__all__ = ["Graph", "backward", "grad"]

_serial = itertools.count(1)
FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


class Spec:
    """What does not change from one Graph to the next of the same program."""

    __slots__ = ("freed", "index", "path", "remaining", "roots", "saved")

    def __init__(self, path, index, freed, roots, saved):
        self.path, self.index, self.roots, self.saved = path, index, roots, saved
        self.freed = frozenset(freed)
        self.remaining = {}

    def after(self, freed, seeds):
        """(what is freed, what remains needed) after a pass from `seeds` that freed its way."""
        key = (freed, seeds)
        found = self.remaining.get(key)
        if found is None:
            now = freed | reachable(seeds, self.index)
            roots = [p for p in self.roots if p not in now]
            needed = frozenset(_needed(self.path, self.index, roots)) if roots else frozenset()
            found = self.remaining[key] = (now, needed)
        return found


class Graph:
    """The graph of a segment that is done: its path, and the values its rules need."""

    __slots__ = (
        *("contexts", "freed", "grad_leaves", "retained", "saved", "scalars", "serial", "spec"),
    )

    def __init__(self, spec, segment, buffers):
        self.spec, self.serial, self.freed = spec, next(_serial), spec.freed
        self.saved = {}
        for position, buffer in buffers.items():
            state = spec.index[position]
            meta = state.metas[position - state.first].with_grad(False)
            meta = meta if meta.is_dense else _dense(meta)
            self.saved[position] = new_leaf(meta, buffer)
        self.grad_leaves = segment.grad_leaves
        self.contexts, self.retained = segment.contexts, segment.retained
        self.scalars = list(segment.scalars)

    def free(self, seeds):
        """Give up the values that only the way from `seeds` needs: no pass goes there again."""
        self.freed, needed = self.spec.after(self.freed, tuple(seeds))
        self.saved = {p: x for p, x in self.saved.items() if p in needed}
        for p, context in self.contexts.items():
            if p in self.freed:
                context.release()


def _dense(meta):
    from ..recorder.handle import intern

    return intern(meta.shape, meta.dtype)


def index_path(path):
    """The state that made each position."""
    return {p: s for s in path for p in range(s.first, s.end)}


def freed_positions(path, index):
    """The positions whose graph was walked by a backward pass that did not retain it."""
    freed = set()
    for state in path:
        if state.op is FREE:
            freed |= reachable(state.operands, index)
    return freed


def reachable(roots, index):
    """The positions that gradients pass through on the way from `roots` to leaves."""
    seen, stack = set(), list(roots)
    while stack:
        position = stack.pop()
        if position in seen:
            continue
        state = index[position]
        if state.grad not in ("op", "keep"):
            continue
        seen.add(position)
        stack.extend(p for p in gradient_inputs(state) if p is not None)
    return seen


def gradient_inputs(state):
    """The positions that a state's gradient goes to, None for those that get none."""
    if state.grad == "keep":
        return (state.operands[1 if state.op is MARK else 0],)
    return tuple(p if type(p) is int else None for p in state.operands)


def graph_spec(state, path, roots):
    """What a later backward pass from `roots` needs of a segment (see recorder.sync)."""
    index = index_path(path)
    freed = freed_positions(path, index)
    roots = [p for p in roots if p not in freed]
    saved = _needed(path, index, roots) if roots else ()
    return Spec(path, index, freed, roots, sorted(saved))


def _needed(path, index, roots):
    """The positions whose values the rules use, found by running them on symbols."""
    with private_trace() as segment:
        local.trace.hold += 1
        source = _Symbolic(index, segment)
        seeds = {p: symbol(segment, _meta(index, p).with_grad(False)) for p in roots}
        results = walk(source, seeds, {})
        needed = set()
        stack = [enter(g, segment) for g in results.values()]
        made = index_path(segment.node.path())
        while stack:
            p = stack.pop()
            if p not in needed:
                needed.add(p)
                stack.extend(q for q in made[p].operands if type(q) is int)
    return {outer for outer, s in source.symbols.items() if s._pos in needed}


def _meta(index, position):
    state = index[position]
    return state.metas[position - state.first]


class _Lazy:
    """A source of the values at the positions of a graph, and of the numbers in its slots."""

    freed = frozenset()
    contexts = {}

    def __init__(self, index):
        self.index = index

    def scalar(self, slot, kind):
        """The number in a slot: here a reference to it."""
        return Scalar(slot, kind)

    def number(self, slot, kind):
        """The number as a tensor that rules can compute with, and that a macro can renew."""
        return number(self.scalar(slot, kind))


class _Symbolic(_Lazy):
    """Symbols instead of values: tells which ones the rules use."""

    def __init__(self, index, segment):
        super().__init__(index)
        self.segment, self.symbols = segment, {}

    def tensor(self, position):
        """A symbol for the value."""
        if position not in self.symbols:
            meta = _meta(self.index, position).with_grad(False)
            self.symbols[position] = symbol(self.segment, meta)
        return self.symbols[position]

    def scalar(self, slot, kind):
        """A symbol for a number: its value does not matter here."""
        return kind(1)


class _Current(_Lazy):
    """The values of the segment that is being recorded."""

    def __init__(self, segment, freed):
        super().__init__(index_path(segment.node.path()))
        self.segment, self.freed = segment, freed
        self.grad_leaves, self.contexts = segment.grad_leaves, segment.contexts

    def tensor(self, position):
        """Another handle of the value at a position."""
        out = Tensor.__new__(Tensor)
        out._segment, out._pos, out._storage = self.segment, position, None
        out._meta = _meta(self.index, position)
        state = self.index[position]
        if state.op is WRITE or state.op is VIEW or getattr(state.op, "view", False):
            out._meta = (
                out._meta
                if out._meta.is_dense
                else _dense(out._meta).with_grad(out._meta.requires_grad)
            )
        return out


class _Saved(_Lazy):
    """The values that a Graph kept."""

    def __init__(self, graph):
        super().__init__(graph.spec.index)
        self.graph = graph
        self.freed = graph.freed
        self.grad_leaves, self.contexts = graph.grad_leaves, graph.contexts
        self.tied = {} if grad_enabled() else None

    def tensor(self, position):
        """The saved value; a placeholder for one that no rule needs.

        In a pass that records gradients, it is tied to its position in the graph.
        """
        kept = self.graph.saved.get(position)
        if kept is None:
            return _Unneeded(_meta(self.index, position))
        if self.tied is None or not _meta(self.index, position).requires_grad:
            return kept
        found = self.tied.get(position)
        if found is None:
            found = self.tied[position] = new_leaf(kept._meta.with_grad(True), kept._buffer)
            found._history = (self.graph, position)
        return found

    def scalar(self, slot, kind):
        """The number that was in the slot."""
        return SlotNumber.of(self.graph.scalars[slot], slot)


class SlotNumber(float):
    """A float that remembers the slot of an earlier segment it came from."""

    @staticmethod
    def of(value, slot):
        """The number with its slot; a bool as it is, which no macro can renew."""
        kind = _SLOTTED.get(type(value))
        if kind is None:
            return value
        number = kind(value)
        number.slot = slot
        return number


class SlotInt(int):
    """An int that remembers its slot."""


class SlotComplex(complex):
    """A complex number that remembers its slot."""


_SLOTTED = {float: SlotNumber, int: SlotInt, complex: SlotComplex}
_KINDS = frozenset(_SLOTTED.values())


NOTHING = Buffer.allocate(0)


class _Unneeded(Tensor):
    """Stands for an operand whose value its rule does not use, only its shape and dtype."""

    def __new__(cls, meta):
        self = object.__new__(cls)
        meta = meta.with_grad(False)
        self._meta = meta if meta.is_dense else _dense(meta)
        self._storage, self._segment, self._pos = None, None, 0
        return self

    @property
    def _buffer(self):
        return NOTHING  # a rule may compute with it what nobody uses


def walk(source, seeds, captures, needed=None):
    """Run the rules from the cotangents `seeds` (by position) down to the leaves.

    Returns: the cotangents of leaves by position. `captures` is filled with those of its keys.
    Only the positions of `needed` are visited, if it is given.
    """
    cotangents = dict(seeds)
    results = {}
    index, contexts = source.index, source.contexts
    heap = sorted(cotangents)
    from heapq import heapify, heappop, heappush

    heap = [-p for p in heap]
    heapify(heap)
    queued = set(cotangents)
    while heap:
        position = -heappop(heap)
        if position not in cotangents:
            continue
        state = index[position]
        outs = range(state.first, state.end)
        gs = [cotangents.pop(p, None) for p in outs]
        if contexts:
            gs = _hooked(contexts, outs, gs)
        for p, g in zip(outs, gs, strict=True):
            if g is not None and p in captures:
                captures[p] = g
        if state.grad == "leaf":
            results[position] = gs[0]
            continue
        if state.grad is None:
            continue
        pairs = _through(state, gs, source)
        for p, g in pairs:
            if g is None or not _meta(index, p).requires_grad:
                continue
            if needed is not None and p not in needed:
                continue
            g = fit(g, _meta(index, p))
            seen = cotangents.get(p)
            cotangents[p] = g if seen is None else seen + g
            if p not in queued:
                queued.add(p)
                heappush(heap, -p)
    return results


def _hooked(contexts, positions, gs):
    """Cotangents as the hooks of the tensors at `positions` leave them."""
    found = [contexts.get(("tensor", p)) for p in positions]
    return [
        call_tensor_hooks(hooks, g) if hooks and g is not None else g
        for hooks, g in zip(found, gs, strict=True)
    ]


def _through(state, gs, source):
    """(position, cotangent) of each operand of a state."""
    op = state.op
    if state.grad == "keep":
        return [(gradient_inputs(state)[0], gs[0])]
    if op is VIEW:
        return [(state.operands[0], _view_vjp(gs[0], source, state))]
    if op is WRITE:
        return _write_vjp(gs[0], source, state)
    if op is MARK:
        return []
    hooks = source.contexts.get(("node", state.first)) if source.contexts else None
    if hooks is not None:
        gs = hooks.call_before(gs)
    context = source.contexts.get(state.first)
    if context is None:
        grads = apply_rule(state, gs, source)
    else:
        grads = context(gs, source, state.first)
    if hooks is not None:
        grads = hooks.call_after(grads, gs)
    return [(p, g) for p, g in zip(state.operands, grads, strict=False) if type(p) is int]


def apply_rule(state, gs, source):
    """The cotangents of a state's operands by its op's rule, or that of its body."""
    op = state.op
    if state.first in source.freed and _uses_values(op):
        raise RuntimeError(FREED)
    inputs, slots = [], state.slots()
    for k, place in enumerate(state.operands):
        if type(place) is int:
            inputs.append(source.tensor(place))
        elif place is None:
            inputs.append(None)
        else:
            kind = place if type(place) is type else place.kind
            inputs.append(source.number(slots[k], kind))
    if op.vjp_rule is None:
        if not op.composite:
            raise RuntimeError(f"derivative for {op.name} is not implemented")
        return body_vjp(op, gs, inputs, state.attrs)
    if op.multi:
        outs = tuple(source.tensor(p) for p in range(state.first, state.end))
        gs = [zeros_of(m) if g is None else g for g, m in zip(gs, state.metas, strict=True)]
        grads = op.vjp_rule(tuple(gs), outs, *inputs, **state.attrs)
    else:
        grads = op.vjp_rule(gs[0], source.tensor(state.first), *inputs, **state.attrs)
    return grads if isinstance(grads, tuple) else (grads,)


_PLAIN = frozenset(
    ("add", "sub", "neg", "sum", "mean", "view", "permute", "expand", "slice", "select", "clone")
    + (
        "unsqueeze",
        "squeeze",
        "transpose",
        "t",
        "to",
        "cat",
        "slice_backward",
        "diagonal",
        "flip",
        "as_strided",
    )
)


def _uses_values(op):
    return op.name not in _PLAIN


def zeros_of(meta):
    """A tensor of zeros like a meta."""
    from ..ops.api import FUNCTIONS

    return FUNCTIONS["zeros"](meta.shape, dtype=meta.dtype)


def body_vjp(op, gs, inputs, attrs):
    """The gradient of a composite: its body is recorded again and differentiated."""
    with private_trace(grad_mode=True) as segment:
        local.trace.hold += 1
        described = [
            x if x is None else _operand_meta(x).with_grad(_is_differentiable(x)) for x in inputs
        ]
        symbols = [None if m is None else symbol(segment, m) for m in described]
        for s in symbols:
            if s is not None and s._meta.requires_grad:
                segment.grad_leaves[s._pos] = (s, None)
        results = op.function(*symbols, **attrs)
        results = results if isinstance(results, tuple) else (results,)
        outputs = [enter(r, segment) for r in results]
        path = segment.node.path()
        numbers = segment.scalars
    source = _Body(path, symbols, inputs, numbers)
    seeds = {}
    for p, g in zip(outputs, gs, strict=True):
        if g is not None and source.index[p].metas[p - source.index[p].first].requires_grad:
            seeds[p] = seeds[p] + g if p in seeds else g
    found = walk(source, seeds, {})
    return tuple(None if s is None else found.get(s._pos) for s in symbols)


def _operand_meta(x):
    from ..ops.core import _WRAPPED
    from ..recorder.handle import intern

    if isinstance(x, Tensor):
        return x._meta
    kind = x.kind if type(x) is Scalar else (float if isinstance(x, float) else type(x))
    return intern((), _WRAPPED[kind], wrapped=True)


def _is_differentiable(x):
    if not isinstance(x, Tensor) or x._meta.wrapped:
        return False
    return x._meta.dtype.category >= dtypes.FLOAT


class _Body(_Lazy):
    """The values in the body of a composite, computed again from its operands when used."""

    def __init__(self, path, symbols, inputs, numbers):
        super().__init__(index_path(path))
        self.numbers = numbers
        self.values = {s._pos: x for s, x in zip(symbols, inputs, strict=True) if s is not None}

    def tensor(self, position):
        """The value: an operand, or the result of recording again what makes it."""
        if position not in self.values:
            state = self.index[position]
            made = self._again(state)
            made = made if isinstance(made, tuple) else (made,)
            for p, x in zip(range(state.first, state.end), made, strict=True):
                self.values[p] = x
        return self.values[position]

    def _again(self, state):
        operands, slots = [], state.slots()
        for k, place in enumerate(state.operands):
            if type(place) is int:
                operands.append(self.tensor(place))
            elif place is None:
                operands.append(None)
            else:
                operands.append(self.numbers[slots[k]])
        if state.op is VIEW or state.op is WRITE:
            raise RuntimeError("a composite must not write in place")
        return state.op(*operands, **state.attrs)

    def scalar(self, slot, kind):
        """The number in a slot of the body, which is part of the program."""
        return self.numbers[slot]


def fit(g, meta):
    """A cotangent in the shape and dtype of what it belongs to."""
    from ..ops.api import cast_to

    if g._meta.shape != meta.shape:
        g = sum_to(g, meta.shape)
    if g._meta.dtype is not meta.dtype:
        if g._meta.dtype.is_complex and not meta.dtype.is_complex:
            g = g.real
        g = cast_to(g, meta.dtype)
    return g


def _view_vjp(g, source, state):
    """A view of a written storage: its cotangent, laid over zeros."""
    from ..ops.movement import write_region

    base = _meta(source.index, state.operands[0])
    view = state.meta
    if view.shape == base.shape and view.strides == base.strides:
        return g
    if view.overlaps:
        from ..ops.movement import _as_strided_vjp, as_strided_op

        del as_strided_op
        flat = zeros_of(base.with_dtype(g._meta.dtype))
        return _as_strided_vjp(g, flat, view.shape, view.strides, view.offset)
    zeros = zeros_of(base.with_dtype(g._meta.dtype)).reshape(-1)
    flat = write_region(zeros, g, geometry=(tuple(view.shape), view.strides, view.offset))
    return _from_memory(flat, base)


def _from_memory(flat, meta):
    """The dense tensor of geometry `meta` whose memory holds `flat`."""
    if meta.contiguous:
        return flat.reshape(meta.shape)
    order = sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], d))
    x = flat.reshape([meta.shape[d] for d in order])
    return x.permute([order.index(d) for d in range(len(order))])


def _to_memory(x, meta):
    """The elements of a tensor in the order of memory of a dense geometry."""
    if not meta.contiguous:
        x = x.permute(sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], d)))
    return x.contiguous().reshape(-1)


def _write_vjp(g, source, state):
    from ..ops.movement import region_of, write_region

    base, value = state.operands
    region = state.attrs["geometry"]
    meta = state.meta
    if region.shape == meta.shape and region.strides == meta.strides:
        if _meta(source.index, value).requires_grad:
            return [(value, g)]
        return [(base, zeros_of(meta))]
    flat = _to_memory(g, meta)
    geometry = (tuple(region.shape), region.strides, region.offset)
    pairs = [(value, region_of(flat, geometry))]
    hole = write_region(flat, flat.new_zeros(()), geometry=geometry)
    pairs.append((base, _from_memory(hole, _meta(source.index, base))))
    return pairs


# Passes over all segments


class _Macro:
    """Where a walk of the rules from one state ended, and what it made.

    leaves: the position of each saved value that entered; scalars: numbers, or (slot,) of the
    earlier segment; results: (position in the graph, position in this segment) of each gradient.
    """

    __slots__ = ("captures", "end", "leaves", "results", "scalars", "span")


def _run_segment(graph, seeds, captures, retain, create_graph, needed=None):
    """Walk one segment (the current one where `graph` is None) from `seeds`.

    Returns: cotangents of leaf positions, and fills `captures`.
    """
    segment = local.trace.segment
    contexts = segment.contexts if graph is None else graph.contexts
    simple = not contexts and not create_graph and needed is None
    simple = simple and not local.trace.exposed
    key = None
    if simple:
        marks = tuple((p, enter(g, segment)) for p, g in seeds.items())
        freed = graph and graph.freed
        key = (graph and id(graph.spec), freed, marks, tuple(captures), retain)
        macro = segment.node.macros.get(key)
        if macro is not None:
            return _replay(macro, graph, segment, captures)
    start = segment.node
    before = len(segment.scalars), len(segment.leaves)
    if graph is None:
        path = start.path()
        source = _Current(segment, freed_positions(path, index_path(path)))
    else:
        source = _Saved(graph)
    results = walk(source, seeds, captures, needed)
    if not retain and graph is None:
        structural(FREE, tuple(seeds), (), ())
    if key is not None and segment is local.trace.segment:
        _keep_macro(key, start, before, segment, graph, source, results, captures)
    return results


def _keep_macro(key, start, before, segment, graph, source, results, captures):
    macro = _Macro()
    numbers = segment.scalars[before[0] :]
    if any(type(n) is bool for n in numbers):
        return
    macro.scalars = [(n.slot,) if type(n) in _KINDS else n for n in numbers]
    entered = segment.leaves[before[1] :]
    macro.leaves = []
    if entered:
        if graph is None:
            return
        origin = {id(t._buffer): p for p, t in graph.saved.items()}
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
        segment.leaves.append(NOTHING if p is None else graph.saved[p]._buffer)
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
    metas = [m if m.is_dense else _dense(m).with_grad(m.requires_grad) for m in state.metas]
    return [(state.first + k, m) for k, m in enumerate(metas)]


def _handle(segment, position, meta):
    out = Tensor.__new__(Tensor)
    out._segment, out._pos, out._meta, out._storage = segment, position, meta, None
    return out


def _place(tensor):
    """(graph or None for the current segment, position) of a tensor with a history."""
    home = tensor._segment
    segment = local.trace.segment
    if home is not segment:
        if home is not None and not home.done:
            from ..recorder.trace import force

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
    from . import modes

    if local.trace.segment.contexts or local.trace.exposed:
        flush()  # what is recorded is then in memory, whatever a hook or custom function does
    with modes.set_grad_enabled(create_graph):
        local.trace.hold += 1
        try:
            return _run(roots, cotangents, targets, retain, create_graph)
        finally:
            local.trace.hold -= 1


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
            results = _run_segment(graph, seeds, captures, retain, create_graph, needed)
        except RuntimeError as error:
            if error.args[:1] != (FREED,) or targets is None or needed is not None:
                raise
            # What was freed may not be on the way to a target.
            needed = _leading_to(graph, wanted, {id(t) for t in targets}, leading)
            seeds = {p: g for p, g in seeds.items() if p in needed}
            results = _run_segment(graph, seeds, captures, retain, create_graph, needed)
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
    from ..ops.api import FUNCTIONS

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
    from ..ops.api import FUNCTIONS
    from . import modes

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


sync.graph_spec = graph_spec
sync.new_graph = Graph
_ = (LEAF, set_grad_mode)
