"""Schedules that multiply the learning rates as epochs go by."""

import types
from bisect import bisect_right
from collections import Counter

from .base import LRScheduler, copied

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]


class _Chainable(LRScheduler):
    """A schedule that multiplies the present learning rates by a factor, epoch by epoch.

    So it goes together with other changes of the rates. `_factor(epoch)` is the factor of an
    epoch, `_total(epoch)` the product of all up to it.
    """

    def get_lr(self):
        """The learning rate of each group: the present one times this epoch's factor."""
        self._warn_outside_step()
        if self._is_initial and not self._scales_at_once:
            return self._present()
        factor = self._factor(self.last_epoch)
        if factor is None:
            return self._present()
        return [lr * factor for lr in self._present()]

    _scales_at_once = False

    def _get_closed_form_lr(self):
        total = self._total(self.last_epoch)
        return [lr * total for lr in self.base_lrs]
