"""`flambeau.backends.cpu`: what the processor can do."""

import functools
import platform

from llvmlite import binding

__all__ = ["get_cpu_capability"]


@functools.cache
def get_cpu_capability():
    """The widest vector instructions of the processor: "AVX512", "AVX2" or "DEFAULT"."""
    if platform.machine().lower() in ("x86_64", "amd64"):
        features = binding.get_host_cpu_features()
        if features.get("avx512f"):
            return "AVX512"
        if features.get("avx2"):
            return "AVX2"
    return "DEFAULT"
