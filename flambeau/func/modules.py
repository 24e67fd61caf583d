"""Modules as functions of their parameters."""

import contextlib

from ..nn.module import Module
from ..ops.api import FUNCTIONS

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module, parameter_and_buffer_dicts, args=None, kwargs=None, *, tie_weights=True, strict=False
):
    """Call a module with tensors in the places of its parameters and buffers, by their names.

    Args: parameter_and_buffer_dicts: a dict from names, as in `state_dict`, to tensors, or
        several. args: the arguments, or the only one. tie_weights: parameters that are one tensor
        in the module are one here. strict: every name must be there, and no others.
    What the module writes to its buffers goes to the tensors given; the module stays as it is.

    >>> import flambeau as torch
    >>> layer = torch.nn.Linear(2, 1)
    >>> weights = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    >>> torch.func.functional_call(layer, weights, torch.tensor([1.0, 2.0]))
    tensor([3.])
    """
    given = _merged(parameter_and_buffer_dicts)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _merged(dicts):
    if isinstance(dicts, dict):
        return dicts
    if not isinstance(dicts, (list, tuple)) or not all(isinstance(d, dict) for d in dicts):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts)}"
        )
    merged = {}
    for d in dicts:
        repeated = merged.keys() & d.keys()
        if repeated:
            raise ValueError(
                f"{min(repeated)} appears in multiple dictionaries; behavior of functional call "
                "is ambiguous"
            )
        merged.update(d)
    return merged


def _places(module):
    """{full name: (the dict that holds a tensor, its name there)}."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for held in (part._parameters, part._buffers):
            for name in held:
                found[f"{prefix}.{name}" if prefix else name] = held, name
    return found


@contextlib.contextmanager
def _replaced(module, given, tie_weights, strict):
    """Tensors in the places of parameters and buffers, for a while."""
    places = _places(module)
    unexpected = [name for name in given if name not in places]
    values = dict(given)
    if tie_weights:
        by_tensor = {}
        for name, (held, own) in places.items():
            if held[own] is not None:
                by_tensor.setdefault(id(held[own]), []).append(name)
        for names in by_tensor.values():
            known = [values[n] for n in names if n in given]
            if len({id(x) for x in known}) > 1:
                raise ValueError(
                    f"functional_call got multiple values for keys {names}, which are tied. "
                    "Consider using tie_weights=False"
                )
            if known:
                values.update(dict.fromkeys(names, known[0]))
    if unexpected:
        raise (RuntimeError if strict else AttributeError)(
            f"Unexpected key(s): {', '.join(unexpected)}. {type(module).__name__} has no such "
            "parameter or buffer"
        )
    missing = [n for n, (held, own) in places.items() if n not in values and held[own] is not None]
    if strict and missing:
        raise RuntimeError(f"Missing key(s): {', '.join(missing)}.")
    before = [(places[n][0], places[n][1], places[n][0][places[n][1]]) for n in values]
    try:
        for name, value in values.items():
            held, own = places[name]
            held[own] = value
        yield
    finally:
        for held, own, value in before:
            held[own] = value


def stack_module_state(models):
    """(parameters, buffers) of several modules of one kind, stacked, as dicts.

    Raises: RuntimeError without modules, or for modules of several classes or modes.

    >>> import flambeau as torch
    >>> models = [torch.nn.Linear(2, 3) for _ in range(4)]
    >>> torch.func.stack_module_state(models)[0]["weight"].shape
    torch.Size([4, 3, 2])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not all(isinstance(m, Module) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be nn.Modules.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = _stacked([dict(m.named_parameters()) for m in models])
    return parameters, _stacked([dict(m.named_buffers()) for m in models])


def _stacked(dicts):
    result = {}
    for name in dicts[0]:
        tensors = [d[name] for d in dicts]
        requires = {t.requires_grad for t in tensors}
        if len(requires) > 1:
            raise RuntimeError(f"Expected {name} of all models to have the same .requires_grad")
        stacked = FUNCTIONS["stack"]([t.detach() for t in tensors])
        result[name] = stacked.requires_grad_(requires.pop())
    return result
