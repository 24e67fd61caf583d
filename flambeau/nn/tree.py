"""The tree of modules: what a module holds, by name, and the walks over it."""

from inspect import getattr_static
from types import FunctionType

import flambeau

from ..overriding import Overridable
from ..tensor import Tensor
from .hooks import registered
from .parameter import Buffer, Parameter

__all__ = ["Held", "ModuleTree"]


class Held:
    """An attribute of a layer's class: the parameter, or buffer, that every instance has.

    It finds it in one step, where `__getattr__` has to wait for the usual lookup to fail. What
    else is assigned to the name goes before it. With `where` None it finds nothing.
    """

    __slots__ = ("name", "where")

    def __init__(self, where="_parameters"):
        self.where = where

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, module, owner):
        try:
            return module.__dict__[self.where][self.name]
        except (AttributeError, KeyError):  # asked of the class, or not there: see __getattr__
            raise AttributeError(f"{owner.__name__} has no attribute '{self.name}'") from None


def _is_own(x):
    return x.__module__.partition(".")[0] == "flambeau"


def _is_public(f):
    return getattr(flambeau, f.__name__, None) == f


class ModuleTree:
    """The part of `Module` that holds parameters, buffers and submodules under their names.

    `_parameters`, `_buffers` and `_modules` are the truth; attribute access goes through them.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not _is_own(cls):
            for name, x in list(vars(cls).items()):
                if isinstance(x, (FunctionType, Overridable)) and _is_own(x) and _is_public(x):
                    setattr(cls, name, staticmethod(x))  # PyTorch's are not bound to instances
        if cls.__getattr__ is ModuleTree.__getattr__:
            return
        # The `__getattr__` of a subclass is asked for parameters, too.
        for name in {n for base in cls.__mro__ for n, x in vars(base).items() if type(x) is Held}:
            if type(getattr_static(cls, name)) is Held:
                nowhere = Held(where=None)
                nowhere.__set_name__(cls, name)
                setattr(cls, name, nowhere)

    def _init_tree(self):
        state = self.__dict__
        state["_parameters"] = {}
        state["_buffers"] = {}
        state["_non_persistent_buffers_set"] = set()
        state["_modules"] = {}

    # Registration.

    def register_parameter(self, name, param):
        """Hold `param`, a Parameter or None, under a name.

        Raises KeyError for a name that is taken or has a dot, TypeError for anything else than a
        parameter, ValueError for a tensor that was computed from others.
        """
        self._check_name("parameter", name, "_parameters")
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{flambeau.typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must "
                    f"be created explicitly. To express '{name}' as a function of another Tensor, "
                    "compute the value in the forward() method."
                )
            param = registered("parameter", self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name, tensor, persistent=True):
        """Hold `tensor`, a Tensor or None, that is state but not trained.

        A buffer that is not `persistent` is left out of the `state_dict`. Raises KeyError for a
        name that is taken or has a dot, TypeError for anything else than a tensor.
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{flambeau.typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = registered("buffer", self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name, module):
        """Hold `module`, a Module or None, as a child under a name.

        Raises KeyError for a name that is taken or has a dot, TypeError for anything else than a
        module.
        """
        if module is not None and not isinstance(module, ModuleTree):
            raise TypeError(f"{flambeau.typename(module)} is not a Module subclass")
        self._check_name("module", name, "_modules")
        self._modules[name] = registered("module", self, name, module)

    def register_module(self, name, module):
        """The same as `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind, name, where):
        held = self.__dict__.get(where)
        if held is None:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {flambeau.typename(name)}")
        if "." in name:
            found = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{found}')
        if not name:
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in held and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # Attributes.

    def __getattr__(self, name):
        state = self.__dict__
        if "_modules" in state:
            if name in state["_modules"]:
                return state["_modules"][name]
            if name in state["_parameters"]:
                return state["_parameters"][name]
            if name in state["_buffers"]:
                return state["_buffers"][name]
        raise AttributeError(
            f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self
        )

    def __setattr__(self, name, value):
        state = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in state:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif name in state.get("_parameters", ()):
            if value is not None:
                raise TypeError(_cannot_assign(value, f"parameter '{name}'", "torch.nn.Parameter"))
            self.register_parameter(name, None)
        elif isinstance(value, ModuleTree):
            if "_modules" not in state:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_parameters", "_buffers")
            self._modules[name] = registered("module", self, name, value)
        elif name in state.get("_modules", ()):
            if value is not None:
                raise TypeError(_cannot_assign(value, f"child module '{name}'", "torch.nn.Module"))
            self._modules[name] = registered("module", self, name, None)
        elif isinstance(value, Buffer) or name in state.get("_buffers", ()):
            self._set_buffer(name, value)
        else:
            super().__setattr__(name, value)

    def _set_buffer(self, name, value):
        if value is not None and not isinstance(value, Tensor):
            expected = "torch.nn.Buffer, torch.Tensor"
            raise TypeError(_cannot_assign(value, f"buffer '{name}'", expected))
        if isinstance(value, Buffer):
            persistent = value.persistent
        else:
            persistent = name not in self._non_persistent_buffers_set
        if persistent:  # for the sake of subclasses whose register_buffer knows two arguments
            self.register_buffer(name, value)
        else:
            self.register_buffer(name, value, persistent=False)

    def _forget(self, name, *places):
        """Drop what else is held under a name, which is about to mean something new."""
        state = self.__dict__
        state.pop(name, None)
        for where in places:
            state[where].pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name):
        for held in (self._parameters, self._buffers, self._modules):
            if name in held:
                del held[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self):
        names = {*dir(type(self)), *self.__dict__}
        names.update(self._parameters, self._modules, self._buffers)
        return sorted(name for name in names if not name[0].isdigit())

    # Access by path.

    def get_submodule(self, target):
        """The submodule at a dotted path; the module itself for "".

        Raises AttributeError if there is none, or something else than a module.

        >>> import flambeau as torch
        >>> net = torch.nn.Sequential(torch.nn.Sequential(torch.nn.ReLU()))
        >>> net.get_submodule("0.0")
        ReLU()
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, ModuleTree):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def set_submodule(self, target, module, strict=False):
        """Put `module` at a dotted path, in the place of the submodule that is there.

        With `strict`, raises AttributeError if there is none. Raises ValueError for an empty path
        or a `module` that is none.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, ModuleTree):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if not isinstance(getattr(parent, name, module), ModuleTree):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target):
        """The parameter at a dotted path. Raises AttributeError if there is none."""
        owner, name = self._owner(target)
        param = getattr(owner, name)
        if not isinstance(param, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return param

    def get_buffer(self, target):
        """The buffer at a dotted path. Raises AttributeError if there is none."""
        owner, name = self._owner(target)
        if name not in owner._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return getattr(owner, name)

    def _owner(self, target):
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if not hasattr(owner, name):
            raise AttributeError(f"{owner._get_name()} has no attribute `{name}`")
        return owner, name

    # Walks.

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """Pairs of dotted path and module, for this one (path "") and all below, depth first.

        A module held twice comes once, unless `remove_duplicate` is False.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate=True):
        """This module and all below, depth first, each once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self):
        """Pairs of name and module for the direct children, each once."""
        memo = set()
        for name, module in self._modules.items():
            if module is not None and module not in memo:
                memo.add(module)
                yield name, module

    def children(self):
        """The direct children, each once."""
        for _, module in self.named_children():
            yield module

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """Pairs of dotted path and parameter, of this module and, with `recurse`, all below.

        A parameter held twice comes once, unless `remove_duplicate` is False.

        >>> import flambeau as torch
        >>> [name for name, _ in torch.nn.Linear(2, 3).named_parameters()]
        ['weight', 'bias']
        """
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """The parameters of this module and, with `recurse`, of all below, each once."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """Pairs of dotted path and buffer, of this module and, with `recurse`, all below."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers of this module and, with `recurse`, of all below, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def _named_members(self, where, prefix, recurse, remove_duplicate):
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        else:
            modules = ((prefix, self),)
        seen = set()
        for path, module in modules:
            for name, member in getattr(module, where).items():
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield (f"{path}.{name}" if path else name), member

    def _get_name(self):
        return type(self).__name__


def _cannot_assign(value, what, expected):
    return f"cannot assign '{flambeau.typename(value)}' as {what} ({expected} or None expected)"
