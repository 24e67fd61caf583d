"""The Python source of a graph's `forward`."""

import dataclasses
import math
import operator

import flambeau

from .node import Node, qualified_name, type_name

__all__ = ["PythonCode", "python_code", "wrapped"]

_BINARY = {
    "add": "+", "and_": "&", "eq": "==", "floordiv": "//", "ge": ">=", "gt": ">", "le": "<=",
    "lshift": "<<", "lt": "<", "matmul": "@", "mod": "%", "mul": "*", "ne": "!=", "or_": "|",
    "pow": "**", "rshift": ">>", "sub": "-", "truediv": "/", "xor": "^",
}  # fmt: skip
_UNARY = {"invert": "~", "neg": "-", "pos": "+"}
_INPLACE = ("iadd", "iand", "ifloordiv", "ilshift", "imod", "imul", "imatmul", "ior", "ipow")
_INPLACE += ("irshift", "isub", "itruediv", "ixor")
_SYMBOLS = {
    **{getattr(operator, name): f"{{}} {sign} {{}}" for name, sign in _BINARY.items()},
    **{getattr(operator, name): f"{sign}{{}}" for name, sign in _UNARY.items()},
    operator.getitem: "{}[{}]",
}
_UPDATES = {getattr(operator, name): name for name in _INPLACE}

# Functions that tracing takes as one call: `fx.wrap` adds to them.
wrapped = set()


@dataclasses.dataclass
class PythonCode:
    """Source of a function and the global names that it needs."""

    src: str
    globals: dict


def python_code(graph, root):
    """The code of a graph as a function of the module, called `root`, and its placeholders."""
    writer = _Writer(graph, root)
    body = "".join(map(writer.statement, graph.nodes)) or "pass\n"
    body = "\n".join("    " + line for line in body.split("\n"))
    head = f"def forward({', '.join([root, *writer.arguments])}){writer.returns}:\n"
    wraps = "\n".join(f'torch.fx._symbolic_trace.wrap("{name}")' for name in writer.wraps)
    return PythonCode(f"\n{wraps}\n\n{head}{body}", writer.globals)


class _Writer:
    """What is known while the lines of a graph are written."""

    def __init__(self, graph, root):
        self.root, self.arguments, self.returns, self.wraps = root, [], "", []
        self.globals = {"torch": flambeau, "inf": math.inf, "nan": math.nan, "NoneType": type(None)}
        self.globals["device"] = flambeau.device
        self._last = _last_uses(graph)

    def statement(self, node):
        """The line of a node, which also lets go of what nobody takes after it."""
        if node.op == "placeholder":
            return self._placeholder(node)
        if node.op == "output":
            if node.type is not None:
                self.returns = f" -> {self._type(node.type)}"
            return f"return {self._arg(node.args[0])}\n"
        kind = f" : {self._type(node.type)}" if node.type is not None else ""
        line = f"{node}{kind} = {self._value(node)}"
        if self._is_update(node):
            line = f"{node.args[0]} {_sign(node)} {self._arg(node.args[1])};  {node} = "
            line += str(node.args[0])
        done = [*self._last.get(node, ()), *([] if node.users else [node])]
        return line + (f";  {' = '.join(map(str, done))} = None\n" if done else "\n")

    def _placeholder(self, node):
        kind = f" : {self._type(node.type)}" if node.type is not None else ""
        default = f" = {self._arg(node.args[0])}" if node.args else ""
        self.arguments.append(f"{node.target}{kind}{default}")
        raw = node.target.replace("*", "")
        return "" if raw == node.name else f"{node} = {raw}\n"

    def _is_update(self, node):
        return node.op == "call_function" and node.target in _UPDATES and len(node.args) == 2

    def _value(self, node):
        args = node.args
        if node.op == "get_attr":
            return self._path(self.root, node.target)
        if node.op == "call_module":
            return f"{self._path(self.root, node.target)}({self._args(args, node.kwargs)})"
        if node.op == "call_method":
            rest = self._args(args[1:], node.kwargs)
            return f"{self._path(self._arg(args[0]), node.target)}({rest})"
        symbol = _SYMBOLS.get(node.target) if not node.kwargs else None
        if symbol and symbol.count("{}") == len(args):
            return symbol.format(*map(self._arg, args))
        if node.target is getattr and _reads_attribute(args):
            return self._path(self._arg(args[0]), args[1])
        return f"{self._function(node.target)}({self._args(args, node.kwargs)})"

    def _function(self, target):
        name = qualified_name(target)
        if "." not in name or name.startswith(("torch.", "operator.")):
            if name.startswith("operator."):
                self.globals.setdefault("operator", operator)
            if _resolve(name, self.globals) == target:
                return name
        called = name.replace(".", "_")
        while self.globals.get(called, target) is not target:
            called += "_1"
        self.globals[called] = target
        if target in wrapped and called not in self.wraps:
            self.wraps.append(called)
        return called

    def _type(self, kind):
        name = type_name(kind)
        if _resolve(name, self.globals) is not kind:
            plain = name.replace(".", "_")
            name = plain if plain.isidentifier() else "object"
            self.globals[name] = kind
        return name

    def _args(self, args, kwargs):
        named = (f"{name} = {self._arg(x)}" for name, x in kwargs.items())
        return ", ".join([*map(self._arg, args), *named])

    def _arg(self, x):
        """The source of an argument."""
        if isinstance(x, Node):
            return str(x)
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return f"{self._function(type(x))}({', '.join(map(self._arg, x))})"
        if type(x) is tuple:
            return "(" + ", ".join(map(self._arg, x)) + (",)" if len(x) == 1 else ")")
        if type(x) is list:
            return "[" + ", ".join(map(self._arg, x)) + "]"
        if type(x) is dict:
            return "{" + ", ".join(f"{k!r}: {self._arg(v)}" for k, v in x.items()) + "}"
        if isinstance(x, slice):
            return f"slice({', '.join(map(self._arg, (x.start, x.stop, x.step)))})"
        if callable(x) and hasattr(x, "__name__"):
            return self._function(x)
        if isinstance(x, flambeau.device):
            return f"device({str(x)!r})" if x.index is None else repr(x)
        return repr(x)

    def _path(self, root, path):
        for part in path.split("."):
            root = f"{root}.{part}" if part.isidentifier() else f'getattr({root}, "{part}")'
        return root


def _last_uses(graph):
    """{node: those that no node after it takes}."""
    seen, last = set(), {}
    for node in reversed(graph.nodes):
        for arg in node.all_input_nodes:
            if arg not in seen:
                seen.add(arg)
                last.setdefault(node, []).append(arg)
    return last


def _reads_attribute(args):
    return len(args) == 2 and isinstance(args[1], str) and args[1].isidentifier()


def _sign(node):
    name = _UPDATES[node.target][1:]
    return _BINARY[name if name in _BINARY else f"{name}_"] + "="


def _resolve(name, names):
    """What a dotted name is, or None."""
    first, *rest = name.split(".")
    builtin = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
    found = names.get(first, builtin.get(first))
    for part in rest:
        found = getattr(found, part, None)
    return found
