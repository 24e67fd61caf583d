"""Forward-mode derivatives: dual tensors, which carry a tangent along.

A dual tensor is differentiated by like a leaf; the tangent of a result is found when it is asked
for, as the derivative of the backward pass from it (see `flambeau.func.jvp`).

>>> import flambeau as torch
>>> import flambeau.autograd.forward_ad as fwAD
>>> with fwAD.dual_level():
...     x = fwAD.make_dual(torch.tensor(2.0), torch.tensor(1.0))
...     fwAD.unpack_dual(x * x).tangent
tensor(4.)
"""

from collections import namedtuple

from ..ops.api import FUNCTIONS
from ..recorder.handle import Tensor
from . import engine, modes
from .transposing import transposing

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual"]
__all__ += ["unpack_dual"]

UnpackedDualTensor = namedtuple("UnpackedDualTensor", ("primal", "tangent"))

_levels = []


class _Level:
    """The dual tensors that were made at a level: (tensor, primal, tangent)."""

    def __init__(self):
        self.duals = []


def enter_dual_level():
    """Start a level of forward derivatives; returns its number. They can not be nested."""
    if _levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _levels.append(_Level())
    return len(_levels) - 1


def exit_dual_level(*, level=None):
    """End the level: dual tensors lose their tangents."""
    if not _levels:
        raise RuntimeError(
            "Trying to exit a forward AD level that does not exist: there is none at present"
        )
    if level not in (None, len(_levels) - 1):
        raise RuntimeError("Trying to exit a forward AD level that was not the last one entered")
    _levels.pop()


class dual_level:
    """A context in which tensors can be dual."""

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *_):
        exit_dual_level()


def make_dual(tensor, tangent, *, level=None):
    """A view of `tensor` that carries a tangent of the same shape and dtype.

    Raises: RuntimeError outside of a level, or for a tangent that does not fit.
    """
    if not _levels:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    kind = tensor._meta.dtype
    if not (kind.is_floating_point or kind.is_complex):
        raise ValueError(f"Expected primal to be floating point or complex, but got: {kind}")
    if not (tangent._meta.dtype.is_floating_point or tangent._meta.dtype.is_complex):
        raise ValueError(
            f"Expected tangent to be floating point or complex, but got: {tangent._meta.dtype}"
        )
    if tangent._meta.shape != tensor._meta.shape:
        raise RuntimeError(
            f"Expected tangent to have the shape of the primal, {list(tensor._meta.shape)}, but "
            f"got {list(tangent._meta.shape)}"
        )
    with modes.enable_grad():
        requires = tensor._meta.requires_grad
        dual = tensor.view_as(tensor) if requires else tensor.detach().requires_grad_()
    _levels[-1].duals.append((dual, tensor, tangent))
    return dual


def unpack_dual(tensor, *, level=None):
    """(primal, tangent) of a tensor; the tangent is None where it does not depend on a dual one."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"unpack_dual: expected a Tensor, but got {type(tensor).__name__}")
    if not _levels:
        return UnpackedDualTensor(tensor, None)
    known = _levels[-1].duals
    for dual, primal, tangent in known:
        if dual is tensor:
            return UnpackedDualTensor(primal, tangent)
    if not tensor._meta.requires_grad:
        return UnpackedDualTensor(tensor, None)
    tangent = _tangent(tensor, [d for d, _, _ in known], [t for _, _, t in known])
    tracked = any(p._meta.requires_grad or t._meta.requires_grad for _, p, t in known)
    if tangent is not None and not tracked:
        return UnpackedDualTensor(tensor.detach(), tangent.detach())
    return UnpackedDualTensor(tensor, tangent)


def _tangent(tensor, duals, tangents):
    with modes.enable_grad():
        seed = FUNCTIONS["zeros_like"](tensor, requires_grad=False).requires_grad_()
        with transposing():
            found = engine.grad(
                tensor, duals, seed, retain_graph=True, create_graph=True, allow_unused=True
            )
        pairs = [(g, t) for g, t in zip(found, tangents, strict=True) if g is not None]
        if not pairs:
            return None
        pairs = [(g, t) for g, t in pairs if g._meta.requires_grad]
        if not pairs:
            return FUNCTIONS["zeros_like"](tensor, requires_grad=False)
        (tangent,) = engine.grad(
            [g for g, _ in pairs],
            [seed],
            [t for _, t in pairs],
            retain_graph=True,
            create_graph=True,
            allow_unused=True,
        )
    return FUNCTIONS["zeros_like"](tensor) if tangent is None else tangent
