"""What every optimizer shares: groups of parameters, their state, hooks, saving and loading."""

import copy
import functools
import warnings
from collections import OrderedDict, defaultdict
from itertools import chain

import flambeau

from ..nn.hooks import RemovableHandle
from ..tensor import Tensor
from .param_state import ParamState

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

_global_step_pre_hooks = OrderedDict()
_global_step_post_hooks = OrderedDict()


class _Required:
    """The default of an option that each parameter group must give itself."""

    def __repr__(self):
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook):
    """Call `hook(optimizer, args, kwargs)` before `step` of every optimizer; returns a handle.

    A hook that returns a pair replaces the arguments by it; `args[0]` is the optimizer.
    """
    return _register(_global_step_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call `hook(optimizer, args, kwargs)` after `step` of every optimizer; returns a handle."""
    return _register(_global_step_post_hooks, hook)


def _register(hooks, hook, prepend=False):
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class _Attribute:
    """Stands in a class for an attribute that every instance sets, to say what it is."""

    def __init__(self, doc):
        self.__doc__ = doc

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        # Not set, as in a wrapper that does without `Optimizer.__init__`: see its `__getattr__`.
        raise AttributeError(f"'{owner.__name__}' object has no attribute '{self.name}'")


class Optimizer:
    """The base of all optimizers; a subclass defines `step`.

    Args:
        params: an iterable of parameters, of `(name, parameter)` pairs, or of dicts, each a group
            of parameters (under `"params"`) with options of its own.
        defaults: the options of groups that do not give them.

    `param_groups` is the list of groups; `state` maps each parameter to a dict of what the
    optimizer keeps for it.

    Raises TypeError for what are no parameters, ValueError for an empty list, for parameters that
    are no leaves, in two groups, or only partly named.

    >>> import flambeau as torch
    >>> class Descent(torch.optim.Optimizer):
    ...     def __init__(self, params, lr=0.5):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @torch.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.sub_(group["lr"] * p.grad)
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> Descent([w]).step()
    >>> w
    tensor([0., 0.], requires_grad=True)
    """

    defaults = _Attribute("The options of groups that do not give them.")
    param_groups = _Attribute("The groups: dicts of options, with the parameters as `params`.")
    state = _Attribute("What is kept for each parameter: a dict of dicts.")

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._add_hook_dicts()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or "
                f"dicts, but got {params.type()}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        step = cls.__dict__.get("step")
        if step is not None and not hasattr(step, "hooked"):
            cls.step = cls.profile_hook_step(step)

    def _add_hook_dicts(self):
        self._optimizer_step_pre_hooks = OrderedDict()
        self._optimizer_step_post_hooks = OrderedDict()
        self._optimizer_state_dict_pre_hooks = OrderedDict()
        self._optimizer_state_dict_post_hooks = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks = OrderedDict()
        self._optimizer_load_state_dict_post_hooks = OrderedDict()

    @staticmethod
    def profile_hook_step(func):
        """The function `step` with the step hooks around it; subclasses get it by themselves."""

        @functools.wraps(func)
        def step(*args, **kwargs):
            self = args[0]
            if not (
                self._optimizer_step_pre_hooks
                or self._optimizer_step_post_hooks
                or _global_step_pre_hooks
                or _global_step_post_hooks
            ):
                return func(*args, **kwargs)
            before = (_global_step_pre_hooks, self._optimizer_step_pre_hooks)
            for hook in [h for hooks in before for h in hooks.values()]:
                replaced = hook(self, args, kwargs)
                if replaced is not None:
                    if not (isinstance(replaced, tuple) and len(replaced) == 2):
                        raise RuntimeError(
                            f"{func} must return None or a tuple of (new_args, new_kwargs), "
                            f"but got {replaced}."
                        )
                    args, kwargs = replaced
            result = func(*args, **kwargs)
            after = (self._optimizer_step_post_hooks, _global_step_post_hooks)
            for hook in [h for hooks in after for h in hooks.values()]:
                hook(self, args, kwargs)
            return result

        step.hooked = True
        return step

    def step(self, closure=None):
        """Update the parameters from their gradients.

        closure: a function that clears the gradients, computes the loss, calls `backward` and
            returns the loss. Its result is that of `step`.
        """
        raise NotImplementedError

    def zero_grad(self, set_to_none=True):
        """Forget the gradients of all parameters, or make them zero unless `set_to_none`."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    if p.grad.grad_fn is not None:
                        p.grad.detach_()
                    else:
                        p.grad.requires_grad_(False)
                    p.grad.zero_()

    def add_param_group(self, param_group):
        """Add a group: a dict of `"params"`, a parameter or an iterable of them, and options.

        Raises TypeError if it is no dict or holds no tensors; ValueError for parameters that are
        no leaves or in another group already, and for options missing.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        param_group["params"], names = _split_names(_as_list(param_group["params"]))
        for p in param_group["params"]:
            self._check_param(p)
        if names:
            param_group["param_names"] = names
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    + name
                )
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_param(self, p):
        if not isinstance(p, Tensor):
            raise TypeError(
                "optimizer can only optimize Tensors, but one of the params is "
                + flambeau.typename(p)
            )
        if not self.defaults.get("differentiable", None) and not (p.is_leaf or p.retains_grad):
            raise ValueError("can't optimize a non-leaf Tensor")

    def _check_group(self, group):
        params = group["params"]
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=4,
            )
        known = {p for other in self.param_groups for p in other["params"]}
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        is_named = "param_names" in group
        if any(("param_names" in other) != is_named for other in self.param_groups):
            with_or_without = "with" if is_named else "without"
            raise ValueError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{with_or_without} names to the optimizer"
            )

    def state_dict(self):
        """What is needed to go on later: a dict of `"state"` and `"param_groups"`.

        Parameters are numbered in the order of the groups: `"state"` maps the number of each to
        its state, and `"params"` of each group is the list of its numbers. The tensors are those
        of the optimizer, not copies; step counts are 0-dim tensors.

        >>> import flambeau as torch
        >>> w = torch.tensor([1.0], requires_grad=True)
        >>> (2 * w).sum().backward()
        >>> optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': tensor([2.])}}
        """
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        number = {}
        for p in chain.from_iterable(group["params"] for group in self.param_groups):
            number.setdefault(id(p), len(number))
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [number[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {
            (number[id(key)] if isinstance(key, Tensor) else key): _visible(value)
            for key, value in self.state.items()
        }
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, result)
            if replaced is not None:
                result = replaced
        return result

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave, of this or of PyTorch's optimizer of that name.

        Floating-point state is cast to the dtype of its parameter, except the step count.

        Raises ValueError if the numbers of groups or of parameters in a group differ.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            if replaced is not None:
                state_dict = replaced
        saved_groups = copy.deepcopy(state_dict["param_groups"])
        if len(self.param_groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        params = {}
        for group, saved in zip(self.param_groups, saved_groups, strict=True):
            if len(group["params"]) != len(saved["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of "
                    "optimizer's group"
                )
            params.update(zip(saved["params"], group["params"], strict=True))
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = _cast(params[key], value)
            else:
                state[key] = value
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def register_step_pre_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` before each `step`; returns a handle.

        A hook that returns a pair replaces the arguments by it; `args[0]` is the optimizer.
        """
        return _register(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Call `hook(optimizer, args, kwargs)` after each `step`; returns a handle."""
        return _register(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` before `state_dict` reads the state; returns a handle."""
        return _register(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)`, whose result replaces the dict; returns a handle."""
        return _register(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call `hook(optimizer, state_dict)` before loading; its result replaces the dict."""
        return _register(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call `hook(optimizer)` once a state dict is loaded; returns a handle."""
        return _register(self._optimizer_load_state_dict_post_hooks, hook, prepend)

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:
            self._add_hook_dicts()

    def __repr__(self):
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            if i:
                lines.append("")
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _as_list(params):
    if isinstance(params, Tensor):
        return [params]
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but the ordering of "
            "tensors in sets will change between runs. Please use a list instead."
        )
    return list(params)


def _split_names(params):
    """(the parameters, their names or None) of a list of either parameters or pairs."""
    pairs = [p for p in params if isinstance(p, tuple)]
    if not pairs:
        return params, None
    if len(pairs) != len(params):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return [pair[1] for pair in pairs], [pair[0] for pair in pairs]


def _visible(value):
    return value.snapshot() if isinstance(value, ParamState) else value


def _cast(param, value, key=None):
    """State read from a checkpoint, made to fit its parameter."""
    if isinstance(value, Tensor):
        if key == "step":
            return value
        if param.is_floating_point():
            return value.to(dtype=param.dtype, device=param.device)
        return value.to(device=param.device)
    if isinstance(value, dict):
        return {k: _cast(param, v, key=k) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(param, v) for v in value)
    return value
