"""The graphs of segments that are done, and where the walk of the rules finds its values."""

import itertools

from ..backends.memory import Buffer
from ..ops.core import private_trace, symbol
from ..recorder import sync
from ..recorder.entering import enter, memory_of, new_leaf
from ..recorder.handle import Tensor, intern
from ..recorder.states import PACK, VIEW, WRITE
from ..recorder.trace import grad_enabled, local
from .needs import needs_of_state
from .paths import freed_positions, gradient_inputs, index_path, meta_at, passed, reachable
from .rules import Source, walk

__all__ = ["NOTHING", "SLOTTED", "Current", "Graph", "Saved", "dense"]

_serial = itertools.count(1)


class Spec:
    """What does not change from one Graph to the next of the same program."""

    __slots__ = ("below", "freed", "index", "path", "remaining", "roots", "saved")

    def __init__(self, path, index, freed, roots, saved):
        self.path, self.index, self.roots, self.saved = path, index, roots, saved
        self.freed = frozenset(freed)
        self.remaining, self.below = {}, {}

    def ways_down(self, position):
        """The positions that a gradient at `position` may come to, leaves too."""
        found = self.below.get(position)
        if found is None:
            seen = reachable((position,), self.index)
            ends = {p for q in seen for p in gradient_inputs(self.index[q]) if p is not None}
            found = self.below[position] = frozenset(seen | ends | {position})
        return found

    def after(self, freed, seeds, towards):
        """(what is freed, what remains needed) after a pass that freed its way (see `passed`)."""
        key = (freed, seeds, towards)
        found = self.remaining.get(key)
        if found is None:
            now = freed | passed(seeds, towards, self.index)
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
            meta = meta if meta.is_dense else dense(meta)
            self.saved[position] = new_leaf(meta, buffer)
        self.grad_leaves = segment.grad_leaves
        self.contexts, self.retained = segment.contexts, segment.retained
        self.scalars = list(segment.scalars)

    def free(self, seeds, towards):
        """Give up the values that only the way from `seeds` needs: no pass goes there again."""
        self.freed, needed = self.spec.after(self.freed, tuple(seeds), towards)
        self.saved = {p: x for p, x in self.saved.items() if p in needed}
        for p, context in self.contexts.items():
            place = p[1] if type(p) is tuple and p[0] == "packed" else p
            if place in self.freed:
                context.release()


def dense(meta):
    return intern(meta.shape, meta.dtype)


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
        kept = {s.attrs["first"]: s.attrs["kept"] for s in path if s.op is PACK}
        source = _Symbolic(index, segment, kept)
        seeds = {p: symbol(segment, meta_at(index, p).with_grad(False)) for p in roots}
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


class _Symbolic(Source):
    """Symbols instead of values: tells which ones the rules use."""

    def __init__(self, index, segment, kept):
        super().__init__(index)
        self.segment, self.symbols, self.kept = segment, {}, kept

    def packed(self, state):
        """Symbols for the values that the user keeps: they are not asked of the graph."""
        found = {}
        for k in self.kept.get(state.first, ()):
            position = state.first - 1 - k if k < 0 else state.operands[k]
            found[k] = symbol(self.segment, meta_at(self.index, position).with_grad(False))
        return found

    def without_rule(self, op):
        """None: that there is no derivative is said by the backward pass, should one come."""
        return ()

    def tensor(self, position):
        """A symbol for the value."""
        if position not in self.symbols:
            meta = meta_at(self.index, position).with_grad(False)
            self.symbols[position] = symbol(self.segment, meta)
        return self.symbols[position]

    def scalar(self, slot, kind):
        """A symbol for a number: its value does not matter here."""
        return kind(1)


class _Recorded(Source):
    """The values of a segment whose records have been made."""

    def needs(self, state):
        """Indices of the operands and results of a state whose values its rule uses."""
        return needs_of_state(state, self.index)

    def packed(self, state):
        """{index: value} of those that the user keeps, or None."""
        kept = self.contexts.get(("packed", state.first)) if self.contexts else None
        return None if kept is None else kept.values(state, self)


class Current(_Recorded):
    """The values of the segment that is being recorded."""

    def __init__(self, segment, freed):
        super().__init__(index_path(segment.node.path()))
        self.segment, self.freed = segment, freed
        self.grad_leaves, self.contexts = segment.grad_leaves, segment.contexts

    def tensor(self, position):
        """Another handle of the value at a position."""
        out = Tensor.__new__(Tensor)
        out._segment, out._pos, out._storage = self.segment, position, None
        out._meta = meta_at(self.index, position)
        state = self.index[position]
        if state.op is WRITE or state.op is VIEW or getattr(state.op, "view", False):
            out._meta = (
                out._meta
                if out._meta.is_dense
                else dense(out._meta).with_grad(out._meta.requires_grad)
            )
        return out


class Saved(_Recorded):
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
            return _Unneeded(meta_at(self.index, position))
        if self.tied is None or not meta_at(self.index, position).requires_grad:
            return kept
        found = self.tied.get(position)
        if found is None:
            found = self.tied[position] = new_leaf(kept._meta.with_grad(True), memory_of(kept))
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

SLOTTED = frozenset(_SLOTTED.values())

NOTHING = Buffer.allocate(0)


class _Unneeded(Tensor):
    """Stands for an operand whose value its rule does not use, only its shape and dtype."""

    def __new__(cls, meta):
        self = object.__new__(cls)
        meta = meta.with_grad(False)
        self._meta = meta if meta.is_dense else dense(meta)
        self._storage, self._segment, self._pos = None, None, 0
        return self

    @property
    def _buffer(self):
        return NOTHING  # a rule may compute with it what nobody uses

    @_buffer.deleter
    def _buffer(self):
        """A rule may view it, too."""


sync.graph_spec = graph_spec
sync.new_graph = Graph
