"""Operations on lists of tensors, one for one, as optimizers write them."""

from ..recorder.handle import Tensor
from .api import FUNCTIONS, METHODS

__all__: list[str] = []


def _others(tensors, other, name):
    """An operand for each tensor: a number or a tensor for all of them, or as many as tensors."""
    if not isinstance(other, (list, tuple)):
        return [other] * len(tensors)
    if len(other) != len(tensors):
        raise RuntimeError(
            f"{name}: Tensor lists must have the same number of tensors, got {len(tensors)} and "
            f"{len(other)}"
        )
    return other


def _check(tensors, name):
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise RuntimeError(f"{name}: Tensor list must have at least one tensor.")
    if not all(isinstance(x, Tensor) for x in tensors):
        raise TypeError(f"{name}(): argument 'self' must be tuple of Tensors")


def _binary(name):
    """`_foreach_<name>`, which returns the results, and `_foreach_<name>_`, in place."""
    new, changed = f"_foreach_{name}", f"_foreach_{name}_"

    def foreach(self, other, **scale):
        _check(self, new)
        pairs = zip(self, _others(self, other, new), strict=True)
        return tuple(METHODS[name](x, y, **scale) for x, y in pairs)

    def foreach_(self, other, **scale):
        _check(self, changed)
        for x, y in zip(self, _others(self, other, changed), strict=True):
            METHODS[f"{name}_"](x, y, **scale)

    for f, public in ((foreach, new), (foreach_, changed)):
        f.__name__ = public
        f.__doc__ = f"`{public[9:]}` for each tensor of a list, with a number, a tensor or a list."
        FUNCTIONS[public] = f


for _name in ("add", "sub", "mul", "div"):
    _binary(_name)


def _foreach_copy_(self, src, non_blocking=False):
    """Copy each tensor of `src` into that of `self`."""
    _check(self, "_foreach_copy_")
    for x, y in zip(self, _others(self, src, "_foreach_copy_"), strict=True):
        METHODS["copy_"](x, y)


def _foreach_norm(tensors, ord=2, dtype=None):
    """The norm of each tensor's elements."""
    _check(tensors, "_foreach_norm")
    return tuple(FUNCTIONS["norm"](x, ord, dtype=dtype) for x in tensors)


FUNCTIONS["_foreach_copy_"], FUNCTIONS["_foreach_norm"] = _foreach_copy_, _foreach_norm
