"""`Node`: one operation of a `Graph`, and the arguments it takes from others."""

import builtins
import functools
import importlib
import inspect
import operator
import types
import typing

import flambeau

from ..ops.api import FUNCTIONS

__all__ = [
    "Argument",
    "Node",
    "Target",
    "map_aggregate",
    "map_arg",
    "qualified_name",
    "short_name",
    "type_name",
]

Argument = typing.Any  # what a node can have as an argument
Target = typing.Callable | str  # what a node can have as its target
OPS = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output", "root")


def map_arg(a, fn):
    """A nest of tuples, lists, dicts and slices with `fn(node)` in place of each of its nodes.

    >>> import flambeau as torch
    >>> x = torch.fx.Graph().placeholder("x")
    >>> torch.fx.node.map_arg((x, [x, 1]), lambda n: n.name)
    ('x', ['x', 1])
    """
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def map_aggregate(a, fn):
    """A nest of tuples, lists, dicts and slices with `fn(x)` in place of each of its leaves."""
    if isinstance(a, tuple):
        items = [map_aggregate(x, fn) for x in a]
        return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
    if isinstance(a, list):
        return [map_aggregate(x, fn) for x in a]
    if isinstance(a, dict):
        return {key: map_aggregate(x, fn) for key, x in a.items()}
    if isinstance(a, slice):
        return slice(*(map_aggregate(x, fn) for x in (a.start, a.stop, a.step)))
    return fn(a)


def qualified_name(f):
    """The name by which generated code finds a function, as "torch.relu" or "operator.add".

    Raises RuntimeError for those without a module that has them.
    """
    name = getattr(f, "__name__", None)
    if getattr(builtins, str(name), None) is f:
        return name
    public = _public_names().get(getattr(f, "function", f)) if _is_hashable(f) else None
    if public is None and isinstance(name, str) and getattr(flambeau, name, None) is f:
        public = f"torch.{name}"
    if public is not None:
        return public
    if isinstance(f, (types.MethodDescriptorType, types.WrapperDescriptorType)):
        return f"{f.__objclass__.__module__}.{f.__objclass__.__name__}.{name}"
    if name is None:
        return f"{type(f).__module__}.{type(f).__name__}"
    if name == "<lambda>":
        name = inspect.getsource(f).split("=")[0].strip()
        if not name.isidentifier():
            raise RuntimeError(f"Unable to represent lambda {f}: it has no name")
    module = getattr(f, "__module__", None) or "builtins"
    module = "operator" if module == "_operator" else module
    own, _, rest = module.partition(".")
    module = module if own != "flambeau" else "torch" + ("." + rest if rest else "")
    return f"{module}.{name}"


def short_name(f):
    """The name of a function within its module; "linalg_norm" and the like for those of some."""
    name = getattr(f, "__name__", None) or type(f).__name__
    public = _public_names().get(getattr(f, "function", f)) if _is_hashable(f) else None
    if public is None:
        return name
    module, _, name = public.removeprefix("torch.").rpartition(".")
    return name if module in ("", "nn.functional") else f"{module}_{name}"


@functools.cache
def _public_names():
    """{function of flambeau: its name}; of several the one that it says it has."""
    found = {}
    for path in ("special", "fft", "linalg", "nn.functional", ""):
        module = importlib.import_module(f"flambeau.{path}".rstrip("."))
        names = FUNCTIONS if module is flambeau else module.__all__
        for name in names:
            f = getattr(module, name, None)
            f = getattr(f, "function", f)
            if isinstance(f, types.FunctionType) and (f not in found or f.__name__ == name):
                found[f] = f"torch.{path}.{name}".replace("..", ".")
    return found


def _is_hashable(f):
    return type(f).__hash__ is not None


class Node:
    """One operation of a graph.

    op: "placeholder" (an argument of `forward`), "get_attr", "call_function", "call_method",
    "call_module" or "output". target: the argument's or attribute's name, the function, the
    method's name or the module's path. args and kwargs: nests that hold other nodes. Attribute
    users: {node that takes this one: None}; meta: a dict for what passes have to say about it.

    >>> import flambeau as torch
    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> y = graph.call_function(torch.add, (x, 1))
    >>> y, y.args, y.all_input_nodes, list(x.users)
    (add, (x, 1), [x], [add])
    """

    def __init__(self, graph, name, op, target, args, kwargs, return_type=None):
        if op not in OPS:
            raise AssertionError(f"invalid op: {op}")
        if op == "call_function" and not callable(target):
            raise ValueError(
                f"Node [graph = {graph}, name = '{name}'] target {target} has type {type(target)} "
                "but a Callable is expected"
            )
        if op != "call_function" and not isinstance(target, str):
            raise ValueError(
                f"Node [graph = {graph}, name = '{name}'] target {target} has type {type(target)} "
                "but a str is expected"
            )
        self.graph, self.name, self.op, self.target = graph, name, op, target
        self.type, self.users, self.meta = return_type, {}, {}
        self._prev = self._next = self
        self._erased = False
        self._inputs, self._args, self._kwargs = {}, (), {}
        self._set(map_aggregate(args, lambda x: x), map_aggregate(kwargs, lambda x: x))

    # What it takes, and who takes it

    def _set(self, args, kwargs):
        for old in self._inputs:
            old.users.pop(self, None)
        self._args, self._kwargs, self._inputs = tuple(args), dict(kwargs), {}
        map_arg((self._args, self._kwargs), self._inputs.setdefault)
        for new in self._inputs:
            new.users.setdefault(self)

    @property
    def args(self):
        """The positional arguments. Assign a tuple to change them."""
        return self._args

    @args.setter
    def args(self, a):
        self._set(a, self._kwargs)

    @property
    def kwargs(self):
        """The keyword arguments. Assign a dict to change them."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, k):
        self._set(self._args, k)

    @property
    def all_input_nodes(self):
        """The nodes among the arguments, each once."""
        return list(self._inputs)

    def update_arg(self, idx, arg):
        """Put another argument at a position."""
        args = list(self._args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx, arg):
        """Put one more argument before a position."""
        self.args = (*self._args[:idx], arg, *self._args[idx:])

    def update_kwarg(self, key, arg):
        """Put another argument under a keyword."""
        self.kwargs = {**self._kwargs, key: arg}

    def replace_input_with(self, old_input, new_input):
        """Take another node wherever it takes `old_input`."""
        change = {old_input: new_input}
        arguments = (self._args, self._kwargs)
        self._set(*map_arg(arguments, lambda n: change.get(n, n)))

    def replace_all_uses_with(
        self, replace_with, delete_user_cb=lambda user: True, *, propagate_meta=False
    ):
        """Have its users take another node instead; returns those that do.

        Args:
            delete_user_cb: says of a user whether it is to change.
            propagate_meta: also give the other node this one's `meta`; its own must be empty.
        """
        if propagate_meta:
            if replace_with.meta:
                raise AssertionError(
                    "Called node.replace_all_uses_with(replace_with, propagate_meta=True), but "
                    "replace_with already has .meta keys"
                )
            replace_with.meta.update(self.meta)
        changed = [user for user in self.users if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    # Its place in the graph

    @property
    def next(self):
        """The node after it; after the last one, the graph's root."""
        return self._next

    @property
    def prev(self):
        """The node before it; before the first one, the graph's root."""
        return self._prev

    def prepend(self, x):
        """Move a node of the same graph to right before this one."""
        if self.graph is not x.graph:
            raise AssertionError("Attempting to move a Node into a different Graph")
        if self is x:
            return
        x._unlink()
        before = self._prev
        before._next, x._prev = x, before
        x._next, self._prev = self, x

    def append(self, x):
        """Move a node of the same graph to right after this one."""
        if x is not self:
            self._next.prepend(x)

    def _unlink(self):
        before, after = self._prev, self._next
        before._next, after._prev = after, before

    def __lt__(self, other):
        nodes = list(self.graph.nodes)
        return nodes.index(self) < nodes.index(other)

    # What is said about it

    @property
    def stack_trace(self):
        """Where in the traced program it comes from, if the tracer has noted it."""
        return self.meta.get("stack_trace")

    @stack_trace.setter
    def stack_trace(self, trace):
        self.meta["stack_trace"] = trace

    def is_impure(self):
        """Whether it does more than give a value, so that it stays where nobody uses it."""
        if self.op == "call_module":
            module = self.graph.owning_module
            target = module and module.get_submodule(self.target)
            return getattr(target, "_is_impure", False)
        if self.op == "call_function":
            name = getattr(self.target, "__name__", "")
            return name in _IMPURE or self.target in (setattr, operator.setitem)
        return self.op in ("placeholder", "output")

    def format_node(self, placeholder_names=None, maybe_return_typename=None):
        """The line of `Graph.__str__` that tells of it.

        Args: placeholder_names: a list that gets the names of placeholders instead;
        maybe_return_typename: a list whose first item gets the type that the output has.
        """
        kind = f"{type_name(self.type)} " if self.type is not None else ""
        head = f"%{self.name} : {kind}[num_users={len(self.users)}] = {self.op}[target="
        if self.op == "placeholder":
            if placeholder_names is not None:
                placeholder_names.append(f"{self.target}: {kind}".rstrip(": "))
                return None
            default = f"(default={self._args[0]})" if self._args else ""
            return f"{head}{self.target}]{default}"
        if self.op == "output":
            if kind and maybe_return_typename:
                maybe_return_typename[0] = f" -> {type_name(self.type)}"
            return f"return {self._args[0]}"
        if self.op == "get_attr":
            return f"{head}{self.target}]"
        target = self.target if isinstance(self.target, str) else self._told_target()
        args = _format(self._args)
        return f"{head}{target}](args = {args}, kwargs = {_format(self._kwargs)})"

    def _told_target(self):
        name = qualified_name(self.target)
        return name if "." in name else f"builtins.{name}"

    def __repr__(self):
        return self.name


# Functions by name that do something besides giving a value.
_IMPURE = ("_assert", "_record_function_enter", "_record_function_exit", "manual_seed")


def _format(a):
    """Arguments as the lines of a graph show them: nodes begin with %, strings are bare."""
    if isinstance(a, Node):
        return f"%{a.name}"
    if isinstance(a, tuple):
        return "(" + ", ".join(map(_format, a)) + (",)" if len(a) == 1 else ")")
    if isinstance(a, list):
        return "[" + ", ".join(map(_format, a)) + "]"
    if isinstance(a, dict):
        return "{" + ", ".join(f"{key}: {_format(x)}" for key, x in a.items()) + "}"
    return str(a)


def type_name(kind):
    """A type as generated code writes it."""
    if isinstance(kind, type) and not hasattr(kind, "__origin__"):
        if kind.__module__ == "builtins":
            return kind.__name__
        if kind.__module__.partition(".")[0] == "flambeau":
            return f"torch.{kind.__name__}" if hasattr(flambeau, kind.__name__) else kind.__name__
        return f"{kind.__module__}.{kind.__name__}"
    return str(kind).replace("flambeau.", "torch.")
