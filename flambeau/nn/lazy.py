"""Layers that learn the number of their inputs from the first call."""

import flambeau

from ..tensor import Tensor
from .parameter import Buffer, Parameter

__all__ = ["LazyModuleMixin", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class _Uninitialized:
    """What tensors without a shape share."""

    _becomes = Tensor  # the class of those that got one

    @property
    def shape(self):
        """Not known: raises RuntimeError."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer: its layer learns it "
            "from the first input, so call the layer, or load a state into it, before"
        )

    def materialize(self, shape, device=None, dtype=None):
        """Get this shape, the elements not set, and be an ordinary tensor from now on."""
        self.data = flambeau.empty(shape, device=device, dtype=dtype or self.dtype)
        self.__class__ = self._becomes

    def _arguments(self):
        """What to call the class with to get the like of it."""
        return self.requires_grad, None, self.dtype

    def __repr__(self):
        return f"<{type(self).__name__}>"

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(*self._arguments())
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return type(self), self._arguments()


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet.

    `materialize` makes it a `Parameter`; its shape raises RuntimeError before that.

    >>> import flambeau as torch
    >>> weight = torch.nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', torch.Size([2, 3]))
    """

    _becomes = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        data = flambeau.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)


class UninitializedBuffer(_Uninitialized, Buffer):
    """A buffer whose shape is not known yet; `materialize` makes it a tensor.

    Its shape raises RuntimeError before that.

    >>> import flambeau as torch
    >>> mean = torch.nn.UninitializedBuffer()
    >>> mean.materialize(3)
    >>> type(mean).__name__, mean.shape
    ('Tensor', torch.Size([3]))
    """

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        data = flambeau.empty(0, device=device, dtype=dtype)
        buffer = Tensor._make_subclass(cls, data, requires_grad)
        buffer.persistent = persistent
        return buffer

    def _arguments(self):
        return *super()._arguments(), self.persistent


def is_lazy(param):
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, _Uninitialized)


class LazyModuleMixin:
    """Makes a module one whose parameters get their shapes from the first input.

    It holds `UninitializedParameter`s and `UninitializedBuffer`s, and
    `initialize_parameters(*inputs)`, called before the first `forward`, materializes them. Then its
    class becomes `cls_to_become`, unless that is None.
    """

    cls_to_become = None

    def has_uninitialized_params(self):
        """Whether a parameter or buffer has no shape yet."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

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

    def _apply(self, fn, recurse=True):
        """Buffers without a shape stay what they are, in the dtype that `fn` gives them."""
        lazy = {name: buffer for name, buffer in self._buffers.items() if is_lazy(buffer)}
        super()._apply(fn, recurse)
        for name, buffer in lazy.items():
            options = {"dtype": self._buffers[name].dtype, "persistent": buffer.persistent}
            self._buffers[name] = UninitializedBuffer(**options)
        return self

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        super()._save_to_state_dict(destination, prefix, keep_vars)
        for held in (self._parameters, self._buffers):
            for name, tensor in held.items():
                if is_lazy(tensor):
                    destination[prefix + name] = tensor

    def _load_from_state_dict(self, state_dict, prefix, *args):
        """Tensors get the shapes of what is loaded; what has no shape yet is not loaded."""
        skipped = []
        for held in (self._parameters, self._buffers):
            for name, tensor in held.items():
                found = state_dict.get(prefix + name)
                if is_lazy(tensor) and is_lazy(found):
                    skipped.append((held, name, tensor))
                elif is_lazy(tensor) and found is not None:
                    with flambeau.no_grad():
                        tensor.materialize(found.shape)
        for held, name, _ in skipped:
            held[name] = None
        without = {prefix + name for _, name, _ in skipped}
        state_dict = {key: value for key, value in state_dict.items() if key not in without}
        super()._load_from_state_dict(state_dict, prefix, *args)
        for held, name, tensor in skipped:
            held[name] = tensor
