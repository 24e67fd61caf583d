"""Functions of the user that the backward pass calls, and the handles that remove them.

Hooks of leaves stand on the tensor. Those of other tensors, and of operations, belong to the
recorded graph: they stand in the contexts of its segment, under `("tensor", position)` and
`("node", first position of the operation)`.
"""

import itertools
import threading
import weakref
from collections import OrderedDict

from ..recorder.handle import Tensor

__all__ = ["NodeHooks", "RemovableHandle", "add_hook", "call_tensor_hooks", "ends_of_pass"]

_ids = itertools.count()


class RemovableHandle:
    """Removes the hook it was returned for, by `remove()` or at the end of a `with` block.

    Args:
        hooks_dict: the ordered dict that has the hook under the handle's `id`.
        extra_dict: a dict, or a list of them, with further entries under that id.

    A copy of what has the hook, made with `copy.deepcopy`, has a handle of its own.
    """

    def __init__(self, hooks_dict, *, extra_dict=None):
        self.id = next(_ids)
        while self.id in hooks_dict:  # hooks that were unpickled have ids of another process
            self.id = next(_ids)
        extra = [extra_dict] if isinstance(extra_dict, dict) else extra_dict or []
        self._dicts = [weakref.ref(entries) for entries in (hooks_dict, *extra)]

    def remove(self):
        """Take the hook out; does nothing the second time."""
        for reference in self._dicts:
            entries = reference()
            if entries is not None:
                entries.pop(self.id, None)

    def __getstate__(self):
        return self.id, [reference() for reference in self._dicts]

    def __setstate__(self, state):
        self.id, dicts = state
        self._dicts = [weakref.ref(OrderedDict() if d is None else d) for d in dicts]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def add_hook(hooks, hook):
    """Add a hook to an ordered dict of them; returns its handle."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


class _EndsOfPass(threading.local):
    """What is to be called at the end of the backward passes that this thread is in.

    Entered by each pass, called with whether it is `partial`; `append` adds a function to the
    innermost one.
    """

    def __init__(self):
        self.stack = []
        self.partial = []

    def __call__(self, partial):
        """The same, for a pass that only computes the gradients of some tensors, or not."""
        self.partial.append(partial)
        return self

    def append(self, f):
        """Call f(whether the pass came to its end) when it does, or fails."""
        self.stack[-1].append(f)

    @property
    def current(self):
        """Something that stands for the innermost pass; None outside of any."""
        return self.stack[-1] if self.stack else None

    def __enter__(self):
        self.stack.append([])

    def __exit__(self, kind, *_):
        self.partial.pop()
        for f in self.stack.pop():
            f(kind is None)


ends_of_pass = _EndsOfPass()


class NodeHooks:
    """The hooks of one operation: `before` its derivative rule, and `after` it."""

    __slots__ = ("after", "before")

    def __init__(self):
        self.before, self.after = OrderedDict(), OrderedDict()

    def call_before(self, gs):
        """The cotangents of the results, as the hooks leave them."""
        for hook in list(self.before.values()):
            replaced = hook(tuple(gs))
            if replaced is not None:
                gs = list(replaced) if isinstance(replaced, (tuple, list)) else [replaced]
        return gs

    def call_after(self, grads, gs):
        """The cotangents of the operands, as the hooks leave them."""
        for hook in list(self.after.values()):
            replaced = hook(tuple(grads), tuple(gs))
            if replaced is not None:
                grads = replaced if isinstance(replaced, tuple) else (replaced,)
        return grads


def call_tensor_hooks(hooks, g):
    """A cotangent as the hooks leave it. Raises TypeError or RuntimeError for what does not fit."""
    for hook in list(hooks.values()):
        replaced = hook(g)
        if replaced is None:
            continue
        if not isinstance(replaced, Tensor):
            raise TypeError(f"expected Variable, but hook returned '{type(replaced).__name__}'")
        if replaced.shape != g.shape:
            name = getattr(hook, "__name__", type(hook).__name__)
            raise RuntimeError(f"hook '{name}' has changed the size of value")
        if replaced.dtype is not g.dtype:
            name = getattr(hook, "__name__", type(hook).__name__)
            raise RuntimeError(
                f"hook '{name}' has changed the type of value (was {g.type()} got "
                f"{replaced.type()})"
            )
        g = replaced
    return g
