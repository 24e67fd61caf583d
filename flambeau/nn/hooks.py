"""Functions that users hang into a module: called before and after `forward` and `backward`.

A module's hooks are in ordered dicts, from the id of the hook's handle to the hook. Hooks for all
modules are in dicts of this file. `Module._hooked` tells at the cost of one attribute whether
there are any: it is set on the instance by its own hooks, and on the class by global ones.
"""

import warnings
from collections import OrderedDict

from ..autograd.hooks import RemovableHandle
from ..tensor import Tensor
from .backward_hooks import BackwardHooks

__all__ = [
    "ModuleHooks",
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]


class _Hooks:
    """The hooks of one module, or of all modules, that run when a module is called."""

    NAMES = (
        "_forward_pre_hooks",
        "_forward_pre_hooks_with_kwargs",
        "_forward_hooks",
        "_forward_hooks_with_kwargs",
        "_forward_hooks_always_called",
        "_backward_pre_hooks",
        "_backward_hooks",
    )

    full = None  # whether the backward hooks are full ones

    def __init__(self):
        for name in self.NAMES:
            setattr(self, name, OrderedDict())


_global = _Hooks()
_registration = {"buffer": OrderedDict(), "module": OrderedDict(), "parameter": OrderedDict()}


def _register(hooks, hook, *flags, prepend=False):
    """Add a hook to a dict, and its id to each of `flags`; returns the handle."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def registered(kind, module, name, value):
    """What the global registration hooks of a kind make of a value that a module is to hold."""
    for hook in _registration[kind].values():
        replacement = hook(module, name, value)
        if replacement is not None:
            value = replacement
    return value


class ModuleHooks:
    """The part of `Module` that keeps its hooks and calls them."""

    _hooked = False
    _is_full_backward_hook = None

    def _init_hooks(self):
        state = self.__dict__
        for name in _Hooks.NAMES:
            state[name] = OrderedDict()

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call `hook(module, args)` before each `forward`; what it returns replaces the args.

        Args:
            prepend: whether it goes before the hooks there are, not after them.
            with_kwargs: call `hook(module, args, kwargs)`, which returns None or a pair.
        Returns: a handle whose `remove()` takes the hook out.
        """
        flags = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return self._add(self._forward_pre_hooks, hook, *flags, prepend=prepend)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call `hook(module, args, output)` after each `forward`; what it returns is the output.

        Args:
            prepend: whether it goes before the hooks there are, not after them.
            with_kwargs: call `hook(module, args, kwargs, output)`.
            always_call: call it also when `forward` raises, with the output None.
        Returns: a handle whose `remove()` takes the hook out.
        """
        flags = []
        if with_kwargs:
            flags.append(self._forward_hooks_with_kwargs)
        if always_call:
            flags.append(self._forward_hooks_always_called)
        return self._add(self._forward_hooks, hook, *flags, prepend=prepend)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call `hook(module, grad_output)` before gradients flow through the module.

        `grad_output` is a tuple; a tuple, or a tensor, that the hook returns replaces it.
        Returns: a handle whose `remove()` takes the hook out.
        """
        return self._add(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call `hook(module, grad_input, grad_output)` when the gradients of inputs are known.

        Both are tuples, with None where there is no gradient; what the hook returns replaces
        `grad_input`. Raises RuntimeError if the module has a hook by `register_backward_hook`.
        Returns: a handle whose `remove()` takes the hook out.
        """
        _require_kind(self._is_full_backward_hook, True, "on a single Module")
        self._is_full_backward_hook = True
        return self._add(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook):
        """The old name of `register_full_backward_hook`: the hook gets the same arguments."""
        _require_kind(self._is_full_backward_hook, False, "on a single Module")
        self._is_full_backward_hook = False
        return self._add(self._backward_hooks, hook)

    def _add(self, hooks, hook, *flags, prepend=False):
        self.__dict__["_hooked"] = True
        return _register(hooks, hook, *flags, prepend=prepend)

    def _call_hooked(self, args, kwargs):
        """Call `forward` between the hooks: global ones first."""
        self._forget_removed_hooks()
        called = set()
        result = None
        try:
            args, kwargs = self._run_forward_pre_hooks(args, kwargs)
            boundary = self._backward_boundary()
            if boundary is not None:
                args = boundary.watch_inputs(args)
            result = self.forward(*args, **kwargs)
            for hooks in (_global, self):
                for key, hook in hooks._forward_hooks.items():
                    called.add(key)
                    replacement = _call_forward_hook(hooks, key, hook, self, args, kwargs, result)
                    if replacement is not None:
                        result = replacement
            return result if boundary is None else self._watch_outputs(boundary, result)
        except Exception:
            self._run_always_called(called, args, kwargs, result)
            raise

    def _forget_removed_hooks(self):
        """Let the next call take the quick way if all hooks are gone."""
        if not any(map(self.__dict__.get, _Hooks.NAMES)):
            self.__dict__.pop("_hooked", None)
        if not any(map(vars(_global).get, _Hooks.NAMES)):
            ModuleHooks._hooked = False

    def _run_forward_pre_hooks(self, args, kwargs):
        for hooks in (_global, self):
            for key, hook in hooks._forward_pre_hooks.items():
                if key in hooks._forward_pre_hooks_with_kwargs:
                    replaced = hook(self, args, kwargs)
                    if replaced is None:
                        continue
                    if not isinstance(replaced, tuple) or len(replaced) != 2:
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple of (new_args, "
                            f"new_kwargs), but got {replaced}."
                        )
                    args, kwargs = replaced
                else:
                    replaced = hook(self, args)
                    if replaced is not None:
                        args = replaced if isinstance(replaced, tuple) else (replaced,)
        return args, kwargs

    def _backward_boundary(self):
        before = (*_global._backward_pre_hooks.values(), *self._backward_pre_hooks.values())
        after = (*_global._backward_hooks.values(), *self._backward_hooks.values())
        return BackwardHooks(self, before, after) if before or after else None

    def _watch_outputs(self, boundary, result):
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(result)}",
                stacklevel=4,
            )
        return boundary.watch_outputs(result)

    def _run_always_called(self, called, args, kwargs, result):
        for hooks, kind in ((_global, "global module"), (self, "module")):
            for key, hook in hooks._forward_hooks.items():
                if key in called or key not in hooks._forward_hooks_always_called:
                    continue
                try:
                    _call_forward_hook(hooks, key, hook, self, args, kwargs, result)
                except Exception as error:
                    warnings.warn(
                        f"{kind} forward hook with ``always_call=True`` raised an exception that "
                        f"was silenced as another error was raised in forward: {error}",
                        stacklevel=4,
                    )


def _require_kind(known, full, where):
    if known is (not full):
        raise RuntimeError(
            f"Cannot use both regular backward hooks and full backward hooks {where}. "
            "Please use only one of them."
        )


def _call_forward_hook(hooks, key, hook, module, args, kwargs, result):
    if key in hooks._forward_hooks_with_kwargs:
        return hook(module, args, kwargs, result)
    return hook(module, args, result)


def _add_global(hooks, hook, *flags, prepend=False):
    ModuleHooks._hooked = True
    return _register(hooks, hook, *flags, prepend=prepend)


def register_module_forward_pre_hook(hook):
    """Call `hook(module, args)` before the `forward` of every module; returns a handle."""
    return _add_global(_global._forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """Call `hook(module, args, output)` after the `forward` of every module; returns a handle."""
    flags = [_global._forward_hooks_with_kwargs] if with_kwargs else []
    if always_call:
        flags.append(_global._forward_hooks_always_called)
    return _add_global(_global._forward_hooks, hook, *flags)


def register_module_full_backward_pre_hook(hook):
    """`Module.register_full_backward_pre_hook` for every module; returns a handle."""
    return _add_global(_global._backward_pre_hooks, hook)


def register_module_full_backward_hook(hook):
    """`Module.register_full_backward_hook` for every module; returns a handle."""
    return _add_global_backward(hook, True)


def register_module_backward_hook(hook):
    """The old name of `register_module_full_backward_hook`; returns a handle."""
    return _add_global_backward(hook, False)


def _add_global_backward(hook, full):
    known = _global.full if _global._backward_hooks else None
    _require_kind(known, full, "as a global Module hook")
    _global.full = full
    return _add_global(_global._backward_hooks, hook)


def register_module_buffer_registration_hook(hook):
    """Call `hook(module, name, buffer)` when a module gets a buffer; returns a handle."""
    return _register(_registration["buffer"], hook)


def register_module_module_registration_hook(hook):
    """Call `hook(module, name, submodule)` when a module gets a submodule; returns a handle."""
    return _register(_registration["module"], hook)


def register_module_parameter_registration_hook(hook):
    """Call `hook(module, name, parameter)` when a module gets a parameter; returns a handle."""
    return _register(_registration["parameter"], hook)
