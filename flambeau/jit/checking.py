"""`isinstance` for containers with the types of what they contain."""

import builtins
import types
import typing

__all__ = ["isinstance"]

CONTAINERS = (list, dict, tuple, typing.List, typing.Dict, typing.Tuple)  # noqa: UP006


def isinstance(obj, target_type):
    """Whether an object is of a type, or of one of a tuple of them, with all that it contains.

    Raises RuntimeError for containers without the type of what they contain.

    >>> import flambeau as torch
    >>> torch.jit.isinstance([1, 2], list[int]), torch.jit.isinstance([1, "a"], list[int])
    (True, False)
    """
    if builtins.isinstance(target_type, tuple):
        return any(isinstance(obj, kind) for kind in target_type)
    if target_type in CONTAINERS:
        name = target_type.__name__ if builtins.isinstance(target_type, type) else target_type._name
        raise RuntimeError(
            f"Attempted to use {name} without a contained type. Please add a contained type, e.g. "
            f"{name}[int]"
        )
    origin, parts = typing.get_origin(target_type), typing.get_args(target_type)
    if origin in (typing.Union, types.UnionType):
        return any(isinstance(obj, kind) for kind in parts)
    if origin not in (list, dict, tuple):
        return builtins.isinstance(obj, type(None) if target_type is None else target_type)
    return builtins.isinstance(obj, origin) and _contains(obj, origin, parts)


def _contains(obj, origin, parts):
    if origin is list:
        return all(isinstance(item, parts[0]) for item in obj)
    if origin is dict:
        items = obj.items()
        return all(isinstance(k, parts[0]) and isinstance(v, parts[1]) for k, v in items)
    if len(parts) == 2 and parts[1] is ...:
        return all(isinstance(item, parts[0]) for item in obj)
    return len(obj) == len(parts) and all(map(isinstance, obj, parts))
