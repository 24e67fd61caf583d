"""Exceptions that PyTorch has a class of its own for."""

import builtins

__all__ = [
    "AcceleratorError",
    "IndexError",
    "IntegerDivisionError",
    "LinAlgError",
    "OutOfMemoryError",
]


class OutOfMemoryError(RuntimeError):
    """A device has no memory left for a tensor."""


class AcceleratorError(RuntimeError):
    """A device other than the CPU has failed."""


class IndexError(builtins.IndexError, RuntimeError):
    """An index is out of range: PyTorch raises one or the other class, by function."""


class IntegerDivisionError(ZeroDivisionError, RuntimeError):
    """A whole number is divided by zero."""


class LinAlgError(RuntimeError):
    """A matrix does not have what a function of linear algebra needs, such as an inverse."""
