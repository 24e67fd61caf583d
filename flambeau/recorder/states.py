"""The trie of traces: a state for each record that was ever made in one place, for all threads."""

import threading
from operator import attrgetter

from .. import config
from .cuts import way_to
from .lines import user_line

__all__ = [
    "FREE",
    "LEAF",
    "LINE",
    "MARK",
    "MAX_STATES",
    "MODE",
    "PACK",
    "REGION",
    "VIEW",
    "WRITE",
    "Scalar",
    "State",
    "Structure",
    "add_state",
    "forget",
    "made_in_inference_mode",
    "root_of",
]


MAX_STATES = 400_000


class State:
    """A node of the trie: one record, and what is known once it has been made.

    op, operands, attrs: the record. An operand is a position, the type of a number (which is then
        the next scalar slot), a `Scalar` (an earlier slot) or None.
    metas: of the results, which stand at positions `first` to `end`.
    inference: whether inference mode is on; inferred: whether a record up to here was made in it,
        or used what was.
    autocast: the dtype that operations which gain by it are computed in, or None.
    depth: how many records the trace has; ends: in how many ways traces through here ended, if its
        depth is that of a piece; full: whether a trace that comes here is run.
    way: the lines that led here, as `cuts.way_to` knows them.
    grad: how gradients pass: "op" by the operation's rule, "leaf" to a tensor, "keep" to what
        the first operand was before an untracked write; None where none do.
    """

    __slots__ = (
        *("attrs", "autocast", "depth", "end", "ends", "expansion", "first", "full", "grad"),
        *("grad_mode", "key"),
        *("inference", "inferred", "leaves_end", "line", "macros", "meta", "metas", "next", "op"),
        *("operands", "parent"),
        *("pending", "programs", "slots_end", "stamp", "views", "way"),
    )

    def __init__(self, parent, key, op, operands, attrs, metas, grad=None):
        self.parent, self.key, self.op = parent, key, op
        self.operands, self.attrs, self.metas, self.grad = operands, attrs, metas, grad
        self.meta = metas[0] if metas else None
        self.next, self.programs, self.macros = {}, {}, {}
        self.line = self.expansion = None
        self.stamp = self.ends = 0
        self.depth = 0 if parent is None else parent.depth + 1
        if parent is None:
            self.first = self.end = self.slots_end = self.leaves_end = self.pending = 0
            self.grad_mode, self.autocast, self.views = True, None, False
            self.inference = self.inferred = False
            self.way = {}
        else:
            self.first = parent.end
            self.end = parent.end + len(metas)
            self.slots_end = parent.slots_end + sum(type(x) is type for x in operands)
            self.leaves_end = parent.leaves_end
            self.grad_mode, self.autocast = parent.grad_mode, parent.autocast
            self.views, self.inference = parent.views, parent.inference
            self.inferred = parent.inferred or (self.inference and bool(metas))
            self.pending, self.way = parent.pending, parent.way
        self.full = False

    def path(self):
        """The states from the first record of the trace to this one."""
        states = []
        node = self
        while node.parent is not None:
            states.append(node)
            node = node.parent
        states.reverse()
        return states

    def slots(self):
        """The scalar slot of each operand that is a number, by the operand's index."""
        first = self.parent.slots_end
        found = {}
        for index, operand in enumerate(self.operands):
            if type(operand) is type:
                found[index] = first
                first += 1
            elif type(operand) is Scalar:
                found[index] = operand.slot
        return found

    def __repr__(self):
        return f"<State {self.first}: {self.op} {self.operands} {self.attrs or ''} -> {self.metas}>"


class Scalar:
    """A reference to an earlier scalar slot of the same segment, and the type of its number."""

    __slots__ = ("kind", "slot")
    _known = {}

    def __new__(cls, slot, kind):
        found = cls._known.get((slot, kind))
        if found is None:
            found = cls._known[slot, kind] = object.__new__(cls)
            found.slot, found.kind = slot, kind
        return found

    def __repr__(self):
        return f"slot {self.slot}"


class Structure:
    """The `op` of records that are not operations: what enters, views, writes and marks."""

    composite = False
    at_run_time = None

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


LEAF = Structure("leaf")  # memory from before the segment


VIEW = Structure("view")  # operand 0, a storage's content, seen with another geometry


WRITE = Structure("write")  # operand 0 with operand 1 written over the region `geometry`


MARK = Structure("mark")  # operand 0 as a tensor that starts, or does not take part in, gradients


MODE = Structure("mode")  # the grad mode or autocast changes


FREE = Structure("free")  # the graphs that end in the operands have been walked and freed


LINE = Structure("line")  # the next record was made at another line of the user's program


REGION = Structure("region")  # the next records are made within these ranges and modules


PACK = Structure("pack")  # of the record at `first`, the values `kept` are in the user's hands


_roots = {}


def root_of(grad_mode, autocast, inference=False):
    """The state that traces start from in these modes."""
    key = (grad_mode, autocast, inference)
    root = _roots.get(key)
    if root is None:
        root = State(None, None, None, (), {}, ())
        root.grad_mode, root.autocast, root.inference = key
        root = _roots.setdefault(key, root)
    return root


def made_in_inference_mode(state, position, state_of):
    """Whether the tensor at a position, which `state` made, is an inference tensor.

    A view, or what was written to, is one if it was before. Args: state_of(position).
    """
    while True:
        if state.op is LEAF:
            return state.key is not None and "inference" in state.key
        if not (isinstance(state.op, Structure) or state.op.view):
            return state.inference
        position = state.operands[0]
        state = state_of(position)


_lock = threading.RLock()


_states = 0


def add_state(node, key, op, operands, attrs, metas, grad=None, **known):
    """Extend the trie below `node` by a record seen for the first time.

    known: what else the state says; other threads, which share the trie, may see it at once.
    """
    global _states
    with _lock:
        state = State(node, key, op, operands, attrs, metas, grad)
        for name, value in known.items():
            setattr(state, name, value)
        state.line = user_line()
        first = node.parent is None
        state.way, cut = way_to(node.way, node.line, state.line, first)
        if cut:  # quick paths, which do not ask, go no further
            forget(lambda s: (s.parent.line, s.line) in cut)
        if op is LEAF:
            state.leaves_end += 1
        else:
            state.pending += sum(m.numel * m.dtype.itemsize for m in metas)
        state.views = node.views or op is VIEW or getattr(op, "view", False)
        if state.end > config.max_trace or state.pending > config.max_pending:
            state.full = True
        node.next[key] = state
        _states += 1
        if _states > MAX_STATES:
            _prune()
    return state


def forget(found):
    """Cut off the traces that pass a state for which `found(state)` is true."""
    with _lock:
        stack = list(_roots.values())
        while stack:
            node = stack.pop()
            for key, state in list(node.next.items()):
                if found(state):
                    del node.next[key]
                else:
                    stack.append(state)


def _prune():
    """Forget the half of the traces that were walked least recently."""
    global _states
    ends, stack = [], list(_roots.values())
    while stack:
        node = stack.pop()
        stack.extend(node.next.values())
        if node.programs:
            ends.append(node)
    ends.sort(key=attrgetter("stamp"))
    for node in ends[: len(ends) // 2 + 1]:
        node.programs.clear()
        while node.parent is not None and not node.next and not node.programs:
            node.parent.next.pop(node.key, None)
            node = node.parent
    count, stack = 0, list(_roots.values())
    while stack:
        node = stack.pop()
        count += len(node.next)
        stack.extend(node.next.values())
    _states = count
