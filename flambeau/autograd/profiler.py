"""`flambeau.autograd.profiler`: the older names of `flambeau.profiler`, imported when asked for."""

from ..lazy import submodules

__all__ = ["profile", "record_function"]  # noqa: F822

__getattr__ = submodules(
    "flambeau", {"profile": "profiler.older", "record_function": "profiler.profiling"}
)
