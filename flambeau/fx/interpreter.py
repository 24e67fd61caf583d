"""`Interpreter`: runs a graph node by node. `Transformer`: makes another graph that way."""

from .graph import Graph
from .graph_module import GraphModule
from .node import map_arg
from .proxy import Proxy
from .tracer import Tracer

__all__ = ["Interpreter", "Transformer"]


class Interpreter:
    """Runs the graph of a `GraphModule` node by node; subclasses say what happens at each.

    Args: garbage_collect_values: whether to let go of values that no later node takes.

    >>> import flambeau as torch
    >>> class Told(torch.fx.Interpreter):
    ...     def call_function(self, target, args, kwargs):
    ...         print(target.__name__, args[1:])
    ...         return super().call_function(target, args, kwargs)
    >>> Told(torch.fx.symbolic_trace(lambda x: x * 3 + 1)).run(torch.tensor(2))
    mul (3,)
    add (1,)
    tensor(7)
    """

    def __init__(self, module, garbage_collect_values=True, graph=None):
        self.module, self.submodules = module, dict(module.named_modules())
        self.graph = module.graph if graph is None else graph
        self.garbage_collect_values = garbage_collect_values
        self.name = "Interpreter"
        self.env, self._uses = {}, {}

    def run(self, *args, initial_env=None, enable_io_processing=True):
        """What the graph returns for arguments. `initial_env`: {node: value} that are known."""
        self.env = {} if initial_env is None else dict(initial_env)
        self.args_iter = iter(args)
        last = self._last_uses() if self.garbage_collect_values else {}
        for node in self.graph.nodes:
            if node in self.env:
                continue
            self.env[node] = self.run_node(node)
            for done in last.get(node, ()):
                del self.env[done]
            if node.op == "output":
                return self.env[node]
        return None

    def boxed_run(self, args_list):
        """`run` of the arguments in a list, which is emptied."""
        args = list(args_list)
        args_list.clear()
        return self.run(*args)

    def _last_uses(self):
        seen, last = set(), {}
        for node in reversed(self.graph.nodes):
            for arg in node.all_input_nodes:
                if arg not in seen:
                    seen.add(arg)
                    last.setdefault(node, []).append(arg)
        return last

    def run_node(self, n):
        """The value of a node, by the method that is called as its op."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def placeholder(self, target, args, kwargs):
        """The next argument of `run`, or the default. Raises RuntimeError if there is neither."""
        if target.startswith("*"):
            return list(self.args_iter)
        try:
            return next(self.args_iter)
        except StopIteration:
            if args:
                return args[0]
            raise RuntimeError(
                f"Expected positional argument for parameter {target}, but one was not passed in!"
            ) from None

    def get_attr(self, target, args, kwargs):
        """What is at a path in the module."""
        return self.fetch_attr(target)

    def call_function(self, target, args, kwargs):
        """What a function gives."""
        return target(*args, **kwargs)

    def call_method(self, target, args, kwargs):
        """What a method of the first argument gives."""
        obj, *rest = args
        return getattr(obj, target)(*rest, **kwargs)

    def call_module(self, target, args, kwargs):
        """What a submodule gives."""
        return self.fetch_attr(target)(*args, **kwargs)

    def output(self, target, args, kwargs):
        """What the graph returns."""
        return args[0]

    def fetch_attr(self, target):
        """What is at a path in the module. Raises RuntimeError if there is nothing."""
        found = self.module
        for part in target.split("."):
            if not hasattr(found, part):
                raise RuntimeError(f"Node referenced nonexistent target {target}")
            found = getattr(found, part)
        return found

    def fetch_args_kwargs_from_env(self, n):
        """The values of a node's arguments."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args, n):
        """A nest of arguments with values in place of nodes."""
        return map_arg(args, self.env.__getitem__)


class _TransformerTracer(Tracer):
    """Appends to a graph; there every module is a leaf."""

    def __init__(self, graph, module):
        super().__init__()
        self.graph, self.root = graph, module
        self._tensors, self._paths = {}, {}

    def is_leaf_module(self, m, module_qualified_name):
        return True


class Transformer(Interpreter):
    """An `Interpreter` of proxies: `transform` gives the module that its methods make.

    >>> import flambeau as torch
    >>> class Swap(torch.fx.Transformer):
    ...     def call_method(self, target, args, kwargs):
    ...         return super().call_method("tanh" if target == "relu" else target, args, kwargs)
    >>> module = Swap(torch.fx.symbolic_trace(lambda x: x.relu())).transform()
    >>> [node.target for node in module.graph.nodes]
    ['x', 'tanh', 'output']
    """

    def __init__(self, module):
        super().__init__(module)
        self.new_graph = Graph()
        self.tracer = _TransformerTracer(self.new_graph, module)

    def placeholder(self, target, args, kwargs):
        """The proxy of an argument of the new graph."""
        default = args[0] if args else ...
        return Proxy(self.new_graph.placeholder(target, default_value=default), self.tracer)

    def get_attr(self, target, args, kwargs):
        """The proxy of a part of the module."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target, args, kwargs):
        """The proxy of a call of a submodule."""
        return self.tracer.create_proxy("call_module", target, args, kwargs)

    def call_function(self, target, args, kwargs):
        """The proxy of a call of a function."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self):
        """The new module."""
        result = self.run()
        self.new_graph.output(self.tracer.create_arg(result))
        return GraphModule(self.module, self.new_graph, type(self.module).__name__)

    def run(self, *args, **options):
        """The proxy of what the new graph returns."""
        return super().run(*args, **options)
