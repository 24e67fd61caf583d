"""What is looked at while operations are recorded: their lines, and the values saved for backward.

Only while anomaly detection is on or hooks of saved tensors are set: `Trace.watch` then gets every
operation. The line of an operation becomes a record of its own, so that states of different lines
are different. The values that a derivative rule uses go to the `pack` hook right after the
operation, and stand in the contexts of the segment under `("packed", first position)`.
"""

import threading

from ..recorder import sync
from ..recorder.entering import new_leaf
from ..recorder.handle import Tensor
from ..recorder.lines import user_calls
from ..recorder.record import record
from ..recorder.states import LINE, PACK, Structure
from ..recorder.trace import flush, grad_enabled, local, structural
from .modes import no_grad
from .needs import needs_of
from .paths import meta_at

__all__ = ["Hooks", "Packed", "changed", "current_hooks", "forbid", "lines", "pop", "push", "tied"]

CHANGED = (
    "one of the variables needed for gradient computation has been modified by an inplace "
    "operation: [{kind} {shape}]{origin} is at version {now}; expected version {then} instead. "
    "Hint: {hint}"
)
_HINTS = {
    False: "enable anomaly detection to find the operation that failed to compute its gradient, "
    "with torch.autograd.set_detect_anomaly(True, check_nan=False).",
    True: "the backtrace further above shows the operation that failed to compute its gradient. "
    "The variable in question was changed in there or anywhere later. Good luck!",
}


def changed(tensor, then):
    """The RuntimeError for a saved tensor that is not what it was."""
    origin, node = "", tensor.grad_fn
    if node is not None:
        name = node.name().partition("Backward")[0]
        origin = f", which is output {tensor.output_nr} of {name},"
    facts = {"kind": tensor.type(), "shape": list(tensor.shape), "now": tensor._version}
    text = CHANGED.format(**facts, then=then, origin=origin, hint=_HINTS[lines.on])
    return RuntimeError(text)


class _Watch(threading.local):
    """What this thread does with saved values.

    hooks: those that are set, the innermost last; forbidden: why setting any is an error, or None.
    mutation: whether custom functions save values; policy: called as policy(op, operands, attrs,
        result) of each operation, for what is handed out as its result.
    """

    hooks = ()
    forbidden = None
    mutation = False
    policy = None


_watch = _Watch()


class _Lines:
    """Whether the calls that lead to an operation are recorded, and what looks at derivatives.

    check: called with `_through` of autograd.rules and its arguments, in place of it; or None.
    done: called when a pass through a segment is at its end, or None.
    """

    on, check, done = False, None, None

    def turn(self, on, check=None):
        """Record calls from here on, or not."""
        self.on, self.check = on, check
        _update()

    @staticmethod
    def of(state):
        """((file, line, function), ...) of a record: the calls that led to it, the last at the end.

        Of a record that was made while this was off, only its line.
        """
        node = state.parent
        while isinstance(node.op, Structure) and node.op is not LINE:
            node = node.parent
        if node.op is LINE:
            return node.attrs["calls"]
        return ((*state.line, None),)


lines = _Lines()


class Hooks:
    """A pair of functions: `pack` gets what is saved, `unpack` gives it back."""

    __slots__ = ("pack", "unpack")

    def __init__(self, pack, unpack):
        self.pack, self.unpack = pack, unpack


def current_hooks():
    """The innermost hooks of this thread, or None."""
    return _watch.hooks[-1] if _watch.hooks else None


def push(hooks):
    """Set hooks. Raises RuntimeError where that is forbidden."""
    if _watch.forbidden is not None:
        raise RuntimeError(_watch.forbidden)
    _watch.hooks = (*_watch.hooks, hooks)
    _update()


def pop():
    """Take the innermost hooks out."""
    _watch.hooks = _watch.hooks[:-1]
    _update()


def forbid(message):
    """Make setting hooks an error; returns the message, or None, that there was before.

    Raises: RuntimeError if hooks are set now.
    """
    if _watch.hooks:
        raise RuntimeError(message)
    before = _watch.forbidden
    allow(message)
    return before


def allow(message=None):
    """Make setting hooks possible, or say why it is not, whatever is set now."""
    _watch.forbidden = message


def allow_mutation(allowed):
    """Let custom functions save values, which later writes do not touch, rather than tensors."""
    _watch.mutation = allowed


def mutation_allowed():
    """Whether custom functions save values."""
    return _watch.mutation


def set_policy(policy):
    """Let a function see each operation, or none (None); returns what was set before."""
    before, _watch.policy = _watch.policy, policy
    _update()
    return before


def _update():
    trace = local.trace
    if lines.on or _watch.hooks or _watch.policy is not None:
        trace.watch, trace.segment.slow = _watched, True  # quick paths do not ask
    else:
        trace.watch = None


def _watched(op, operands, attrs):
    """Record an operation, as `record` does."""
    trace = local.trace
    trace.watch = None
    try:
        if lines.on:
            structural(LINE, (), (("calls", user_calls()),), ())
        if (_watch.hooks and grad_enabled()) or _watch.policy is not None:
            return _record_and_pack(trace, op, operands, attrs)
        return record(op, operands, attrs)
    finally:
        _update()


def _record_and_pack(trace, op, operands, attrs):
    if trace.segment.node.full and not trace.hold and trace.root is None:
        flush()
    trace.hold += 1  # what is recorded stays in this segment until all is in its place
    try:
        out = record(op, operands, attrs)
        segment, state = trace.segment, trace.segment.node
        if _watch.policy is not None:
            out = _watch.policy(op, operands, attrs, out)
        if state.grad == "op" and _watch.hooks:
            outs = out if op.multi else (out,)
            described = [_describe(x) for x in operands]
            wanted = needs_of(state.op, described, attrs, state.metas)
            wanted = [k for k in wanted if k < 0 or isinstance(operands[k], Tensor)]
            if wanted:
                tensors = {k: outs[-1 - k] if k < 0 else operands[k] for k in wanted}
                _pack(segment, state.first, tensors)
    finally:
        trace.hold -= 1
    if segment.eager and not segment.done and not trace.hold and trace.root is None:
        flush()
    return out


def _describe(x):
    if x is None:
        return None
    return x._meta if isinstance(x, Tensor) else getattr(x, "kind", type(x))


def _pack(segment, first, tensors):
    kept = segment.contexts[("packed", first)] = Packed(current_hooks())
    structural(PACK, (), (("first", first), ("kept", tuple(tensors))), ())
    for k, x in tensors.items():
        kept.add(k, x)


class Packed:
    """What `pack` has made of the saved values of one record, by index (see `needs_of`)."""

    __slots__ = ("hooks", "items")

    def __init__(self, hooks):
        self.hooks, self.items = hooks, {}

    def add(self, key, x):
        """Pack a value. Raises RuntimeError if the hook changes it."""
        version = x._version
        with no_grad():
            packed = self.hooks.pack(x)
        if x._version != version:
            raise RuntimeError(
                "A saved tensor pack hook is modifying its input in place. Tensors provided as "
                "input to pack hook cannot be modified by in-place operations as this can lead to "
                "unexpected side-effects."
            )
        self.items[key] = (packed, x if packed is x else None, version)

    def get(self, key):
        """The value that `unpack` gives back.

        Raises: TypeError if that is no tensor; RuntimeError if it is the one that was saved, and
        has been changed in place since.
        """
        packed, same, version = self.items[key]
        x = self.hooks.unpack(packed)
        if not isinstance(x, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of "
                f"type {type(x).__name__}"
            )
        if x is same and x._version != version:
            raise changed(x, version)
        return x

    def values(self, state, source):
        """{index: value} of the record `state`, tied to the graph in a pass that records it."""
        return {key: self.value(key, state, source) for key in self.items}

    def value(self, key, state, source):
        """As `values`, one of them."""
        position = state.first - 1 - key if key < 0 else state.operands[key]
        x = self.get(key)
        if grad_enabled() and meta_at(source.index, position).requires_grad:
            return tied(x, source, position)
        return x

    def release(self):
        """Give up the values."""
        self.items = {}


def tied(x, source, position):
    """A value as a tensor whose gradient goes to a position in a graph."""
    with no_grad():
        x = x.clone() if x._storage is not None else x
    buffer, meta = sync.realize(x)
    again = new_leaf(meta.with_grad(True), buffer)
    again._history = (source.graph, position)
    return again
