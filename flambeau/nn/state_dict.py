"""A module's state as a dict of tensors by dotted path, and back."""

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Mapping

import flambeau

from ..autograd.hooks import add_hook
from ..tensor import Tensor
from .parameter import Parameter

__all__ = ["ModuleState"]

EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ("missing_keys", "unexpected_keys"))):
    """What `load_state_dict` returns: two lists of keys."""

    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class ModuleState:
    """The part of `Module` that saves and loads its state."""

    _version = 1

    def _init_state_hooks(self):
        state = self.__dict__
        state["_state_dict_pre_hooks"] = OrderedDict()
        state["_state_dict_hooks"] = OrderedDict()
        state["_load_state_dict_pre_hooks"] = OrderedDict()
        state["_load_state_dict_post_hooks"] = OrderedDict()

    # Saving.

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """The parameters and persistent buffers of this module and all below, by dotted path.

        Args:
            destination: a dict to add them to, instead of a new one.
            prefix: goes before each key.
            keep_vars: give the tensors themselves, not detached ones that share their memory.
        Returns: an OrderedDict; its `_metadata` has the version of each module.

        >>> import flambeau as torch
        >>> list(torch.nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        if args:
            destination, prefix, keep_vars = _positional(args, destination, prefix, keep_vars)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}{name}."
                module.state_dict(destination=destination, prefix=path, keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, metadata)
            if result is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = result
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        """Add what this module itself holds; subclasses may add more."""
        for held in (self._parameters, self._buffers):
            for name, tensor in held.items():
                if tensor is not None and name not in self._non_persistent_buffers_set:
                    destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not ModuleState.get_extra_state:
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def get_extra_state(self):
        """What else the `state_dict` is to hold; for subclasses, with `set_extra_state`."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: it defines none")

    def set_extra_state(self, state):
        """Take back what `get_extra_state` gave; for subclasses."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: it defines none")

    def register_state_dict_pre_hook(self, hook):
        """Call `hook(module, prefix, keep_vars)` before `state_dict`; returns a handle."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict`.

        It changes the dict in place and returns None. Returns a handle.
        """
        hook._from_public_api = True
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook):
        """As `register_state_dict_post_hook`, but what the hook returns replaces the dict."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was "
                "previously registered via register_state_dict_post_hook"
            )
        return add_hook(self._state_dict_hooks, hook)

    # Loading.

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy tensors by dotted path into the parameters and buffers of this module and below.

        Args:
            strict: whether missing and unexpected keys are an error.
            assign: hold the tensors of the dict instead of copying from them.
        Returns: a named tuple of `missing_keys` and `unexpected_keys`.

        Raises RuntimeError that lists the missing and the unexpected keys and those whose shape
        differs, TypeError if `state_dict` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)
        if metadata is not None:
            state_dict._metadata = metadata
        missing, unexpected, errors = [], [], []
        self._load_tree(state_dict, "", metadata, assign, (missing, unexpected, errors))
        if strict:
            for keys, kind in ((unexpected, "Unexpected"), (missing, "Missing")):
                if keys:
                    listed = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{kind} key(s) in state_dict: {listed}. ")
        if errors:
            details = "\n\t".join(errors)
            name = type(self).__name__
            raise RuntimeError(f"Error(s) in loading state_dict for {name}:\n\t{details}")
        return _IncompatibleKeys(missing, unexpected)

    def _load_tree(self, state_dict, prefix, metadata, assign, found):
        local = {} if metadata is None else metadata.get(prefix[:-1], {})
        if assign:
            local["assign_to_params_buffers"] = assign
        self._load_from_state_dict(state_dict, prefix, local, True, *found)
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                below = {k: v for k, v in state_dict.items() if k.startswith(path)}
                child._load_tree(below, path, metadata, assign, found)
        for hook in self._load_state_dict_post_hooks.values():
            if hook(self, _IncompatibleKeys(*found[:2])) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                    "expected to return new values, if incompatible_keys need to be modified, it "
                    "should be done inplace."
                )

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Load what this module itself holds; subclasses may load more."""
        found = (missing_keys, unexpected_keys, error_msgs)
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, *found)
        assign = local_metadata.get("assign_to_params_buffers", False)
        held = {
            name: tensor
            for name, tensor in (*self._parameters.items(), *self._buffers.items())
            if tensor is not None and name not in self._non_persistent_buffers_set
        }
        for name, tensor in held.items():
            key = prefix + name
            if key in state_dict:
                problem = self._load_tensor(name, tensor, key, state_dict[key], assign)
                if problem:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)
        self._load_extra_state(state_dict, prefix, strict, missing_keys, unexpected_keys)
        if strict:
            known = {*held, EXTRA_STATE}
            unexpected_keys.extend(k for k in state_dict if self._is_unexpected(k, prefix, known))

    def _is_unexpected(self, key, prefix, known):
        if not key.startswith(prefix):
            return False
        name, dot, _ = key[len(prefix) :].partition(".")
        return name not in (self._modules if dot else known)

    def _load_tensor(self, name, tensor, key, value, assign):
        """Take over `value`, or return what is wrong with it."""
        if not isinstance(value, Tensor):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(value)}"
            )
        if not tensor.shape and tuple(value.shape) == (1,):
            value = value[0]
        if value.shape != tensor.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {value.shape} from "
                f"checkpoint, the shape in current model is {tensor.shape}."
            )
        try:
            with flambeau.no_grad():
                if not assign:
                    tensor.copy_(value)
                else:
                    self._assign(name, tensor, value)
        except Exception as error:
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{tensor.shape} and whose dimensions in the checkpoint are {value.shape}, an "
                f"exception occurred : {error.args}."
            )
        return None

    def _assign(self, name, tensor, value):
        if isinstance(tensor, Parameter):
            if isinstance(value, Parameter):
                value.requires_grad_(tensor.requires_grad)
            else:
                value = Parameter(value, tensor.requires_grad)
        setattr(self, name, value)

    def _load_extra_state(self, state_dict, prefix, strict, missing_keys, unexpected_keys):
        key = prefix + EXTRA_STATE
        takes = type(self).set_extra_state is not ModuleState.set_extra_state
        if takes and key in state_dict:
            self.set_extra_state(state_dict[key])
        elif strict and takes:
            missing_keys.append(key)
        elif strict and key in state_dict:
            unexpected_keys.append(key)

    def register_load_state_dict_pre_hook(self, hook):
        """Call a hook before this module loads its state.

        It is called as `hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)` and may change these in place. Returns a handle.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        return add_hook(
            self._load_state_dict_pre_hooks, _BoundHook(self, hook) if with_module else hook
        )

    def register_load_state_dict_post_hook(self, hook):
        """Call `hook(module, incompatible_keys)` after the state was loaded; returns a handle.

        The hook may change the two lists of `incompatible_keys` in place.
        """
        return add_hook(self._load_state_dict_post_hooks, hook)


class _BoundHook:
    """A hook that gets its module as the first argument; copied along with the module."""

    def __init__(self, module, hook):
        self.module, self.hook = module, hook

    def __call__(self, *args):
        return self.hook(self.module, *args)


def _positional(args, destination, prefix, keep_vars):
    """The arguments of `state_dict` as they used to be passed."""
    warnings.warn(
        "Positional args are being deprecated, use kwargs instead. Refer to "
        "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
        " for details.",
        FutureWarning,
        stacklevel=3,
    )
    names = {"destination": destination, "prefix": prefix, "keep_vars": keep_vars}
    names.update(zip(names, args, strict=False))
    return names.values()
