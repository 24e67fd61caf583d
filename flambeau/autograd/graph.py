"""The recorded graph as PyTorch shows it: `grad_fn` objects, and the hooks of tensors.

A `Node` is a view of a record: its operands are found when they are asked for.
"""

import threading
import weakref
from collections import OrderedDict

from ..ops.api import METHODS
from ..recorder import inplace
from ..recorder.entering import enter
from ..recorder.handle import Tensor
from ..recorder.states import VIEW, WRITE
from ..recorder.trace import flush, local
from .arguments import GradientEdge
from .engine import gradient_place
from .hooks import NodeHooks, RemovableHandle, add_hook, ends_of_pass
from .names import grad_name, writes_all
from .paths import gradient_inputs
from .rules import FREED
from .saved import (
    allow_mutation_on_saved_tensors,
    disable_saved_tensors_hooks,
    save_on_cpu,
    saved_tensors_hooks,
)
from .saved_values import saved_names, saved_value

__all__ = [
    "AccumulateGrad",
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "grad_fn",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class Node:
    """A `grad_fn`: the operation that a tensor's gradient goes to next.

    >>> import flambeau as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> (x * 2).sum().grad_fn.name()
    'SumBackward0'
    """

    # state: the record; leaves: where gradients end in its segment, by position; contexts: of its
    # segment; root: the tensor by which it was found, which keeps its graph.

    def name(self):
        """The name of the derivative."""
        return type(self).__name__

    @property
    def next_functions(self):
        """(node, index of its result) of each operand: where gradients go; None for numbers."""
        context = self._context
        if context is not None:
            return tuple(self._edge(p) for p in self._state.operands[context.skip :])
        if self._state.op is WRITE:
            base, value = self._state.operands
            return self._edge(base), self._edge(value)
        return tuple(self._edge(p) for p in self._state.operands)

    def _edge(self, position):
        if type(position) is not int:
            return None, 0
        return _node_at(self._state, position, self._leaves, self._contexts, self._root)

    @property
    def _context(self):
        """The custom function that this node stands for, if it does."""
        return self._contexts.get(self._state.first)

    @property
    def metadata(self):
        """A dict that belongs to the user."""
        return self.__dict__.setdefault("_metadata", {})

    def _sequence_nr(self):
        """The place of the operation among those recorded together: later ones have higher."""
        return self._state.first

    def _node_hooks(self):
        return self._contexts.setdefault(("node", self._state.first), NodeHooks())

    def register_hook(self, fn):
        """Call fn(grad_inputs, grad_outputs) after this step of each backward pass.

        It may return other grad_inputs. Returns a handle that removes it.
        """
        return add_hook(self._node_hooks().after, fn)

    def register_prehook(self, fn):
        """Call fn(grad_outputs) before this step of each backward pass, and use what it returns."""
        return add_hook(self._node_hooks().before, fn)

    def __getattr__(self, name):
        if name.startswith("__") or name in ("_state", "_contexts", "_leaves"):
            raise AttributeError(name)
        context = self._context
        if context is not None:
            return getattr(context.ctx, name)
        if name not in self._names_of_saved():
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return saved_value(self._state, name, self._home(), self._leaves)

    def _names_of_saved(self):
        return saved_names(self._state) if self._context is None else ()

    def _home(self):
        """The graph that holds the record, or the segment if that can not be run now."""
        flush()
        homes = [_home(self._root)[0]]
        for home in homes:
            if home.contexts is self._contexts:
                return home
            earlier = [history[0] for _, history in home.grad_leaves.values() if history]
            homes.extend(graph for graph in earlier if graph not in homes)
        raise RuntimeError(FREED)

    def __dir__(self):
        return [*super().__dir__(), *self._names_of_saved()]

    def __repr__(self):
        home = "torch.autograd.function." if self._context is not None else ""
        return f"<{home}{type(self).__name__} object at {id(self):#x}>"


class AccumulateGrad(Node):
    """Where gradients end: `variable` is the leaf whose `.grad` they are added to."""

    next_functions = ()

    def _names_of_saved(self):
        return ()

    def __init__(self, variable):
        self.variable = variable

    _context = None

    def name(self):
        """The name that PyTorch gives it."""
        return "torch::autograd::AccumulateGrad"

    def register_hook(self, fn):
        """Call fn((), (grad,)) after the gradient has been added."""
        return register_post_accumulate_grad_hook(self.variable, lambda leaf: fn((), (leaf._grad,)))

    def register_prehook(self, fn):
        """Call fn((gradient,)) before it is added, and use what it returns."""

        def hook(g):
            replaced = fn((g,))
            return replaced[0] if isinstance(replaced, tuple) else replaced

        return register_hook(self.variable, hook)


_classes = {}
_nodes = weakref.WeakValueDictionary()
_lock = threading.Lock()


def _make(state, leaves, contexts, root):
    context = contexts.get(state.first)
    name = grad_name(state) if context is None else context.name
    cls = _classes.get(name)
    if cls is None:
        cls = _classes[name] = type(name, (Node,), {"__doc__": f"`grad_fn` of {state.op}."})
    with _lock:
        key = (id(contexts), state.first)  # a node keeps its contexts, hence the id, alive
        node = _nodes.get(key)
        if node is None:
            node = _nodes[key] = cls()
            node._state, node._leaves, node._contexts = state, leaves, contexts
            node._root = root
    return node


def _accumulator(leaf):
    with _lock:
        node = _nodes.get(id(leaf))
        if node is None:
            node = _nodes[id(leaf)] = AccumulateGrad(leaf)
    return node


def _state_of(below, position):
    """The record at a position, sought from a later record down."""
    while below.parent is not None:
        if below.first <= position < below.end:
            return below
        below = below.parent
    raise LookupError(position)


def _node_at(below, position, leaves, contexts, root):
    """(the node that the gradient at a position goes to, the index of its result) or (None, 0)."""
    while True:
        state = _state_of(below, position)
        if not state.metas[position - state.first].requires_grad:
            return None, 0
        if state.grad == "keep":
            position = gradient_inputs(state)[0]
        elif state.op is VIEW and state.grad == "op" and _same(state, below):
            position = state.operands[0]
        elif state.op is WRITE and state.grad == "op" and _is_result(state, below):
            position = state.operands[1]
        else:
            break
    if state.grad == "op":
        return _make(state, leaves, contexts, root), position - state.first
    if state.grad != "leaf":
        return None, 0
    found = leaves.get(position)
    if found is None:
        return None, 0
    leaf, history = found
    if history is None:
        return _accumulator(leaf), 0
    graph, position = history
    below = graph.spec.index[position]
    return _node_at(below, position, graph.grad_leaves, graph.contexts, root)


def _same(state, below):
    source = _state_of(below, state.operands[0]).meta
    return source.shape == state.meta.shape and source.strides == state.meta.strides


def _is_result(state, below):
    """Whether a write replaces the whole by the result of an operation, as `x.mul_(2)` does."""
    return writes_all(state) and _state_of(below, state.operands[1]).grad == "op"


def _home(tensor):
    """(graph or segment, a record at or behind the tensor's, its position)."""
    graph, position = gradient_place(tensor)
    if graph is None:
        segment = local.trace.segment
        return segment, segment.node, position
    return graph, graph.spec.index[position], position


def grad_fn(tensor):
    """The `Node` of the operation that made a tensor, None for a leaf."""
    if tensor._segment is None and tensor._view_of is not None:
        enter(tensor, local.trace.segment)
    if not tensor._meta.requires_grad or inplace.is_leaf(tensor):
        return None
    home, below, position = _home(tensor)
    node, _ = _node_at(below, position, home.grad_leaves, home.contexts, tensor)
    return None if isinstance(node, AccumulateGrad) else node


Tensor.grad_fn = property(grad_fn, doc="The operation that made it, None for a leaf.")


def get_gradient_edge(tensor):
    """The (node, index) that the gradient of a tensor goes to: a `GradientEdge`.

    It stays as it is when the tensor is changed in place.
    """
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not "
            "require gradients"
        )
    if inplace.is_leaf(tensor):
        return GradientEdge(_accumulator(tensor), 0, tensor)
    home, below, position = _home(tensor)
    edge = _node_at(below, position, home.grad_leaves, home.contexts, tensor)
    return GradientEdge(*edge, inplace.snapshot(tensor, keep_gradient=True))


def increment_version(tensor):
    """Count a change of a tensor, or of several, that operations do not know of."""
    for x in [tensor] if isinstance(tensor, Tensor) else tensor:
        inplace.count_change(x)


# Hooks of tensors


def _method(f):
    METHODS[f.__name__] = f
    return f


@_method
def register_hook(self, hook):
    """Call hook(gradient) in each backward pass that comes to this tensor.

    What it returns, if not None, takes the gradient's place. Returns a handle that removes it.

    >>> import flambeau as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 2)
    >>> (x * 3).sum().backward()
    >>> x.grad
    tensor([6., 6.])
    """
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if inplace.is_leaf(self):
        if self._hooks is None:
            self._hooks = OrderedDict()
        return add_hook(self._hooks, hook)
    home, _, position = _home(self)
    return add_hook(home.contexts.setdefault(("tensor", position), OrderedDict()), hook)


@_method
def register_post_accumulate_grad_hook(self, hook):
    """Call hook(self) whenever a backward pass has added to `.grad` of this leaf.

    Returns a handle that removes it.
    """
    if not self.requires_grad:
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if not inplace.is_leaf(self):
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    if self._after_grad is None:
        self._after_grad = OrderedDict()
    return add_hook(self._after_grad, hook)


@_method
def retain_grad(self):
    """Let backward passes fill `.grad` of this tensor although it is no leaf."""
    if not self.requires_grad:
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    if inplace.is_leaf(self):
        return
    home, _, position = _home(self)
    if self._retains_grad:  # an in-place operation has given it another place
        before, place = self.__dict__["_retained_at"]
        before.retained.pop(place, None)
    if home.retained is None:
        home.retained = {}
    home.retained[position] = weakref.ref(self)
    self._retains_grad, self._retained_at = True, (home, position)


Tensor.retains_grad = property(
    lambda self: self._retains_grad, doc="Whether `retain_grad` was called on this tensor."
)


class _MultiGradHandle:
    """Removes the hooks that `register_multi_grad_hook` made."""

    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        """Take the hooks out."""
        for handle in self.handles:
            handle.remove()

    __enter__ = RemovableHandle.__enter__
    __exit__ = RemovableHandle.__exit__


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call fn when the gradients of several tensors are known.

    mode "all": fn([gradient or None, ...]) once all have theirs, or at the end of a pass that came
    to some of them; "any": fn(gradient) when the first has. Returns a handle that removes the
    hooks.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    found = {}

    def end(whole):
        grads = [found.get(k) for k in range(len(tensors))]
        unfinished = mode == "all" and len(found) < len(tensors)
        found.clear()
        if whole and unfinished:
            fn(grads)

    def hook_of(k):
        def hook(g):
            if not found:
                ends_of_pass.append(end)
                if mode == "any":
                    fn(g)
            found[k] = g
            if mode == "all" and len(found) == len(tensors):
                fn([found[i] for i in range(len(tensors))])

        return hook

    return _MultiGradHandle([register_hook(t, hook_of(k)) for k, t in enumerate(tensors)])
