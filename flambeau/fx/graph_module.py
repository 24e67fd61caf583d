"""`GraphModule`: a module whose `forward` is made from a graph."""

import copy
import itertools
import linecache

from ..nn.module import Module
from ..tensor import Tensor
from .code import PythonCode

__all__ = ["GraphModule"]

_counter = itertools.count()


class GraphModule(Module):
    """A module whose `forward` does what a graph says.

    It has those parts of `root`, a module or {path: part}, that the graph uses. After changes of
    its graph call `recompile`. Attribute code: the source of `forward`.

    >>> import flambeau as torch
    >>> module = torch.fx.symbolic_trace(lambda x: x + 1)
    >>> node = next(n for n in module.graph.nodes if n.name == "add")
    >>> node.target = torch.mul
    >>> node.update_arg(1, 5)
    >>> _ = module.recompile()
    >>> module(torch.tensor(2))
    tensor(10)
    """

    def __new__(cls, *args, **kwargs):
        """Each instance is of a class of its own, as each has another `forward`."""
        base = next(c for c in cls.__mro__ if not vars(c).get("_is_of_instance", False))
        own = type(base.__name__, (base,), {"_is_of_instance": True, "__module__": base.__module__})
        return super().__new__(own)

    def __init__(self, root, graph, class_name="GraphModule"):
        super().__init__()
        type(self).__name__ = class_name
        if isinstance(root, Module):
            if hasattr(root, "training"):
                self.training = root.training
        _take_parts(self, root, graph)
        self.meta = dict(getattr(root, "meta", {}))
        self.graph = graph

    @property
    def graph(self):
        """The graph; assigning another one compiles it."""
        return self._graph

    @graph.setter
    def graph(self, g):
        self.__dict__["_graph"] = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self):
        """The source of `forward`."""
        return self._code

    def recompile(self):
        """Make `forward` from the graph as it is now; returns its `PythonCode`."""
        made = self._graph.python_code("self")
        self._code = made.src
        type(self).forward = _compile(made)
        return made

    def __str__(self):
        note = "# To see more debug info, please use `graph_module.print_readable()`"
        return "\n".join([super().__repr__(), self._code, note])

    def print_readable(self, print_output=True, **options):
        """The source of a class with this `forward`; printed, too, unless told not to."""
        lines = [line for line in self._code.split("\n") if line.strip()]
        at = next(k for k, line in enumerate(lines) if line.startswith("def "))
        lines.insert(at + 1, "    # No stacktrace found for following nodes")
        body = "\n".join(f"    {line}" for line in lines[at:])
        text = f"class {type(self).__name__}(torch.nn.Module):\n{body}\n"
        if print_output:
            print(text)
        return text

    # Submodules

    def add_submodule(self, target, m):
        """Put a module at a path, making those on the way; returns whether that worked."""
        *way, name = target.split(".")
        place = self
        for part in way:
            if not hasattr(place, part):
                place.add_module(part, Module())
            place = getattr(place, part)
            if not isinstance(place, Module):
                return False
        place.add_module(name, m)
        return True

    def delete_submodule(self, target):
        """Remove the module at a path; returns whether there was one."""
        *way, name = target.split(".")
        place = self
        for part in way:
            place = getattr(place, part, None)
        if not isinstance(getattr(place, name, None), Module):
            return False
        delattr(place, name)
        return True

    def delete_all_unused_submodules(self):
        """Remove the modules that the graph does not use."""
        used = set()
        for node in self.graph.nodes:
            if node.op in ("call_module", "get_attr"):
                parts = node.target.split(".")
                used.update(".".join(parts[: k + 1]) for k in range(len(parts)))
                if node.op == "call_module":
                    inner = self.get_submodule(node.target).named_modules()
                    used.update(f"{node.target}.{path}" for path, _ in inner if path)
        for path in [path for path, _ in self.named_modules() if path and path not in used]:
            self.delete_submodule(path)

    # Copies

    def __deepcopy__(self, memo):
        parts = Module()
        parts.__dict__ = copy.deepcopy(self._parts(), memo)
        new = GraphModule(parts, copy.deepcopy(self._graph), type(self).__name__)
        new.meta = copy.copy(self.meta)
        new.training = self.training
        return new

    def __copy__(self):
        return GraphModule(self, copy.deepcopy(self._graph), type(self).__name__)

    def __reduce__(self):
        made = self._graph.python_code("self")
        needed = {name: x for name, x in made.globals.items() if name not in _COMMON}
        return _rebuild, (self._parts(), made.src, needed)

    def _parts(self):
        own = dict(self.__dict__)
        del own["_graph"]
        return own


_COMMON = ("NoneType", "device", "inf", "nan", "operator", "torch")


def _rebuild(parts, source, needed):
    """A pickled module: its code is traced again."""
    from .graph import Graph
    from .tracer import Tracer

    class KeepModules(Tracer):
        def is_leaf_module(self, m, module_qualified_name):
            return True

    names = {**Graph().python_code("self").globals, **needed}
    kind = type("Code", (Module,), {"forward": _compile(PythonCode(source, names))})
    root = kind.__new__(kind)
    root.__dict__.update(parts)
    return GraphModule(root, KeepModules().trace(root))


def _compile(made):
    """The function of a `PythonCode`; errors within it show its lines."""
    source, names = made.src.lstrip("\n"), dict(made.globals)
    file = f"<eval_with_key>.{next(_counter)}"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), names)
    return names["forward"]


def _take_parts(module, root, graph):
    """Give a module what nodes of a graph call and read, at the same paths as in `root`."""
    for node in graph.nodes:
        if node.op not in ("call_module", "get_attr"):
            continue
        if isinstance(root, Module):
            part = root
            for name in node.target.split("."):
                part = getattr(part, name, None)
            if part is None:
                continue
        elif node.target in root:
            part = root[node.target]
        else:
            raise RuntimeError(
                f"Node {node} referenced target {node.target} but that target was not provided in "
                "``root``!"
            )
        _put(module, node.target, part)


def _put(module, path, part):
    *way, name = path.split(".")
    for step in way:
        if not hasattr(module, step):
            module.add_module(step, Module())
        module = getattr(module, step)
    plain = isinstance(part, Tensor) and not isinstance(part, Module)
    if plain and not part.requires_grad:
        if name in module._buffers:
            module._buffers[name] = part
        elif not hasattr(module, name):
            module.register_buffer(name, part)
    else:
        setattr(module, name, part)
