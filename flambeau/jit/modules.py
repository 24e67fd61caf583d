"""`script` and `trace`: their results are what they were given, with a method `save`."""

import copy
import functools

from ..nn.module import Module
from ..tensor import Tensor
from .files import save

__all__ = [
    "ScriptModule",
    "TracerWarning",
    "freeze",
    "is_scripting",
    "is_tracing",
    "optimize_for_inference",
    "script",
    "trace",
    "trace_module",
]


class TracerWarning(Warning):
    """What PyTorch's tracer warns with; flambeau never does."""


class ScriptModule(Module):
    """What `script` and `trace` make of a module, or the base of one that is written as such."""

    @property
    def original_name(self):
        """The name of the class that the module was before."""
        return self._get_name()

    def save(self, f, _extra_files=None):
        """Save the module to a file; see `flambeau.jit.save`."""
        save(self, f, _extra_files)


def _scripted(module):
    """A `ScriptModule` that shares all that a module holds, so that they are as one."""
    result = object.__new__(_scripted_class(type(module)))
    result.__dict__ = module.__dict__
    return result


@functools.cache
def _scripted_class(cls):
    content = {"__reduce_ex__": _reduce, "__deepcopy__": _deepcopy, "_original_class": cls}
    return type(cls.__name__, (ScriptModule, cls), content)


def _original(module):
    """The module that a scripted one was made of, or an equal one."""
    cls = getattr(module, "_original_class", None)
    if cls is None:
        return module
    original = object.__new__(cls)
    original.__dict__ = module.__dict__
    return original


def _reduce(self, protocol):
    return _scripted, (_original(self),)


def _deepcopy(self, memo):
    return _scripted(copy.deepcopy(_original(self), memo))


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """A module as a `ScriptModule` that shares its parameters; anything else as it is.

    The arguments but the first are accepted as in PyTorch, to no effect. Raises TypeError for what
    can not be called and is no list or dict.

    >>> import flambeau as torch
    >>> @torch.jit.script
    ... def double(x):
    ...     return x * 2
    >>> double(torch.ones(2))
    tensor([2., 2.])
    """
    if isinstance(obj, ScriptModule):
        return obj
    if isinstance(obj, Module):
        return _scripted(obj)
    if not callable(obj) and not isinstance(obj, (list, dict)):
        raise TypeError(f"{type(obj)} can not be scripted: expected a function or a module")
    return obj


def trace(func, example_inputs=None, *args, example_kwarg_inputs=None, **options):
    """As `script`, after a call with example inputs, whose errors come out at once.

    Unlike PyTorch's, the result is not bound to what the example did: branches and loops depend on
    the input as before. Further arguments are accepted as in PyTorch, to no effect.

    Args:
        example_inputs: the arguments, a tuple; or the only one.
        example_kwarg_inputs: the keyword arguments.

    Raises RuntimeError without an example.
    """
    if example_inputs is None and example_kwarg_inputs is None:
        raise RuntimeError("example_kwarg_inputs should be a dict, or example_inputs be given")
    func(*_arguments(example_inputs), **(example_kwarg_inputs or {}))
    return script(func)


def trace_module(mod, inputs, *args, example_inputs_is_kwarg=False, **options):
    """As `trace`, for several methods of a module: `inputs` maps their names to arguments."""
    for name, example in inputs.items():
        method = mod if name == "forward" else getattr(mod, name)
        if example_inputs_is_kwarg:
            method(**example)
        else:
            method(*_arguments(example))
    return script(mod)


def _arguments(example):
    if example is None:
        return ()
    return (example,) if isinstance(example, (Tensor, dict)) else tuple(example)


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """A copy of a scripted module in evaluation mode, whose parameters take no gradients.

    Raises RuntimeError for a module in training mode, or one that is not scripted.
    """
    if not isinstance(mod, ScriptModule):
        raise RuntimeError(
            "Freezing expects a ScriptModule as input. Please use torch.jit.script or "
            "torch.jit.trace to script your 'nn.Module'."
        )
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() "
            "on your module before freezing."
        )
    return copy.deepcopy(mod).requires_grad_(False)


def optimize_for_inference(mod, other_methods=None):
    """A scripted module frozen, if it is in evaluation mode; otherwise itself."""
    return mod if mod.training else freeze(mod)


def is_scripting():
    """False: no code is compiled before it runs."""
    return False


def is_tracing():
    """False: nothing is traced in PyTorch's sense."""
    return False
