"""Schemas: what arguments an operation takes, as `foo(Tensor x, int n=3) -> Tensor` says it."""

import ast
import collections.abc
import inspect
import re
import types
import typing
from collections import namedtuple

from .. import dtypes
from ..recorder.handle import Tensor, device

__all__ = ["Parameter", "Schema", "infer_schema", "parse"]

Parameter = namedtuple("Parameter", ("name", "kind", "keyword_only", "mutated", "default"))
Parameter.__doc__ = """An argument: its kind is that of a schema, as "Tensor" or "int[]"; `default`
is `inspect.Parameter.empty` if it must be given."""

_EMPTY = inspect.Parameter.empty
_KINDS = {
    Tensor: "Tensor",
    int: "SymInt",
    float: "float",
    bool: "bool",
    str: "str",
    complex: "complex",
    device: "Device",
    dtypes.dtype: "ScalarType",
    int | float | bool: "Scalar",
}
_LISTS = (list, collections.abc.Sequence)
_SCHEMA = re.compile(r"\s*([\w:.]*)\s*\((.*)\)\s*->\s*(.+?)\s*$", re.DOTALL)
_ARGUMENT = re.compile(r"(\w+(?:\([^)]*\))?(?:\[\d*\])*\??(?:\[\])?)\s+(\w+)\s*(?:=\s*(.+))?$")


class Schema:
    """parameters: those of an operation, in order; returns: what it gives, as the text says it."""

    def __init__(self, parameters, returns):
        self.parameters, self.returns = parameters, returns

    @property
    def mutated(self):
        """The names of the arguments that the operation changes."""
        return [p.name for p in self.parameters if p.mutated]

    def bind(self, name, args, kwargs):
        """All arguments in order, of a call of the operation `name`, checked.

        Raises: RuntimeError for arguments that do not fit.
        """
        positional = [p for p in self.parameters if not p.keyword_only]
        if len(args) > len(positional):
            raise RuntimeError(
                f"{name}() expected at most {len(positional)} argument(s) but received "
                f"{len(args)} argument(s). Declaration: {name}{self}"
            )
        given = {p.name: x for p, x in zip(positional, args, strict=False)}
        for key in kwargs:
            if key in given or key not in {p.name for p in self.parameters}:
                raise RuntimeError(
                    f"Unknown keyword argument '{key}' for operator '{name}'. Schema: {name}{self}"
                )
        given |= kwargs
        values = []
        for p in self.parameters:
            value = given.get(p.name, p.default)
            if value is _EMPTY:
                raise RuntimeError(
                    f"{name}() is missing value for argument '{p.name}'. Declaration: {name}{self}"
                )
            if p.kind == "Tensor" and not isinstance(value, Tensor):
                raise RuntimeError(
                    f"{name}() Expected a value of type 'Tensor' for argument '{p.name}' but "
                    f"instead found type '{type(value).__name__}'. Declaration: {name}{self}"
                )
            values.append(value)
        return values

    def split(self, values):
        """(positional, keyword) arguments for a Python function, of the values in order."""
        pairs = list(zip(self.parameters, values, strict=True))
        positional = [x for p, x in pairs if not p.keyword_only]
        return positional, {p.name: x for p, x in pairs if p.keyword_only}

    def __str__(self):
        parts, changed = [], 0
        for k, p in enumerate(self.parameters):
            if p.keyword_only and (k == 0 or not self.parameters[k - 1].keyword_only):
                parts.append("*")
            kind = p.kind
            if p.mutated:
                kind = kind.replace("Tensor", f"Tensor(a{changed}!)", 1)
                changed += 1
            default = "" if p.default is _EMPTY else f"={_default_text(p.default)}"
            parts.append(f"{kind} {p.name}{default}")
        return f"({', '.join(parts)}) -> {self.returns}"


def _default_text(value):
    return f'"{value}"' if isinstance(value, str) else getattr(value, "name", str(value))


def _wrong(f, text):
    return ValueError(
        f"infer_schema(func): {text}. Got func with signature {inspect.signature(f)})"
    )


def _kind_of(annotation):
    """What a schema calls a type, or None if it has no name for it."""
    if annotation in _KINDS:
        return _KINDS[annotation]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        rest = [t for t in inner if t is not type(None)]
        if set(rest) == {int, float, bool}:
            kind = "Scalar"
        else:
            kind = _kind_of(rest[0]) if len(rest) == 1 else None
        return kind and kind + ("?" if len(rest) < len(inner) else "")
    if origin in _LISTS and len(inner) == 1:
        kind = _kind_of(inner[0])
        return kind and kind + "[]"
    return None


def inferred(function, mutates_args):
    """The `Schema` of a function with type annotations.

    Raises: ValueError for what a schema can not say.
    """
    hints = typing.get_type_hints(function)
    unknown = mutates_args == "unknown"
    names = () if unknown else {mutates_args} if isinstance(mutates_args, str) else mutates_args
    parameters = []
    for p in inspect.signature(function).parameters.values():
        if p.kind not in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY):
            raise _wrong(function, "We do not support positional-only args, varargs, or varkwargs")
        if p.name not in hints:
            raise _wrong(function, f"Parameter {p.name} must have a type annotation")
        kind = _kind_of(hints[p.name])
        if kind is None:
            raise _wrong(function, f"Parameter {p.name} has unsupported type {hints[p.name]}")
        mutated = p.name in names or (unknown and kind.startswith("Tensor"))
        only = p.kind is p.KEYWORD_ONLY
        parameters.append(Parameter(p.name, kind, only, mutated, p.default))
    lost = set(names) - {p.name for p in parameters}
    if lost:
        raise _wrong(function, f"{lost} in mutates_args were not found in the signature")
    if "return" not in hints:
        raise _wrong(function, "No return type annotation was provided. Please add one")
    return Schema(parameters, _returned(function, hints["return"]))


def _returned(function, annotation):
    if annotation is type(None):
        return "()"
    if typing.get_origin(annotation) is tuple:
        kinds = [_kind_of(t) for t in typing.get_args(annotation)]
        if None not in kinds:
            return f"({', '.join(kinds)})"
    kind = _kind_of(annotation)
    if kind is None:
        raise _wrong(function, f"Return has unsupported type {annotation}")
    return kind


def infer_schema(prototype_function, /, *, mutates_args, op_name=None):
    """The schema of a function with type annotations, as a text.

    Args: mutates_args: the names of the arguments it changes, or "unknown".
    Raises: ValueError for what a schema can not say.

    >>> from flambeau import Tensor, library
    >>> def scaled(x: Tensor, by: float = 2.0) -> Tensor: ...
    >>> library.infer_schema(scaled, mutates_args=())
    '(Tensor x, float by=2.0) -> Tensor'
    """
    return f"{op_name or ''}{inferred(prototype_function, mutates_args)}"


def parse(text):
    """(name, `Schema`) of a text such as `foo(Tensor(a!) x, int n=3) -> Tensor`.

    Raises: RuntimeError for other texts.
    """
    found = _SCHEMA.match(text)
    if found is None:
        raise RuntimeError(f"expected a schema such as 'f(Tensor x) -> Tensor', found: {text}")
    name, inside, returns = found.groups()
    parameters, keyword_only = [], False
    for part in filter(None, re.split(r",\s*(?![^\[(]*[\])])", inside.strip())):
        if part.strip() == "*":
            keyword_only = True
            continue
        argument = _ARGUMENT.match(part.strip())
        if argument is None:
            raise RuntimeError(f"expected an argument such as 'Tensor x', found '{part}': {text}")
        kind, called, default = argument.groups()
        value = _EMPTY if default is None else _literal(default)
        plain = re.sub(r"\([^)]*\)", "", kind)
        parameters.append(Parameter(called, plain, keyword_only, "!" in kind, value))
    return name, Schema(parameters, returns)


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return getattr(dtypes, text, text)
