"""The trie of traces: a state for each record that was ever made in one place, for all threads."""

import os
import sys
import threading
from operator import attrgetter

from .. import config

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
    "note_end",
    "root_of",
    "user_calls",
    "user_line",
]


MAX_STATES = 400_000
PIECE = 128  # records of a piece of what many traces have in common
ENDS = 8  # ways to go on from there that are many


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


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
    grad: how gradients pass: "op" by the operation's rule, "leaf" to a tensor, "keep" to what
        the first operand was before an untracked write; None where none do.
    """

    __slots__ = (
        *("attrs", "autocast", "depth", "end", "ends", "expansion", "first", "full", "grad"),
        *("grad_mode", "key"),
        *("inference", "inferred", "leaves_end", "line", "macros", "meta", "metas", "next", "op"),
        *("operands", "parent"),
        *("pending", "programs", "slots_end", "stamp", "views"),
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
        else:
            self.first = parent.end
            self.end = parent.end + len(metas)
            self.slots_end = parent.slots_end + sum(type(x) is type for x in operands)
            self.leaves_end = parent.leaves_end
            self.grad_mode, self.autocast = parent.grad_mode, parent.autocast
            self.views, self.inference = parent.views, parent.inference
            self.inferred = parent.inferred or (self.inference and bool(metas))
            self.pending = parent.pending
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


def user_line():
    """(file, line) of the innermost frame outside of flambeau."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("?", 0)


def user_calls():
    """((file, line, function), ...) of the calls outside of flambeau, the innermost at the end."""
    frame, calls = sys._getframe(1), []
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            calls.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return tuple(reversed(calls))


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


def note_end(state):
    """Note that a trace ended here for the first time.

    Where many traces begin alike and end each in another way, as loops of another length each time
    do, what they have in common is cut in pieces: each is then a program of its own, and known.
    """
    while state.parent is not None:
        if state.depth % PIECE == 0:
            state.ends += 1
            if state.ends == ENDS:
                state.full = True
                state.next.clear()  # quick paths, which do not ask, go no further
        state = state.parent


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
