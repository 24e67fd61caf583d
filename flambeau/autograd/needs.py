"""Which values the derivative rule of a record uses, found by running the rule on symbols."""

import functools

from ..ops.core import Elementwise, private_trace, symbol
from ..recorder import record
from ..recorder.entering import enter
from ..recorder.handle import Meta
from ..recorder.states import Scalar
from ..recorder.trace import local
from .paths import index_path, meta_at
from .rules import Source, apply_rule

__all__ = ["needs_of", "needs_of_state"]


def needs_of(op, described, attrs, metas):
    """The operands and results whose values the rule of a record uses.

    Args: described: a meta, the type of a number or None for each operand; attrs: a tuple of
        (name, value); metas: of the results.
    Returns: a tuple of indices: k for operand k, -1 - k for result k. A number counts where it
        stands for a tensor of one element, as an operand of an elementwise operation does.
    """
    if op.vjp_rule is None and not op.composite:
        return ()  # a backward pass through it says that it has no derivative
    return _needs(op, tuple(described), attrs, tuple(metas))


def needs_of_state(state, index):
    """As `needs_of` for a state, whose operands are found in `index`."""
    described = [_describe(place, index) for place in state.operands]
    return needs_of(state.op, described, tuple(state.attrs.items()), state.metas)


def _describe(place, index):
    if type(place) is int:
        return meta_at(index, place)
    return place.kind if type(place) is Scalar else place


@functools.lru_cache(4096)
def _needs(op, described, attrs, metas):
    with private_trace() as segment:
        local.trace.hold += 1
        source = _Asked(op, described, metas, segment)
        gs = [symbol(segment, m.with_grad(False)) for m in metas]
        grads = apply_rule(source.state(attrs), gs, source)
        tracked = [
            g
            for g, m in zip(grads, described, strict=False)
            if g is not None and isinstance(m, Meta) and m.requires_grad
        ]
        stack, used = [enter(g, segment) for g in tracked], set()
        made = index_path(segment.node.path())
        while stack:
            p = stack.pop()
            if p not in used:
                used.add(p)
                stack.extend(q for q in made[p].operands if type(q) is int)
    return tuple(sorted(k for k, s in source.symbols.items() if s._pos in used))


class _Record:
    """A record that stands alone: its operands are 0, 1, ..., its results come after them."""

    def __init__(self, op, described, attrs, metas):
        self.op, self.attrs, self.metas = op, dict(attrs), metas
        self.operands = tuple(
            k if isinstance(m, Meta) else (None if m is None else Scalar(k, m))
            for k, m in enumerate(described)
        )
        self.first, self.end = len(described), len(described) + len(metas)

    def slots(self):
        """The number at operand k is in slot k."""
        return {k: k for k, place in enumerate(self.operands) if type(place) is Scalar}


class _Asked(Source):
    """Symbols for the values of a record: tells which ones its rule asks for."""

    def __init__(self, op, described, metas, segment):
        super().__init__(())
        self.op, self.described, self.metas = op, described, metas
        self.segment, self.symbols = segment, {}

    def state(self, attrs):
        """The record."""
        return _Record(self.op, self.described, attrs, self.metas)

    def tensor(self, position):
        """A symbol for an operand, or for a result."""
        after = position - len(self.described)
        meta = self.described[position] if after < 0 else self.metas[after]
        return self._symbol(position if after < 0 else -1 - after, meta.with_grad(False))

    def _symbol(self, key, described):
        if key not in self.symbols:
            self.symbols[key] = symbol(self.segment, described)
        return self.symbols[key]

    def scalar(self, slot, kind):
        """A number; what it is does not matter here."""
        return kind(1)

    def number(self, slot, kind):
        """The number: a symbol where it counts."""
        if isinstance(self.op, Elementwise):
            return self._symbol(slot, kind)
        return super().number(slot, kind)


record.needs_of = needs_of
