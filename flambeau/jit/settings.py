"""Settings of PyTorch's compiler, which is not there: they are accepted, to no effect."""

import contextlib

__all__ = [
    "enable_onednn_fusion",
    "fuser",
    "onednn_fusion_enabled",
    "optimized_execution",
    "set_fusion_strategy",
    "strict_fusion",
]

_strategy = [("STATIC", 2), ("DYNAMIC", 10)]
_onednn = False


def set_fusion_strategy(strategy):
    """Note a strategy; returns the one before."""
    global _strategy
    before, _strategy = _strategy, list(strategy)
    return before


def enable_onednn_fusion(enabled):
    """Note whether oneDNN is wanted."""
    global _onednn
    _onednn = bool(enabled)


def onednn_fusion_enabled():
    """Whether oneDNN is wanted."""
    return _onednn


def fuser(name):
    """A context in which nothing changes."""
    return contextlib.nullcontext()


def optimized_execution(should_optimize):
    """A context in which nothing changes."""
    return contextlib.nullcontext()


def strict_fusion():
    """A context in which nothing changes."""
    return contextlib.nullcontext()
