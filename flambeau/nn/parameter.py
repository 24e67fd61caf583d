"""Tensors that a module knows: its parameters, which are trained, and its buffers."""

import flambeau

from ..overriding import disabled_torch_function
from ..tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class Parameter(Tensor):
    """A tensor that becomes a parameter of the module it is assigned to.

    Args:
        data: the tensor whose memory it shares; an empty one by default.
        requires_grad: whether gradients accumulate in its `grad`.

    Raises TypeError if `data` is no tensor, RuntimeError if integers are to require gradients.

    >>> import flambeau as torch
    >>> torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, requires_grad=True):
        data = _as_tensor(cls, data)
        if requires_grad and not (data.is_floating_point() or data.is_complex()):
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients, got "
                f"{data.dtype}: pass requires_grad=False"
            )
        return Tensor._make_subclass(cls, data, requires_grad)

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return _rebuild_parameter, (type(self), self.detach(), self.requires_grad)


class Buffer(Tensor):
    """A tensor that becomes a buffer of the module it is assigned to: state that is not trained.

    Args:
        data: the tensor whose memory it shares; an empty one by default.
        persistent: whether it is part of the module's `state_dict`.
    """

    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, *, persistent=True):
        data = _as_tensor(cls, data)
        buffer = Tensor._make_subclass(cls, data, data.requires_grad)
        buffer.persistent = persistent
        return buffer


def _as_tensor(cls, data):
    if data is None:
        return flambeau.empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(
            f"{cls.__name__}() expected a Tensor, got {type(data).__name__}; "
            "make one of it with torch.tensor(data)"
        )
    return data


def _rebuild_parameter(cls, data, requires_grad):
    return cls(data, requires_grad)
