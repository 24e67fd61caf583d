"""Classes and functions that the user allows files to name, beside plain data and tensors."""

from .names import file_name_of

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "find_safe",
    "get_safe_globals",
    "is_safe",
    "safe_globals",
]

_allowed = []


def add_safe_globals(safe_globals):
    """Allow `load` to build and call the given classes and functions.

    Args: safe_globals: a list of them; a pair gives the full name that the file knows one by.

    A file can then do with them whatever it likes: allow only what is safe with any arguments.
    """
    _allowed.extend(entry for entry in safe_globals if entry not in _allowed)


def get_safe_globals():
    """What `add_safe_globals` has allowed, as a list."""
    return list(_allowed)


def clear_safe_globals():
    """Forget what `add_safe_globals` has allowed."""
    _allowed.clear()


class safe_globals:
    """Allow classes and functions inside a `with` block, as `add_safe_globals` does.

    >>> import argparse, io
    >>> import flambeau as torch
    >>> from flambeau.serialization import load, safe_globals, save
    >>> file = io.BytesIO()
    >>> save(argparse.Namespace(lr=0.1), file)
    >>> _ = file.seek(0)
    >>> with safe_globals([argparse.Namespace]):
    ...     load(file)
    Namespace(lr=0.1)
    """

    def __init__(self, safe_globals):
        self._entries = list(safe_globals)

    def __enter__(self):
        self._before = get_safe_globals()
        add_safe_globals(self._entries)
        return self

    def __exit__(self, *_):
        _allowed[:] = self._before


def find_safe(module, name):
    """What the user allows under a name in a file; None if there is nothing."""
    for entry in _allowed:
        obj, full_name = entry if isinstance(entry, tuple) else (entry, None)
        if full_name is None:
            alias = file_name_of(obj)
            found = (module, name) in ((obj.__module__, obj.__qualname__), alias)
            # PyTorch may keep the class in another submodule.
            found |= alias is not None and alias[1] == name and module.startswith("torch.")
        else:
            found = f"{module}.{name}" == full_name
        if found:
            return obj
    return None


def is_safe(obj):
    """Whether the user allows a class or function."""
    return any(obj is (e[0] if isinstance(e, tuple) else e) for e in _allowed)
