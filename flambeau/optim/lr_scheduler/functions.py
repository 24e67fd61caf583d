"""Schedules that the user gives as functions of the epoch."""

import types

from .base import LRScheduler

__all__ = ["LambdaLR", "MultiplicativeLR"]


class _Functions(LRScheduler):
    """A schedule with one function for each group, or one for all.

    Functions are not part of the `state_dict`; of callable objects, their attributes are.

    Raises ValueError if there are not as many functions as groups.
    """

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.optimizer = optimizer
        count = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            self.lr_lambdas = [lr_lambda] * count
        else:
            if len(lr_lambda) != count:
                raise ValueError(f"Expected {count} lr_lambdas, but got {len(lr_lambda)}")
            self.lr_lambdas = list(lr_lambda)
        super().__init__(optimizer, last_epoch)

    def state_dict(self):
        """The attributes of the schedule; of the functions, those that are objects with some."""
        state = super().state_dict()
        functions = state.pop("lr_lambdas")
        state["lr_lambdas"] = [
            None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in functions
        ]
        return state

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave."""
        attributes = state_dict["lr_lambdas"]
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, found in zip(self.lr_lambdas, attributes, strict=False):
            if found is not None:
                function.__dict__.update(found)


class LambdaLR(_Functions):
    r"""Set each learning rate to its first value times a function of the epoch.

    .. math:: \eta_t = \eta_0 f(t)

    lr_lambda: the function, or a list of one for each group.

    >>> import flambeau as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    >>> scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def get_lr(self):
        """The learning rate of each group at this epoch."""
        self._warn_outside_step()
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [lr * function(self.last_epoch) for lr, function in pairs]


class MultiplicativeLR(_Functions):
    r"""Multiply each learning rate by a function of the epoch.

    .. math:: \eta_t = \eta_{t-1} f(t)

    lr_lambda: the function, or a list of one for each group.
    """

    def get_lr(self):
        """The learning rate of each group at this epoch."""
        self._warn_outside_step()
        present = self._present()
        if self._is_initial:
            return present
        pairs = zip(present, self.lr_lambdas, strict=True)
        return [lr * function(self.last_epoch) for lr, function in pairs]
