"""What training needs beside models: data loading and smaller helpers, imported when asked for."""

from ..lazy import submodules

__all__: list[str] = []

__getattr__ = submodules(__name__, {"swap_tensors": "swapping"})
