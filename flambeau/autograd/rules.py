"""The walk of the derivative rules, from the cotangents of results down to those of leaves."""

from heapq import heapify, heappop, heappush

from .. import dtypes
from ..ops.api import FUNCTIONS, cast_to
from ..ops.core import _WRAPPED, number, private_trace, symbol
from ..ops.reduce import sum_to
from ..ops.view_ops import as_strided_vjp, region_of, write_region
from ..recorder.entering import enter
from ..recorder.handle import Tensor, intern
from ..recorder.states import MARK, VIEW, WRITE, Scalar
from ..recorder.trace import local
from .hooks import call_tensor_hooks
from .paths import gradient_inputs, index_path, meta_at
from .pieces import Pieces

__all__ = [
    "FREED",
    "Source",
    "add_cotangents",
    "apply_rule",
    "takes_gradient",
    "walk",
    "zeros_of",
]

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


class Source:
    """A source of the values at the positions of a graph, and of the numbers in its slots."""

    freed = frozenset()
    contexts = {}
    check = None  # called instead of `_through`, with it as first argument

    def __init__(self, index):
        self.index = index

    def packed(self, state):
        """{index: value} of those that the user keeps (see watch.Packed), or None."""
        return None

    def needs(self, state):
        """Indices of the operands and results of a state whose values its rule uses."""
        return ()

    def without_rule(self, op):
        """The cotangents of the operands of an operation that has no derivative."""
        raise NotImplementedError(f"the derivative for '{op.name}' is not implemented.")

    def scalar(self, slot, kind):
        """The number in a slot: here a reference to it."""
        return Scalar(slot, kind)

    def number(self, slot, kind):
        """The number as a tensor that rules can compute with, and that a macro can renew."""
        return number(self.scalar(slot, kind))


def walk(source, seeds, captures, needed=None):
    """Run the rules from the cotangents `seeds` (by position) down to the leaves.

    Returns: the cotangents of leaves by position. `captures` is filled with those of its keys.
    Only the positions of `needed` are visited, if it is given.
    """
    return _Walk(source, seeds, needed).run(captures)


class _Walk:
    """Cotangents by position, and the positions that are still to be visited, latest first."""

    def __init__(self, source, seeds, needed):
        self.source, self.index, self.needed = source, source.index, needed
        self.cotangents, self.pieces = dict(seeds), Pieces()
        self.heap, self.queued = [-p for p in seeds], set(seeds)
        heapify(self.heap)

    def run(self, captures):
        """Visit all; see `walk`."""
        results, source, needed = {}, self.source, self.needed
        while self.heap:
            position = -heappop(self.heap)
            state = self.index[position]
            outs = range(state.first, state.end)
            if self.pieces.cut:
                self._put_together(outs)
            if position not in self.cotangents:
                continue
            gs = [self.cotangents.pop(p, None) for p in outs]
            if source.contexts:
                gs = _hooked(source.contexts, outs, gs)
            for p, g in zip(outs, gs, strict=True):
                if g is not None and p in captures:
                    captures[p] = g
            if state.grad == "leaf":
                results[position] = gs[0]
                continue
            if state.grad is None:
                continue
            if needed is not None and not any(p in needed for p in gradient_inputs(state)):
                continue  # a target is here, none is behind
            if self.pieces.takes(state, source):
                self._queue(self.pieces.add(state, gs[0]))
            elif source.check is None:
                self._add(_through(state, gs, source))
            else:
                self._add(source.check(_through, state, gs, source))
            # What nobody asked for may rest on values that are not there: should a hook now make
            # what is recorded run, nothing may refer to it.
            g = gs = None
        return results

    def _put_together(self, positions):
        for p in positions:
            joined, others = self.pieces.groups(p, meta_at(self.index, p))
            self._add((p, g) for g in joined)
            for state, g in others:
                self._add(_through(state, [g], self.source))

    def _add(self, pairs):
        """Add cotangents to those at their positions, where they are wanted."""
        for p, g in pairs:
            meta = meta_at(self.index, p)
            if g is None or not meta.requires_grad:
                continue
            if self.needed is not None and p not in self.needed:
                continue
            g = fit(g, meta) if g.__class__ is Tensor else _fit_other(g, self.index[p], meta)
            seen = self.cotangents.get(p)
            self.cotangents[p] = g if seen is None else add_cotangents(seen, g)
            self._queue(p)

    def _queue(self, position):
        if position not in self.queued:
            self.queued.add(position)
            heappush(self.heap, -position)


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
        skip = 0 if context is None else context.skip  # operands that are results of `forward`
        places = zip(grads, state.operands, strict=False)
        grads = [g if takes_gradient(p, source) else None for g, p in places]
        grads = (*grads[:skip], *hooks.call_after(grads[skip:], gs))
    return [(p, g) for p, g in zip(state.operands, grads, strict=False) if type(p) is int]


def takes_gradient(place, source):
    """Whether an operand is a tensor that gradients are computed for."""
    return type(place) is int and meta_at(source.index, place).requires_grad


def apply_rule(state, gs, source):
    """The cotangents of a state's operands by its op's rule, or that of its body."""
    op = state.op
    if state.first in source.freed and source.needs(state):
        raise RuntimeError(FREED)
    inputs, slots = [], state.slots()
    packed = source.packed(state) or {}
    for k, place in enumerate(state.operands):
        if k in packed:
            inputs.append(packed[k])
        elif type(place) is int:
            inputs.append(source.tensor(place))
        elif place is None:
            inputs.append(None)
        else:
            kind = place if type(place) is type else place.kind
            inputs.append(source.number(slots[k], kind))
    if op.vjp_rule is None:
        if not op.composite:
            return source.without_rule(op)
        return body_vjp(op, gs, inputs, state.attrs)
    outs = [
        packed[-1 - k] if -1 - k in packed else source.tensor(p)
        for k, p in enumerate(range(state.first, state.end))
    ]
    if op.multi:
        gs = [zeros_of(m) if g is None else g for g, m in zip(gs, state.metas, strict=True)]
        grads = op.vjp_rule(tuple(gs), tuple(outs), *inputs, **state.attrs)
    else:
        grads = op.vjp_rule(gs[0], outs[0], *inputs, **state.attrs)
    return grads if isinstance(grads, tuple) else (grads,)


def zeros_of(meta):
    """A tensor of zeros like a meta."""
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
    if isinstance(x, Tensor):
        return x._meta
    kind = x.kind if type(x) is Scalar else (float if isinstance(x, float) else type(x))
    return intern((), _WRAPPED[kind], wrapped=True)


def _is_differentiable(x):
    if not isinstance(x, Tensor) or x._meta.wrapped:
        return False
    return x._meta.dtype.category >= dtypes.FLOAT


class _Body(Source):
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


def add_cotangents(a, b):
    """The sum of two cotangents; a sparse and a dense one make a dense one."""
    if b.__class__ is Tensor and a.is_sparse:
        return b + a
    return a + b


def _fit_other(g, state, meta):
    """As `fit`, for a cotangent that may be sparse, which only a leaf can get."""
    if not g.is_sparse:
        return fit(g, meta)
    return g.to(meta.dtype) if state.grad == "leaf" else fit(g.to_dense(), meta)


def fit(g, meta):
    """A cotangent in the shape and dtype of what it belongs to."""
    if g._meta.shape != meta.shape:
        g = sum_to(g, meta.shape)
    if g._meta.dtype is not meta.dtype:
        if g._meta.dtype.is_complex and not meta.dtype.is_complex:
            g = g.real
        g = cast_to(g, meta.dtype)
    return g


def _view_vjp(g, source, state):
    """A view of a written storage: its cotangent, laid over zeros."""
    base = meta_at(source.index, state.operands[0])
    view = state.meta
    if view.shape == base.shape and view.strides == base.strides:
        return g
    zeros = zeros_of(base.with_dtype(g._meta.dtype)).reshape(-1)
    if view.overlaps:
        flat = as_strided_vjp(g, zeros, view.shape, view.strides, view.offset)
        return _from_memory(flat, base)
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
    base, value = state.operands
    region = state.attrs["geometry"]
    meta = state.meta
    if region.shape == meta.shape and region.strides == meta.strides:
        if meta_at(source.index, value).requires_grad:
            return [(value, g)]
        return [(base, zeros_of(meta))]
    flat = _to_memory(g, meta)
    geometry = (tuple(region.shape), region.strides, region.offset)
    pairs = [(value, region_of(flat, geometry))]
    hole = write_region(flat, flat.new_zeros(()), geometry=geometry)
    pairs.append((base, _from_memory(hole, meta_at(source.index, base))))
    return pairs
