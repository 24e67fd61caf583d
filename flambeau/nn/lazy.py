"""Layers that learn the number of their inputs from the first call."""

import flambeau

from ..tensor import Tensor
from .parameter import Parameter

__all__ = ["LazyModuleMixin", "UninitializedParameter", "is_lazy"]


class UninitializedParameter(Parameter):
    """A parameter whose shape is not known yet.

    `materialize` makes it a `Parameter`; its shape raises RuntimeError before that.

    >>> import flambeau as torch
    >>> weight = torch.nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', torch.Size([2, 3]))
    """

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        data = flambeau.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)

    @property
    def shape(self):
        """Not known: raises RuntimeError."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter: its layer learns it from the "
            "first input, so call the layer, or load a state into it, before"
        )

    def materialize(self, shape, device=None, dtype=None):
        """Become a `Parameter` of this shape, its elements not set."""
        self.data = flambeau.empty(shape, device=device, dtype=dtype or self.dtype)
        self.__class__ = Parameter

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return type(self), (self.requires_grad, None, self.dtype)


def is_lazy(param):
    """Whether a parameter has no shape yet."""
    return isinstance(param, UninitializedParameter)


class LazyModuleMixin:
    """Makes a module one whose parameters get their shapes from the first input.

    It holds `UninitializedParameter`s, and `initialize_parameters(*inputs)`, called before the
    first `forward`, materializes them. Then its class becomes `cls_to_become`, unless that is None.
    """

    cls_to_become = None

    def has_uninitialized_params(self):
        """Whether a parameter has no shape yet."""
        return any(map(is_lazy, self._parameters.values()))

    def initialize_parameters(self, *args, **kwargs):
        """Materialize the parameters for these inputs of `forward`; modules define it."""
        raise TypeError(f"initialize_parameters is not defined for {type(self).__name__}")

    def __call__(self, *args, **kwargs):
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise RuntimeError(
                f"module {type(self).__name__} has not been fully initialized by "
                "initialize_parameters"
            )
        if self.cls_to_become is None:
            return super().__call__(*args, **kwargs)
        self.__class__ = self.cls_to_become
        return self(*args, **kwargs)

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for name, param in self._parameters.items():
            if is_lazy(param):
                destination[prefix + name] = param

    def _load_from_state_dict(self, state_dict, prefix, *args):
        """Parameters get the shapes of what is loaded; what has no shape yet is not loaded."""
        skipped = {}
        for name, param in self._parameters.items():
            found = state_dict.get(prefix + name)
            if is_lazy(param) and is_lazy(found):
                skipped[name] = param
            elif is_lazy(param) and found is not None:
                with flambeau.no_grad():
                    param.materialize(found.shape)
        for name in skipped:
            self._parameters[name] = None
        without = {prefix + name for name in skipped}
        state_dict = {key: value for key, value in state_dict.items() if key not in without}
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._parameters.update(skipped)
