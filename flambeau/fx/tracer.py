"""`Tracer`: runs a program on proxies, which makes the graph of what it does."""

import builtins
import contextlib
import functools
import inspect
import math
import types

from ..nn.containers import Sequential
from ..nn.module import Module
from ..nn.parameter import Parameter
from ..overrides import TorchFunctionMode
from ..tensor import Tensor
from . import code
from .graph import Graph
from .graph_module import GraphModule
from .node import map_aggregate
from .proxy import ParameterProxy, Proxy, TracerBase

__all__ = ["Tracer", "symbolic_trace", "wrap"]

_wrapped = {}  # {(id of a module's globals, name): (those globals, name)} that `wrap` was given


def wrap(fn_or_name):
    """Have tracing take a call of a function as one node instead of looking into it.

    Call it in the module that uses the function, with the function or its name; it is a decorator,
    too. Returns what it is given. Raises RuntimeError for what is neither.

    >>> import flambeau as torch
    >>> @torch.fx.wrap
    ... def twice(x):
    ...     return x + x if x.sum() > 0 else x
    """
    if not isinstance(fn_or_name, str) and not callable(fn_or_name):
        raise RuntimeError(
            "Unsupported type for global function! Must be either a callable or string name"
        )
    name = fn_or_name if isinstance(fn_or_name, str) else fn_or_name.__name__
    found = inspect.currentframe().f_back
    if found.f_code.co_name != "<module>":
        raise NotImplementedError("wrap must be called at the top level of a module")
    _wrapped[id(found.f_globals), name] = (found.f_globals, name)
    return fn_or_name


class _Watch(TorchFunctionMode):
    """While it is on, the operators of Tensor ask the proxies among their operands, too."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return NotImplemented


class Tracer(TracerBase):
    """Runs a module's `forward`, or a function, on proxies. Subclasses say what becomes a node.

    Args:
        autowrap_modules: modules whose functions are taken as one call.
        autowrap_functions: functions that are, too.
        param_shapes_constant: whether the shapes of parameters are numbers, and no nodes.

    >>> import flambeau as torch
    >>> graph = torch.fx.Tracer().trace(lambda x: x.relu() + 1)
    >>> [(node.op, node.name) for node in graph.nodes]
    [('placeholder', 'x'), ('call_method', 'relu'), ('call_function', 'add'), ('output', 'output')]
    """

    traced_func_name = "forward"

    def __init__(
        self, autowrap_modules=(math,), autowrap_functions=(), param_shapes_constant=False
    ):
        self._modules = autowrap_modules
        self._functions = tuple(autowrap_functions)
        self.param_shapes_constant = param_shapes_constant

    def trace(self, root, concrete_args=None):
        """The graph of a module or function.

        Args: concrete_args: {name: value} of arguments that are not to be proxies.
        """
        is_module = isinstance(root, Module)
        self.root = root if is_module else Module()
        fn = getattr(type(root), self.traced_func_name) if is_module else root
        self._paths = _paths(self.root)
        self._tensors = _tensors(self.root)
        self.graph = Graph(tracer_cls=type(self))
        self._parameters = {}
        fn, args = self.create_args_for_root(fn, is_module, concrete_args)
        with contextlib.ExitStack() as stack:
            self._patch_modules(stack)
            self._patch_functions(stack, inspect.unwrap(fn).__globals__)
            stack.enter_context(_Watch())
            result = self.create_arg(fn(*args))
        kind = getattr(fn, "__annotations__", {}).get("return")
        self.create_node("output", "output", (result,), {}, type_expr=kind)
        return self.graph

    # What subclasses say

    def is_leaf_module(self, m, module_qualified_name):
        """Whether a call of a module is one node: those of `nn` are, but for Sequential."""
        return m.__module__.startswith("flambeau.nn") and not isinstance(m, Sequential)

    def call_module(self, m, forward, args, kwargs):
        """What a call of a module gives; `forward` calls it."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def path_of_module(self, mod):
        """Where a module is in the root. Raises NameError if it is not."""
        path = self._paths.get(mod)
        if path is None:
            raise NameError("module is not installed as a submodule")
        return path

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        """What reading an attribute of a module gives: proxies for parameters."""
        of_interest = isinstance(attr_val, Parameter) or (
            self.proxy_buffer_attributes and isinstance(attr_val, Tensor)
        )
        path = self._tensors.get(id(attr_val)) if of_interest else None
        if path is None:
            return attr_val
        if path not in parameter_proxy_cache:
            factory = functools.partial(ParameterProxy, self, name=path, param=attr_val)
            constant = self.param_shapes_constant and isinstance(attr_val, Parameter)
            parameter_proxy_cache[path] = self.create_proxy(
                "get_attr", path, (), {}, proxy_factory_fn=factory if constant else None
            )
        return parameter_proxy_cache[path]

    def create_args_for_root(self, root_fn, is_module, concrete_args=None):
        """A function of positional arguments only, and a proxy, or a value, for each of them."""
        analysed = inspect.unwrap(root_fn)
        if not isinstance(analysed, types.FunctionType):
            raise RuntimeError(f"only functions and modules can be traced, not {root_fn!r}")
        co = analysed.__code__
        count = co.co_argcount + co.co_kwonlyargcount
        names = list(co.co_varnames[:count])
        args = [self.root] if is_module else []
        parameters = inspect.signature(analysed).parameters
        for name in names[len(args) :]:
            args.append(self._placeholder(analysed, name, parameters[name], concrete_args or {}))
        rest = co.co_varnames[count:]
        for flag, stars in ((inspect.CO_VARARGS, "*"), (inspect.CO_VARKEYWORDS, "**")):
            if co.co_flags & flag:
                args.append(self.create_proxy("placeholder", stars + rest[0], (), {}))
                rest = rest[1:]
        return (_all_positional(analysed, len(args)) if len(args) > count else root_fn), args

    def _placeholder(self, fn, name, parameter, concrete):
        default = () if parameter.default is inspect.Parameter.empty else (parameter.default,)
        if name not in concrete:
            kind = fn.__annotations__.get(name)
            return self.create_proxy("placeholder", name, default, {}, type_expr=kind)
        value = concrete[name]
        told = self.create_proxy("placeholder", f"{name}_1", (), {})
        if isinstance(value, (bool, int, float, str)):
            from .. import _assert

            message = f"{name} has been specialized to have value {value} but got another value"
            self.create_proxy("call_function", _assert, (told == value, message), {})
        return value

    # What it does with values

    def _leaf(self, a):
        if isinstance(a, Parameter) and id(a) not in self._tensors:
            raise NameError("parameter is not a member of this module")
        if isinstance(a, Tensor):
            path = self._tensors.get(id(a)) or self._constant(a)
            return self.create_node("get_attr", path, (), {})
        if isinstance(a, Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        return super()._leaf(a)

    def get_fresh_qualname(self, prefix):
        """A name that begins with a prefix and that the root has no attribute of."""
        number = 0
        while hasattr(self.root, f"{prefix}{number}"):
            number += 1
        return f"{prefix}{number}"

    def _constant(self, a):
        name = self.get_fresh_qualname("_tensor_constant")
        setattr(self.root, name, a)
        self._tensors[id(a)] = name
        return name

    # What it changes while the program runs

    def _patch_modules(self, stack):
        call, read = Module.__call__, Module.__getattribute__

        def traced_call(mod, *args, **kwargs):
            def forward(*args, **kwargs):
                return call(mod, *args, **kwargs)

            return self.call_module(mod, forward, args, kwargs)

        def traced_read(mod, name):
            value = read(mod, name)
            if isinstance(value, Tensor):
                return self.getattr(name, value, self._parameters)
            return value

        _patch(stack, vars(Module), "__call__", traced_call, Module)
        _patch(stack, vars(Module), "__getattribute__", traced_read, Module)

    def _patch_functions(self, stack, names):
        functions = {f for module in self._modules for f in vars(module).values() if _is_plain(f)}
        functions.update(self._functions)
        places = [(namespace, name) for namespace, name in _wrapped.values()]
        for namespace in (names, *map(vars, self._modules)):
            places += [(namespace, name) for name, f in namespace.items() if _in(f, functions)]
        for namespace, name in places:
            original = namespace.get(name, getattr(builtins, name, None))
            if original is not None and not hasattr(original, "_traced_as_one"):
                code.wrapped.add(original)
                _patch(stack, namespace, name, _as_one_call(original))


def _paths(root):
    """{module: path} of all modules in a root; the first path of those with several."""
    paths = {}
    for path, module in root.named_modules():
        paths.setdefault(module, path)
    return paths


def _tensors(root):
    """{id of a tensor: path} of all tensors that modules of a root have as attributes."""
    found = {}
    for pairs in (root.named_parameters(), root.named_buffers()):
        for path, tensor in pairs:
            found.setdefault(id(tensor), path)
    for path, module in root.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                found.setdefault(id(value), f"{path}.{name}" if path else name)
    return found


def _all_positional(fn, count):
    """A function whose `count` arguments, *args and **kwargs too, are taken one by one."""
    stars = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
    co = fn.__code__
    co = co.replace(
        co_argcount=count,
        co_posonlyargcount=0,
        co_kwonlyargcount=0,
        co_flags=co.co_flags & ~stars,
    )
    return types.FunctionType(co, fn.__globals__, fn.__name__, fn.__defaults__, fn.__closure__)


def _as_one_call(original):
    """A function that makes a node if it is called with proxies."""

    @functools.wraps(original)
    def wrapper(*args, **kwargs):
        found = []
        map_aggregate((args, kwargs), lambda x: found.append(x) if isinstance(x, Proxy) else None)
        if not found:
            return original(*args, **kwargs)
        return found[0].tracer.create_proxy("call_function", original, args, kwargs)

    wrapper._traced_as_one = True
    return wrapper


def _patch(stack, namespace, name, value, owner=None):
    """Give a name of a module or class another value until the stack unwinds."""
    had, before = name in namespace, namespace.get(name)
    put = namespace.__setitem__ if owner is None else functools.partial(setattr, owner)
    drop = namespace.__delitem__ if owner is None else functools.partial(delattr, owner)
    put(name, value)
    stack.callback(*((put, name, before) if had else (drop, name)))


def _is_plain(f):
    return isinstance(f, (types.BuiltinFunctionType, types.FunctionType))


def _in(f, functions):
    return _is_plain(f) and f in functions


def symbolic_trace(root, concrete_args=None):
    """A `GraphModule` that does what a module, or a function, does.

    The program is run once on proxies: what depends on values, such as an `if` on one, can not be
    traced; loops and conditions on numbers become what they were.

    >>> import flambeau as torch
    >>> module = torch.fx.symbolic_trace(lambda x: torch.relu(x + 1))
    >>> module(torch.tensor([-2.0, 2.0]))
    tensor([0., 3.])
    >>> [str(node) for node in module.graph.nodes]
    ['x', 'add', 'relu', 'output']
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
