"""Marks for PyTorch's compiler on functions, methods and classes: they change nothing here."""

from typing import NamedTuple

__all__ = [
    "Attribute",
    "annotate",
    "export",
    "ignore",
    "interface",
    "script_if_tracing",
    "script_method",
    "unused",
]


class Attribute(NamedTuple):
    """A value, and the type that a compiler is to take it for."""

    value: object
    type: object


def annotate(the_type, the_value):
    """The value.

    >>> import flambeau as torch
    >>> torch.jit.annotate(list[int], [])
    []
    """
    return the_value


def export(fn):
    """The function itself: a decorator for methods to be compiled."""
    return fn


def ignore(drop=False, **kwargs):
    """The function itself: a decorator, with arguments or without, for what stays Python."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn):
    """The function, or property, itself: a decorator for methods that are not compiled."""
    return fn


def interface(obj):
    """The class itself: a decorator for classes that only say what methods there are."""
    return obj


def script_method(fn):
    """The method itself: a decorator for methods of a `ScriptModule`."""
    return fn


def script_if_tracing(fn):
    """The function itself: a decorator for what is compiled if a caller is traced."""
    return fn
