"""`Proxy`: a value that is not there yet; what is done with it becomes nodes of a graph."""

import dis
import inspect
import operator

import flambeau

from ..overriding import ask_from_now_on
from .node import Node, map_aggregate

__all__ = [
    "Attribute",
    "GraphAppendingTracer",
    "ParameterProxy",
    "Proxy",
    "TraceError",
    "TracerBase",
]

_ITERATED = (
    "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a loop or as "
    "a *args or **kwargs function argument: use a loop over a number that does not depend on the "
    "inputs, or have the function with the loop taken as one call by torch.fx.wrap"
)


class TraceError(ValueError):
    """A program does with a `Proxy` what only a value can do."""


class TracerBase:
    """What makes nodes and proxies; attribute graph: where the nodes go."""

    record_stack_traces = False
    trace_asserts = False
    proxy_buffer_attributes = False

    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None):
        """A new node. Tracers override this to change what is recorded."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node):
        """The proxy of a node."""
        return Proxy(node, self)

    def create_proxy(
        self, kind, target, args, kwargs, name=None, type_expr=None, proxy_factory_fn=None
    ):
        """The proxy of a new node; its arguments may hold proxies, modules' tensors, and so on."""
        args, kwargs = self.create_arg(args), self.create_arg(kwargs)
        if not isinstance(args, tuple) or not isinstance(kwargs, dict):
            raise AssertionError("args must be a tuple and kwargs a dict")
        node = self.create_node(kind, target, args, kwargs, name, type_expr)
        return (proxy_factory_fn or self.proxy)(node)

    def create_arg(self, a):
        """What a node can hold for a value: proxies become their nodes.

        Raises NotImplementedError for objects that can not be written down.
        """
        return map_aggregate(a, self._leaf)

    def _leaf(self, a):
        if isinstance(a, Proxy):
            return a.node
        if hasattr(a, "__fx_create_arg__"):
            return a.__fx_create_arg__(self)
        if isinstance(a, range):
            return range(*map(self._leaf, (a.start, a.stop, a.step)))
        if isinstance(a, (Node, *_PLAIN)) or a is None or a is ... or callable(a):
            return a
        raise NotImplementedError(f"argument of type: {type(a)}")

    def to_bool(self, obj):
        """What a proxy is as a condition. Raises TraceError."""
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj):
        """What goes through the items of a proxy. Raises TraceError."""
        raise TraceError(_ITERATED)

    def keys(self, obj):
        """The proxy of the keys of a proxy of a dict, for `**`."""
        return Attribute(obj, "keys")()


_PLAIN = (str, int, float, bool, complex, flambeau.dtype, flambeau.Tensor, flambeau.device)
_PLAIN += (flambeau.memory_format, flambeau.layout)


class GraphAppendingTracer(TracerBase):
    """What appends to a graph that is there: for proxies that are made by hand."""

    def __init__(self, graph):
        self.graph = graph


class Proxy:
    """A value that a node will have. Operators, methods and functions of it make new nodes.

    >>> import flambeau as torch
    >>> graph = torch.fx.Graph()
    >>> x = torch.fx.Proxy(graph.placeholder("x"))
    >>> y = torch.relu(x + 1)
    >>> [node.name for node in graph.nodes]
    ['x', 'add', 'relu']
    """

    def __init__(self, node, tracer=None):
        ask_from_now_on()
        self.node = node
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer

    def __getattr__(self, name):
        return Attribute(self, name)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self):
        frame = inspect.currentframe().f_back
        count = _unpacked(frame)
        return self.tracer.iter(self) if count is None else (self[k] for k in range(count))

    def __bool__(self):
        return self.tracer.to_bool(self)

    def __len__(self):
        raise RuntimeError(
            "'len' is not supported in symbolic tracing by default. If you want this call to be "
            "recorded, please call torch.fx.wrap('len') at module scope"
        )

    def __deepcopy__(self, memo):
        return Proxy(self.node, self.tracer)

    def keys(self):
        """What `**` asks for; see `TracerBase.keys`."""
        return self.tracer.keys(self)

    def __repr__(self):
        return f"Proxy({self.node.name})"

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """The proxy of a call of a function, or of a method of Tensor."""
        arguments = (args, kwargs or {})
        tracer = _tracer_of(arguments)
        if _is_method(func):
            return tracer.create_proxy("call_method", func.__name__, *arguments)
        return tracer.create_proxy("call_function", func, *arguments)


class Attribute(Proxy):
    """An attribute of a proxy: a method if it is called, else read where it is used."""

    def __init__(self, root, attr):
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node = None

    @property
    def node(self):
        """The node that reads it."""
        if self._node is None:
            read = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {})
            self._node = read.node
        return self._node

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """The proxy of a parameter, whose shape is known."""

    def __init__(self, tracer, node, name, param):
        super().__init__(node, tracer)
        self.param, self.name = param, name

    def __repr__(self):
        return f"ParameterProxy({self.name})"

    @property
    def shape(self):
        """The parameter's shape."""
        return self.param.shape

    def size(self, dim=None):
        """The parameter's shape, or its extent along a dim."""
        return self.param.size() if dim is None else self.param.size(dim)

    def dim(self):
        """The parameter's number of dims."""
        return self.param.dim()

    @property
    def ndim(self):
        """The parameter's number of dims."""
        return self.param.ndim

    def numel(self):
        """The parameter's number of elements."""
        return self.param.numel()

    def nelement(self):
        """The parameter's number of elements."""
        return self.param.nelement()


def _unpacked(frame):
    """How many names the statement that a frame is at unpacks a value into; None if it does not."""
    for step in dis.get_instructions(frame.f_code):
        if step.offset == frame.f_lasti:
            return step.argval if step.opname == "UNPACK_SEQUENCE" else None
    return None


def _tracer_of(arguments):
    found = []
    map_aggregate(arguments, lambda x: found.append(x.tracer) if isinstance(x, Proxy) else None)
    return found[0]


def _is_method(func):
    """Whether a function is a method of Tensor, and not the public function of that name."""
    name = getattr(func, "__name__", "")
    return vars(flambeau.Tensor).get(name) is func and vars(flambeau).get(name) is not func


def _publish():
    """Give Proxy Python's operators."""

    def forward(function):
        def operation(self, *args):
            return self.tracer.create_proxy("call_function", function, (self, *args), {})

        return operation

    def reflected(function):
        def operation(self, other):
            return self.tracer.create_proxy("call_function", function, (other, self), {})

        return operation

    for name in _OPERATORS:
        function = getattr(operator, name)
        special = f"__{name.removesuffix('_')}__"
        setattr(Proxy, special, forward(function))
        if name in _REFLECTED:
            setattr(Proxy, f"__r{name.removesuffix('_')}__", reflected(function))
    Proxy.__hash__ = object.__hash__


_REFLECTED = ("add", "and_", "floordiv", "lshift", "matmul", "mod", "mul", "or_", "pow", "rshift")
_REFLECTED += ("sub", "truediv", "xor")
_OPERATORS = (*_REFLECTED, "abs", "eq", "ge", "getitem", "gt", "invert", "le", "lt", "ne", "neg")
_OPERATORS += ("pos",)
_publish()
