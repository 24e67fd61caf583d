"""What every schedule of learning rates shares."""

import functools
import types
import warnings
import weakref

from ...tensor import Tensor
from ..optimizer import Optimizer

__all__ = [
    "LRScheduler",
    "copied",
    "per_group",
    "require_optimizer",
    "set_option",
    "warn_about_epoch",
]

HOW_TO = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


class LRScheduler:
    """The base of schedules: a subclass defines `get_lr`, the learning rates of this epoch.

    Args:
        optimizer: the optimizer whose learning rates are set, at once and by each `step`.
        last_epoch: the last epoch done; -1 to begin. Otherwise the groups of the optimizer must
            have an `"initial_lr"`, as they do when its state was loaded from a checkpoint.

    `base_lrs` are the learning rates that the optimizer began with, `last_epoch` counts.

    Raises TypeError for what is no optimizer, KeyError if `"initial_lr"` is missing.

    >>> import flambeau as torch
    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.zeros(2, requires_grad=True)], lr=1.0)
    >>> scheduler = Halving(optimizer)
    >>> for epoch in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        self.optimizer = require_optimizer(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0.\nThis typically happens when:\n1. You're "
                    "trying to resume training from a checkpoint but haven't properly loaded the "
                    "optimizer state\n2. You're using last_epoch >= 0 for a fresh training run "
                    "(not recommended)"
                )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        _note_steps(optimizer)
        self._initial_step()

    def _initial_step(self):
        """Set the learning rates of the first epoch."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self):
        """The learning rate of each group at `last_epoch`, from the present ones where it can."""
        raise NotImplementedError

    def get_last_lr(self):
        """The learning rates set last, one for each group."""
        return self._last_lr

    def state_dict(self):
        """The attributes of the schedule, but for the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave. Load the optimizer's state after it, not before."""
        self.__dict__.update(state_dict)

    def step(self, epoch=None):
        """Go to the next epoch and set its learning rates; call it after `optimizer.step`.

        epoch: deprecated; the epoch to go to.
        """
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warn_about_epoch()
        self._update_lr(epoch)

    def _check_order(self):
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please, make sure to call `optimizer.step()` before "
                f"`lr_scheduler.step()`. See more details at {HOW_TO}",
                UserWarning,
                stacklevel=3,
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch "
                "1.1.0 and later, you should call them in the opposite order: `optimizer.step()` "
                "before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping "
                f"the first value of the learning rate schedule. See more details at {HOW_TO}",
                UserWarning,
                stacklevel=3,
            )

    def _update_lr(self, epoch=None):
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                rates = self.get_lr()
            else:
                self.last_epoch = epoch
                closed_form = getattr(self, "_get_closed_form_lr", self.get_lr)
                rates = closed_form()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            set_option(group, "lr", lr)
        self._last_lr = self._present()

    def _present(self):
        """The learning rates of the groups, now."""
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _warn_outside_step(self):
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )


def require_optimizer(optimizer):
    """The optimizer itself. Raises TypeError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def copied(value):
    """A copy of an option that is a tensor; any other option itself."""
    return value.clone() if isinstance(value, Tensor) else value


def per_group(optimizer, name, value):
    """A list with one value for each group. Raises ValueError for a list of another length."""
    groups = optimizer.param_groups
    if not isinstance(value, (list, tuple)):
        return [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has "
            f"{len(value)} values, param_groups has {len(groups)}."
        )
    return list(value)


def set_option(group, name, value):
    """Set an option of a group; one that is a tensor is filled, not replaced."""
    if isinstance(group[name], Tensor):
        group[name].fill_(value)
    else:
        group[name] = value


def warn_about_epoch():
    """Warn that the user passed an epoch to `step`."""
    warnings.warn(
        "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
        "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
        "epoch is different from None, the closed form is used instead of the new chainable form, "
        "where available. Please open an issue if you are unable to replicate your use case: "
        "https://github.com/pytorch/pytorch/issues/new/choose.",
        UserWarning,
        stacklevel=3,
    )


def _note_steps(optimizer):
    """Make `optimizer.step` note that it was called, for the check of the order of calls."""
    step = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):
        return
    # A strong reference to the optimizer would make a cycle that keeps its state for long.
    owner = weakref.ref(optimizer)
    if isinstance(step, types.MethodType):
        optimizer.step = _noting_method(step.__func__, owner)
    else:
        optimizer.step = _noting(step, owner)
    optimizer.step._wrapped_by_lr_sched = True


def _noting_method(function, owner):
    @functools.wraps(function)
    def step(*args, **kwargs):
        self = owner()
        self._opt_called = True
        return function(self, *args, **kwargs)

    return step


def _noting(function, owner):
    @functools.wraps(function)
    def step(*args, **kwargs):
        owner()._opt_called = True
        return function(*args, **kwargs)

    return step
