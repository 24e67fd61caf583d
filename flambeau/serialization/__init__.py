"""Saving and loading: PyTorch's `.pt` files, read without running anything that they contain.

The way of a file: `archive` (the zip container) or `legacy` (what came before it), `unpickler`
with what `plain` and `safe` allow it to build, `storages` (bounds), `tensors`. And back: `pickler`,
`archive`, `files`.
"""

from .api import get_unsafe_globals_in_checkpoint, load, save
from .safe import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "safe_globals",
    "save",
]
