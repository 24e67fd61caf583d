"""`Variable`, which tensors used to be wrapped in to get gradients."""

from ..recorder import inplace
from ..recorder.handle import Tensor

__all__ = ["Variable"]


class _VariableType(type):
    def __instancecheck__(cls, x):
        return isinstance(x, Tensor)

    def __call__(cls, data, requires_grad=False, volatile=False):
        out = inplace.detached(data)
        return out.requires_grad_() if requires_grad else out


class Variable(metaclass=_VariableType):
    """Every tensor is one; `Variable(data, requires_grad)` is a view of the tensor `data`."""
