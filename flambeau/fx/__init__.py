"""`flambeau.fx`: programs as graphs that can be read, changed and run again.

`symbolic_trace` runs a module once on stand-ins for its inputs and notes what it does.
"""

from ..lazy import also_known_as
from . import tracer
from .code import PythonCode
from .graph import Graph
from .graph_module import GraphModule
from .interpreter import Interpreter, Transformer
from .node import Node, map_arg
from .proxy import Proxy
from .subgraph_rewriter import replace_pattern
from .tracer import Tracer, symbolic_trace, wrap

__all__ = [
    "Graph",
    "GraphModule",
    "Interpreter",
    "Node",
    "Proxy",
    "PythonCode",
    "Tracer",
    "Transformer",
    "map_arg",
    "replace_pattern",
    "symbolic_trace",
    "wrap",
]

_symbolic_trace = tracer
also_known_as(__name__, _symbolic_trace=tracer)
