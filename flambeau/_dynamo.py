"""What programs set and ask of PyTorch's compiler: here all is compiled, and nothing has to be set.

Options are kept, so that they read back as they were written, and change nothing.
"""

from types import SimpleNamespace

from .compiler import allow_in_graph, disable, is_compiling, reset

__all__ = ["allow_in_graph", "config", "disable", "is_compiling", "reset"]

config = SimpleNamespace(
    cache_size_limit=8,
    capture_scalar_outputs=False,
    recompile_limit=8,
    suppress_errors=False,
    verbose=False,
)
