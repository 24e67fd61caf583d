"""The graph of a model as TensorBoard draws it: its operations, in boxes of its modules."""

from ...autograd.modes import no_grad
from ...autograd.operations import observe
from ...recorder.handle import Tensor
from .. import _pytree
from ..module_tracker import ModuleTracker
from .summary import proto

__all__ = ["model_graph"]

_ENUMS = {
    "float16": "DT_HALF",
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "bfloat16": "DT_BFLOAT16",
    "bool": "DT_BOOL",
    "complex64": "DT_COMPLEX64",
    "complex128": "DT_COMPLEX128",
    "uint8": "DT_UINT8",
    **{f"int{n}": f"DT_INT{n}" for n in (8, 16, 32, 64)},
}


class _Graph:
    """Collects the nodes: operations, in the order in which they are recorded, and tensors."""

    def __init__(self, model):
        self.nodes, self.taken = [], {}
        self.names = {}  # id of a tensor -> (the node that made it, the tensor, kept for its id)
        self.tracker = ModuleTracker()
        root = type(model).__name__
        for name, x in (*model.named_parameters(), *model.named_buffers()):
            self.names[id(x)] = (None, x, f"{root}/{name.replace('.', '/')}")

    def add(self, path, op, inputs, made):
        """A node for `made`, a tensor or a tuple; its name is the path, made unique."""
        count = self.taken[path] = self.taken.get(path, -1) + 1
        name = f"{path}_{count}" if count else path
        outs = [x for x in (made if isinstance(made, tuple) else (made,)) if isinstance(x, Tensor)]
        self.nodes.append((name, op, inputs, outs[0] if outs else None))
        for x in outs:
            self.names[id(x)] = (name, x, None)
        return name

    def name_of(self, x):
        """The node of a tensor; one is made for a tensor that is none's result."""
        known, _, path = self.names.get(id(x), (None, None, "constant"))
        return known or self.add(path, "Parameter" if "/" in path else "Constant", [], x)

    def look(self, op, operands, attrs, result):
        """Add an operation."""
        inputs = [self.name_of(x) for x in operands if isinstance(x, Tensor)]
        scope = self.tracker.path.replace(".", "/")
        self.add(f"{scope}/{op.name}" if scope else op.name, op.name, inputs, result)


def model_graph(model, inputs, verbose=False):
    """The GraphDef of what `model(*inputs)` records.

    Args: inputs: a tensor, or a tuple or list of arguments; verbose: print the nodes.
    """
    args = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    graph = _Graph(model)
    for x in _pytree.tree_leaves(args):
        if isinstance(x, Tensor):
            graph.add("input/input", "IO Node", [], x)
    with no_grad(), graph.tracker, observe(graph.look):
        results = model(*args)
    for x in _pytree.tree_leaves(results):
        if isinstance(x, Tensor):
            graph.add("output/output", "IO Node", [graph.name_of(x)], x)
    made = proto("graph_pb2").GraphDef(versions=proto("versions_pb2").VersionDef(producer=22))
    for name, op, sources, x in graph.nodes:
        if verbose:
            print(f"{name} = {op}({', '.join(sources)})")
        node = made.node.add(name=name, op=op, input=sources)
        if x is not None:
            sizes = node.attr["_output_shapes"].list.shape.add()
            for size in x.shape:
                sizes.dim.add(size=size)
            kind = _ENUMS.get(x.dtype.name)
            if kind is not None:
                node.attr["dtype"].type = proto("types_pb2").DataType.Value(kind)
    return made
