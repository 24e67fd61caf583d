"""Submodules that are imported when they are first asked for, so that importing stays quick."""

import importlib
import importlib.util
import sys

__all__ = ["also_known_as", "submodules"]


def submodules(package, later=None):
    """The `__getattr__` of a package: its submodules, and the names that `later` says are in one.

    Args: package: its `__name__`; later: {name: submodule that defines it}.
    """
    later = later or {}

    def __getattr__(name):
        if name in later or not name.startswith("__"):
            home = later.get(name, name)
            if importlib.util.find_spec(f"{package}.{home}") is not None:
                module = importlib.import_module(f"{package}.{home}")
                return getattr(module, name) if name in later else module
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__


def also_known_as(package, **modules):
    """Let modules be imported as submodules of a package too: where PyTorch keeps their names."""
    for name, module in modules.items():
        sys.modules[f"{package}.{name}"] = module
