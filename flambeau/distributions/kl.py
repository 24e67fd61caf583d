"""Kullback-Leibler divergences: the function, and the registry of its rules.

KL(p || q) is the mean under p of log p(x) - log q(x).
"""

import warnings

__all__ = ["kl_divergence", "register_kl"]

_REGISTRY = {}  # {(type of p, type of q): rule}
_FOUND = {}  # the rules found for pairs of classes, that of the nearest bases


def register_kl(type_p, type_q):
    """Make a function of p and q the rule for two classes and their subclasses: a decorator.

    The rule of the nearest bases applies; a rule for `(Derived, Base)` and one for
    `(Base, Derived)` make `(Derived, Derived)` ambiguous, which warns.
    Raises: TypeError for what is no class.
    """
    for kind in (type_p, type_q):
        if not isinstance(kind, type):
            raise TypeError(f"Expected {kind} to be a Distribution subclass")

    def decorate(rule):
        _REGISTRY[type_p, type_q] = rule
        _FOUND.clear()
        return rule

    return decorate


def _find(type_p, type_q):
    """The rule for two classes, None if there is none."""
    fits = [
        pair for pair in _REGISTRY if issubclass(type_p, pair[0]) and issubclass(type_q, pair[1])
    ]
    if not fits:
        return None
    near_p, near_q = type_p.__mro__.index, type_q.__mro__.index
    left = min(fits, key=lambda pair: (near_p(pair[0]), near_q(pair[1])))
    right = min(fits, key=lambda pair: (near_q(pair[1]), near_p(pair[0])))
    if _REGISTRY[left] is not _REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({left[0].__name__}, {right[1].__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return _REGISTRY[left]


def kl_divergence(p, q):
    """KL(p || q) of two distributions, for each of their batch.

    Raises: NotImplementedError where no rule is known for them.

    >>> import flambeau as torch
    >>> D = torch.distributions
    >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
    tensor(0.5000)
    """
    pair = type(p), type(q)
    if pair not in _FOUND:
        _FOUND[pair] = _find(*pair)
    rule = _FOUND[pair]
    if rule is None:
        raise NotImplementedError(
            "No KL(p || q) is implemented for p type "
            f"{type(p).__name__} and q type {type(q).__name__}"
        )
    return rule(p, q)
