"""Parameters that are functions of others: `layer.weight` is computed whenever it is read.

A module with a parametrized tensor gets a class of its own, a subclass of what it was, with a
property for each such tensor. The tensors it depends on are in `module.parametrizations`.
"""

import contextlib
import copy
from collections.abc import Sequence

import flambeau

from ...tensor import Tensor
from ..containers import ModuleDict, ModuleList
from ..parameter import Parameter

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]


class _Cache:
    """Values of parametrized tensors, kept while `depth`, the number of open contexts, is not 0."""

    def __init__(self):
        self.depth, self.values = 0, {}


_cache = _Cache()


@contextlib.contextmanager
def cached():
    """A context in which each parametrized tensor is computed once, when it is first read.

    Outside of it, it is computed each time.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import parametrizations, parametrize
    >>> layer = parametrizations.weight_norm(torch.nn.Linear(2, 2))
    >>> with parametrize.cached():
    ...     layer.weight is layer.weight
    True
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.values = {}


class ParametrizationList(ModuleList):
    """What a parametrized tensor is made from, and the modules that make it, one after the other.

    Made by `register_parametrization`; found as `module.parametrizations[name]`. The tensor is
    kept as `original`; where `right_inverse` of the first module returns several, they are
    `original0`, `original1`, ...

    Args:
        modules: the parametrizations, at least one.
        original: the parameter or buffer.
        unsafe: do not check that dtype and shape are kept.

    Raises ValueError for modules that do not fit the tensor.
    """

    def __init__(self, modules, original, unsafe=False):
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        before = {"dtype": original.dtype, "shape": original.shape}
        new = self._invert(original)
        self.is_tensor = isinstance(new, Tensor)
        if self.is_tensor:
            self.ntensors = 1
            self._keep_one(original, new)
        elif isinstance(new, Sequence):
            self.ntensors = len(new)
            self._keep_several(original, new)
        else:
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                f"Got {type(new).__name__}"
            )
        if not unsafe:
            _require_kept(before, self(), "unparametrized ", "parametrized ")

    @flambeau.no_grad()
    def _invert(self, value):
        """What the modules would make `value` from; one that can not tell is the identity."""
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                with contextlib.suppress(NotImplementedError):
                    value = module.right_inverse(value)
        return value

    def _keep_one(self, original, new):
        # Kept as it is and filled anew, so that optimizers need not be told.
        for name in ("dtype", "device"):
            before, after = getattr(original, name), getattr(new, name)
            if before != after:
                raise ValueError(
                    f"When `right_inverse` outputs one tensor, it may not change the {name}.\n"
                    f"original.{name}: {before}\nright_inverse(original).{name}: {after}"
                )
        with flambeau.no_grad():
            original.set_(new)
        _hold(self, "original", original)

    def _keep_several(self, original, tensors):
        for i, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, "
                    f"tuple...). Got element {i} of the sequence with type "
                    f"{type(tensor).__name__}."
                )
            if isinstance(original, Parameter):
                tensor = Parameter(tensor, original.requires_grad)
            _hold(self, f"original{i}", tensor.requires_grad_(original.requires_grad))

    @property
    def _originals(self):
        """The tensors that the first module gets."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    @flambeau.no_grad()
    def right_inverse(self, value):
        """Set the tensors that are kept so that the modules make `value` of them.

        Raises RuntimeError for a module without a `right_inverse`, ValueError for one whose result
        does not fit.
        """
        for module in reversed(list(self)):
            if not hasattr(module, "right_inverse"):
                raise RuntimeError(
                    f"parametrization {type(module).__name__} does not implement right_inverse."
                )
            value = module.right_inverse(value)
        if self.is_tensor:
            if not isinstance(value, Tensor):
                raise ValueError(
                    f"`right_inverse` should return a tensor. Got {type(value).__name__}"
                )
            value = [value]
        elif not isinstance(value, Sequence):
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors. Got {type(value).__name__}."
            )
        elif len(value) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. "
                f"Got a sequence of length {len(value)}."
            )
        for i, (original, tensor) in enumerate(zip(self._originals, value, strict=True)):
            if not isinstance(tensor, Tensor):
                raise ValueError(
                    "'right_inverse' must return a sequence of tensors. Got element "
                    f"{i} of type {type(tensor).__name__}."
                )
            if original.dtype != tensor.dtype:
                raise ValueError(
                    f"Tensor {i} returned by `right_inverse` has dtype {tensor.dtype} while the "
                    f"original has dtype {original.dtype}"
                )
            original.set_(tensor)

    def forward(self):
        """The parametrized tensor."""
        first, *others = (module for name, module in self._modules.items() if name.isdigit())
        value = first(*self._originals)
        for module in others:
            value = module(value)
        return value


def _hold(module, name, tensor):
    """Register a parameter as such, and any other tensor as a buffer."""
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _require_kept(before, after, old="", new=""):
    """Raise ValueError unless `after` is a tensor of the dtype and the shape that were `before`."""
    if not isinstance(after, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(after).__name__}.")
    for name, value in before.items():
        if getattr(after, name) != value:
            raise ValueError(
                f"Registering a parametrization may not change the {name} of the tensor, unless "
                f"the `unsafe` flag is enabled.\n{old}{name}: {value}\n"
                f"{new}{name}: {getattr(after, name)}"
            )


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Make a tensor of a module what `parametrization` makes of it; returns the module.

    Gradients flow through `parametrization` to `module.parametrizations[name].original`. Assigning
    to the tensor works if `parametrization` has a method `right_inverse`, which says what to make
    it from; it may return several tensors, which `parametrization` then takes. Further
    parametrizations apply to the result of those before. The module is copied with `deepcopy`,
    and saved by its `state_dict` only.

    Args:
        parametrization: a module that takes a tensor and returns another.
        unsafe: let it change the shape and the dtype, and do not try it out.

    Raises ValueError for a name that is not there, or a parametrization that does not fit.

    >>> import flambeau as torch
    >>> from flambeau.nn.utils import parametrize
    >>> class Symmetric(torch.nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    ...     def right_inverse(self, x):
    ...         return x.triu()
    >>> layer = torch.nn.Linear(3, 3)
    >>> layer = parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> torch.equal(layer.weight, layer.weight.T)
    True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _try_out(module, tensor_name, parametrization)
        parametrizations = module.parametrizations[tensor_name]
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        parametrizations = ParametrizationList([parametrization], original, unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _give_class(module)
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _parametrized(tensor_name))
        module.parametrizations[tensor_name] = parametrizations
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element "
            f"with name '{tensor_name}'"
        )
    return module


def _try_out(module, name, parametrization):
    """Raise ValueError unless the parametrization and its inverse keep dtype and shape."""
    value = getattr(module, name)
    before = {"dtype": value.dtype, "shape": value.shape}
    after = parametrization(value)
    _require_kept(before, after, f"module.{name}.", f"parametrization(module.{name}).")
    if not hasattr(parametrization, "right_inverse"):
        return
    with contextlib.suppress(NotImplementedError):
        inverse = parametrization.right_inverse(after)
        if not isinstance(inverse, Tensor):
            raise ValueError(
                f"parametrization.right_inverse must return a tensor. Got: {type(inverse).__name__}"
            )
        _require_kept(before, inverse, f"module.{name}.", "right_inverse(parametrization).")


def _give_class(module):
    """Make the class of a module a new one, for properties that are its alone."""
    cls = type(module)
    content = {"__getstate__": _refuse_pickling}
    if not hasattr(cls, "__deepcopy__"):
        content["__deepcopy__"] = _deepcopy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), content)


def _refuse_pickling(self):
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(): their "
        "class is made at run time"
    )


def _deepcopy(self, memo):
    replica = memo.get(id(self))
    if replica is None:
        replica = memo[id(self)] = self.__new__(type(self))
        replica.__dict__ = copy.deepcopy(self.__dict__, memo)
    return replica


def _parametrized(name):
    """The property that computes a tensor from what it is parametrized by."""

    def get(self):
        if not _cache.depth:
            return self.parametrizations[name]()
        key = (id(self), name)
        if key not in _cache.values:
            _cache.values[key] = self.parametrizations[name]()
        return _cache.values[key]

    def put(self, value):
        self.parametrizations[name].right_inverse(value)

    return property(get, put)


def is_parametrized(module, tensor_name=None):
    """Whether a tensor of a module is parametrized, or any of them if no name is given."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Make a parametrized tensor a parameter or buffer again; returns the module.

    Args:
        leave_parametrized: it gets the value that the parametrizations compute, otherwise the one
            they are computed from.

    Raises ValueError if it is not parametrized, or computed from several tensors and not to be
    left as it is.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with flambeau.no_grad():
                original.set_(getattr(module, tensor_name))
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is "
            "parametrized in terms of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _hold(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module):
    """The class of a module, or what it was before tensors of it were parametrized."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Give a module the parametrized tensors of another; returns it.

    The parametrizations and the tensors they start from are shared, not copied. Parameters that
    `to_module` lacks are added to it.

    Args: tensor_name: only this one; by default all.
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name)))
        source = from_module.parametrizations[name]
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        target = to_module.parametrizations[name]
        if source.is_tensor:
            target.original = source.original
        else:
            for i in range(source.ntensors):
                setattr(target, f"original{i}", getattr(source, f"original{i}"))
    return to_module
