"""Saving and loading: PyTorch's `.pt` files, read without running anything that they contain.

The way of a file: `archive` (the zip container), or `legacy` and `tar` (what came before it),
`unpickler` with what `plain` and `safe` allow it to build, `storages` (bounds), `tensors`. And
back: `pickler`, `archive`, `files`.
"""

from .api import load, save
from .inspection import get_unsafe_globals_in_checkpoint
from .locations import (
    MAP_LOCATION,
    default_restore_location,
    location_tag,
    register_package,
)
from .safe import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .skipping import skip_data

__all__ = [
    "MAP_LOCATION",
    "add_safe_globals",
    "clear_safe_globals",
    "default_restore_location",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "register_package",
    "safe_globals",
    "save",
    "skip_data",
]
