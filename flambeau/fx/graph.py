"""`Graph`: the operations of a program, in order, as nodes that can be changed."""

import contextlib
import copy

from .code import python_code
from .names import Names, snake_case
from .node import Node, map_arg, short_name

__all__ = ["Graph"]


class _Nodes:
    """The nodes of a graph in order, or, once reversed, from the last to the first."""

    def __init__(self, graph, step="_next"):
        self._graph, self._step = graph, step

    def __iter__(self):
        root = self._graph._root
        node = getattr(root, self._step)
        while node is not root:
            if not node._erased:
                yield node
            node = getattr(node, self._step)

    def __len__(self):
        return self._graph._length

    def __reversed__(self):
        return iter(_Nodes(self._graph, "_prev" if self._step == "_next" else "_next"))


class Graph:
    """A list of nodes, each an operation on those before it.

    New nodes are put at the insertion point, which is the end unless `inserting_before` or
    `inserting_after` say otherwise.

    >>> import flambeau as torch
    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> y = graph.call_function(torch.relu, (x,))
    >>> _ = graph.output(y)
    >>> print(graph)
    graph():
        %x : [num_users=1] = placeholder[target=x]
        %relu : [num_users=1] = call_function[target=torch.relu](args = (%x,), kwargs = {})
        return relu
    """

    def __init__(self, owning_module=None, tracer_cls=None, tracer_extras=None):
        self.owning_module = owning_module
        self._tracer_cls, self._tracer_extras = tracer_cls, tracer_extras
        self._names, self._length = Names(), 0
        self._root = Node(self, "", "root", "", (), {})
        self._insert = self._root.prepend

    @property
    def nodes(self):
        """All nodes, in order; `reversed` goes from the last to the first."""
        return _Nodes(self)

    def find_nodes(self, *, op, target=None, sort=True):
        """The nodes of an op, and of a target if one is given."""
        return [n for n in self.nodes if n.op == op and (target is None or n.target == target)]

    def output_node(self):
        """The node of op "output"."""
        return next(node for node in reversed(self.nodes) if node.op == "output")

    # New nodes

    def create_node(self, op, target, args=None, kwargs=None, name=None, type_expr=None):
        """A new node at the insertion point; `name` is a wish."""
        args, kwargs = () if args is None else args, {} if kwargs is None else kwargs
        if not isinstance(args, tuple):
            raise AssertionError(f"args must be a tuple, got {type(args)}")
        if not isinstance(kwargs, dict):
            raise AssertionError(f"kwargs must be a dict, got {type(kwargs)}")
        name = self._names.create(name if name is not None else self._target_name(target))
        node = Node(self, name, op, target, args, kwargs, type_expr)
        self._insert(node)
        self._length += 1
        return node

    def _target_name(self, target):
        name = target if isinstance(target, str) else short_name(target)
        if name.startswith("__") and name.endswith("__"):
            name = name[2:-2]
        return snake_case(name)

    def placeholder(self, name, type_expr=None, default_value=...):
        """An argument of the program; "*args" and "**kwargs" take the rest."""
        args = () if default_value is ... else (default_value,)
        return self.create_node("placeholder", name, args, {}, None, type_expr)

    def get_attr(self, qualified_name, type_expr=None):
        """What is at a path in the module, as "layers.0.weight"."""
        return self.create_node("get_attr", qualified_name, (), {}, None, type_expr)

    def call_module(self, module_name, args=None, kwargs=None, type_expr=None):
        """A call of the submodule at a path."""
        return self.create_node("call_module", module_name, args, kwargs, None, type_expr)

    def call_method(self, method_name, args=None, kwargs=None, type_expr=None):
        """A call of a method of the first of the arguments."""
        return self.create_node("call_method", method_name, args, kwargs, None, type_expr)

    def call_function(self, the_function, args=None, kwargs=None, type_expr=None, name=None):
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name, type_expr)

    def output(self, result, type_expr=None):
        """What the program returns."""
        return self.create_node("output", "output", (result,), {}, None, type_expr)

    def node_copy(self, node, arg_transform=lambda x: x):
        """A copy of a node of another graph; `arg_transform` says what its arguments are here."""
        args, kwargs = map_arg((node.args, node.kwargs), arg_transform)
        new = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        new.meta = copy.copy(node.meta)
        return new

    def graph_copy(self, g, val_map, return_output_node=False):
        """Copies of all nodes of another graph up to its output; returns what that would return.

        Args: val_map: {node: its copy}; nodes that it has are not copied, the others are added.
        """
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], val_map.__getitem__)
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, val_map.__getitem__)
        return None

    def __deepcopy__(self, memo=None):
        new = Graph(tracer_cls=self._tracer_cls)
        copies = {}
        result = new.graph_copy(self, copies, return_output_node=True)
        if result is not None:
            value, old = result
            output = new.output(value, type_expr=old.type)
            output.meta = copy.copy(old.meta)
        return new

    # Places and changes

    def inserting_before(self, n=None):
        """Put new nodes before a node, in a `with` block or for good."""
        return self._inserting((self._root._next if n is None else n).prepend, n)

    def inserting_after(self, n=None):
        """Put new nodes after a node; several are in the order in which they are made."""
        place = [self._root if n is None else n]

        def insert(node):
            place[0].append(node)
            place[0] = node

        return self._inserting(insert, n)

    def _inserting(self, insert, n):
        if n is not None and n.graph is not self:
            raise AssertionError("Node to insert before is not in graph.")
        before, self._insert = self._insert, insert

        @contextlib.contextmanager
        def restored():
            try:
                yield
            finally:
                self._insert = before

        return restored()

    def erase_node(self, to_erase):
        """Remove a node. Raises RuntimeError if others still take it."""
        if to_erase.users:
            raise RuntimeError(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in "
                f"the graph: {to_erase.users}!"
            )
        if to_erase.graph is not self:
            raise RuntimeError(f"Attempting to remove {to_erase} from wrong graph!")
        if to_erase._erased:
            return
        to_erase._unlink()
        to_erase._erased = True
        to_erase.args, to_erase.kwargs = (), {}
        self._length -= 1

    def eliminate_dead_code(self, is_impure_node=None):
        """Remove the nodes that nobody takes and that do nothing else; returns whether any was."""
        impure = is_impure_node or Node.is_impure
        before = len(self.nodes)
        for node in reversed(self.nodes):
            if not node.users and not impure(node):
                self.erase_node(node)
        return len(self.nodes) < before

    def lint(self):
        """Check that each node comes after those that it takes, and that no name is there twice.

        Also that the module has what is called and read. Raises RuntimeError or ValueError.
        """
        seen, names = set(), set()
        for node in self.nodes:
            if node.graph is not self:
                raise RuntimeError(f"Node '{node}' does not belong to this Graph!")
            for arg in node.all_input_nodes:
                if arg.graph is not self:
                    raise RuntimeError(f"Argument '{arg}' of Node '{node}' is of another Graph")
                if arg not in seen:
                    raise RuntimeError(
                        f"Argument '{arg}' of Node '{node}' was used before it has been defined! "
                        "Please check that Nodes in the graph are topologically ordered"
                    )
            if node.name in names:
                raise RuntimeError(f"Node redefined name {node.name}!")
            seen.add(node)
            names.add(node.name)
            self._check_target(node)

    def _check_target(self, node):
        if self.owning_module is None or node.op not in ("get_attr", "call_module"):
            return
        found = self.owning_module
        for part in node.target.split("."):
            if not hasattr(found, part):
                raise RuntimeError(
                    f"Node {node} target {node.target} references nonexistent attribute {part}"
                )
            found = getattr(found, part)

    # What it looks like

    def python_code(self, root_module, **options):
        """A `PythonCode`: attribute `src`, the source of `forward`; `globals`, what it needs."""
        return python_code(self, root_module)

    def process_inputs(self, *args):
        """The arguments as the placeholders take them: as they are."""
        return args

    def process_outputs(self, out):
        """The output as callers get it: as it is."""
        return out

    def print_tabular(self):
        """Print a table of all nodes, by the package `tabulate`."""
        try:
            from tabulate import tabulate
        except ImportError:
            print("`print_tabular` relies on the library `tabulate`: pip install tabulate")
            raise
        rows = [[n.op, n.name, n.target, n.args, n.kwargs] for n in self.nodes]
        print(tabulate(rows, headers=["opcode", "name", "target", "args", "kwargs"]))

    def __str__(self):
        lines = [node.format_node() for node in self.nodes]
        return "graph():" + "".join(f"\n    {line}" for line in lines)
