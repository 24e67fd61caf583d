"""Modules whose parameters are not initialised."""

import inspect

import flambeau

from ..module import Module

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """A module of this class whose parameters and buffers hold whatever the memory held.

    Useful where they are loaded, or initialised otherwise, at once. The arguments are those of the
    class, whose constructor takes a `device`.

    Raises RuntimeError for what is no class of modules, or one that knows no `device`.

    >>> import flambeau as torch
    >>> torch.nn.utils.skip_init(torch.nn.Linear, 5, 1).weight.shape
    torch.Size([1, 5])
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    state = flambeau.get_rng_state()
    module = module_cls(*args, **kwargs, device=device)
    # The first values are recorded but never computed, as nothing asks for them any more.
    module = module.to_empty(device=device)
    flambeau.set_rng_state(state)
    return module
