"""Pruning as functions of a module and the name of a parameter."""

from collections.abc import Iterable

import flambeau

from ..convert_parameters import parameters_to_vector
from .base import BasePruningMethod, PruningContainer
from .methods import (
    CustomFromMask,
    Identity,
    L1Unstructured,
    LnStructured,
    RandomStructured,
    RandomUnstructured,
)

__all__ = [
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


def identity(module, name):
    """Give a parameter a mask that prunes nothing; returns the module."""
    Identity.apply(module, name)
    return module


def random_unstructured(module, name, amount):
    """Prune elements of a parameter at random; returns the module.

    Args: amount: how many, an int; or which fraction, a float between 0 and 1.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import prune
    >>> layer = prune.random_unstructured(torch.nn.Linear(2, 3), "weight", amount=1)
    >>> int((layer.weight_mask == 0).sum())
    1
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module, name, amount, importance_scores=None):
    """Prune the elements of a parameter that are least in absolute value; returns the module.

    Args:
        amount: how many, an int; or which fraction, a float between 0 and 1.
        importance_scores: a tensor of the same shape to compare instead of the parameter.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import prune
    >>> layer = prune.l1_unstructured(torch.nn.Linear(2, 3), "weight", amount=0.5)
    >>> int((layer.weight == 0).sum())
    3
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module, name, amount, dim):
    """Prune slices of a parameter along a dim at random; returns the module.

    Args: amount: how many, an int; or which fraction, a float between 0 and 1.
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module, name, amount, n, dim, importance_scores=None):
    """Prune the slices of a parameter along a dim whose norms are least; returns the module.

    Args:
        amount: how many, an int; or which fraction, a float between 0 and 1.
        n: the kind of norm, as in `flambeau.norm`.
        importance_scores: a tensor of the same shape to compare instead of the parameter.
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module, name, mask):
    """Prune the elements of a parameter where a mask is zero; returns the module."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters, pruning_method, importance_scores=None, **kwargs):
    """Prune elements of several parameters, compared with each other.

    Args:
        parameters: pairs of module and name.
        pruning_method: a class such as `L1Unstructured`, which gets the keyword arguments.
        importance_scores: {(module, name): a tensor to compare instead of the parameter}.

    Raises TypeError for other arguments, or for a method that does not prune single elements.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import prune
    >>> net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))
    >>> pairs = [(net[0], "weight"), (net[1], "weight")]
    >>> prune.global_unstructured(pairs, prune.L1Unstructured, amount=4)
    >>> sum(int((module.weight == 0).sum()) for module in net)
    4
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    parameters = [(module, name, getattr(module, name)) for module, name in parameters]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "all"
    all_scores = parameters_to_vector([scores.get((m, name), p) for m, name, p in parameters])
    masks = [getattr(m, name + "_mask", flambeau.ones_like(p)) for m, name, p in parameters]
    mask = PruningContainer(method).compute_mask(all_scores, parameters_to_vector(masks))
    parts = mask.split([p.numel() for _, _, p in parameters])
    for (module, name, p), part in zip(parameters, parts, strict=True):
        custom_from_mask(module, name, part.view_as(p))


def remove(module, name):
    """Make a pruned parameter an ordinary one, its pruned elements zero; returns the module.

    Raises ValueError if it is not pruned.
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, BasePruningMethod) and hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module):
    """Whether a parameter of the module, or of one below it, is pruned.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import prune
    >>> prune.is_pruned(torch.nn.Linear(2, 2))
    False
    """
    return any(
        isinstance(hook, BasePruningMethod)
        for part in module.modules()
        for hook in part._forward_pre_hooks.values()
    )
