"""The `jvp` of custom functions.

A forward derivative is the derivative of the backward pass from a result, by its cotangent, which
enters linearly. In such a pass a custom `Function` that has a `jvp` is not asked for its
`backward`: it gives a linear function of the cotangents whose own derivative is the `jvp`. The
values of what it gives do not matter, and are zeros.
"""

import contextlib
import threading

from . import function
from .function import Function
from .rules import zeros_of

__all__ = ["transposing"]

_passes = threading.local()


@contextlib.contextmanager
def transposing():
    """Within, backward passes are made for the sake of forward derivatives."""
    before = _is_transposing()
    _passes.active = True
    try:
        yield
    finally:
        _passes.active = before


def _is_transposing():
    return getattr(_passes, "active", False)


class _Transposed(Function):
    """Zeros for the arguments of a custom function; their derivative is its `jvp`."""

    @staticmethod
    def forward(ctx, owner, *gs):
        """A zero for each argument that has a gradient."""
        ctx.owner = owner
        ctx.set_materialize_grads(False)
        return tuple(zeros_of(m.with_grad(False)) for m in owner.arguments if _differs(m))

    @staticmethod
    def backward(ctx, *tangents):
        """What the `jvp` gives for the tangents of the arguments."""
        owner, given = ctx.owner, iter(tangents)
        tangents = [_tangent(m, given, owner.ctx.materialize_grads) for m in owner.arguments]
        with owner.ctx.for_jvp():
            made = owner.cls.jvp(owner.ctx, *tangents)
        return None, *(made if isinstance(made, tuple) else (made,))


def _differs(meta):
    return meta is not None and meta.requires_grad


def _tangent(meta, given, materialize):
    """The tangent of an argument: None for what is no tensor, zeros for one that has none."""
    if meta is None:
        return None
    found = next(given) if meta.requires_grad else None
    return zeros_of(meta.with_grad(False)) if found is None and materialize else found


def _transposed(owner, gs):
    """The cotangents of the tensors that a custom function was given; None in any other pass."""
    if not _is_transposing():
        return None
    found = iter(_Transposed.apply(owner, *gs))
    tensors = (m for m in owner.arguments if m is not None)
    return tuple(next(found) if m.requires_grad else None for m in tensors)


function.transposed = _transposed
