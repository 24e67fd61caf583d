"""Schedules that multiply the learning rates by a factor as epochs go by."""

from bisect import bisect_right
from collections import Counter

from .base import LRScheduler

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
]


class _Chainable(LRScheduler):
    """A schedule that multiplies the present learning rates, so others may change them as well.

    `_factor(epoch)` is the factor from the epoch before, None where nothing changes;
    `_total(epoch)` is the factor from the beginning.
    """

    def get_lr(self):
        """The learning rate of each group: the present one times the factor of this epoch."""
        self._warn_outside_step()
        factor = self._factor(self.last_epoch)
        if factor is None:
            return self._present()
        return [lr * factor for lr in self._present()]

    def _get_closed_form_lr(self):
        total = self._total(self.last_epoch)
        return [lr * total for lr in self.base_lrs]


class StepLR(_Chainable):
    r"""Multiply the learning rates by `gamma` every `step_size` epochs.

    .. math:: \eta_t = \eta_0 \gamma^{\lfloor t / \text{step\_size} \rfloor}

    >>> import flambeau as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
    >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     print(scheduler.get_last_lr())
    ...     optimizer.step()
    ...     scheduler.step()
    [0.5]
    [0.5]
    [0.25]
    [0.25]
    """

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch):
        return None if epoch == 0 or epoch % self.step_size else self.gamma

    def _total(self, epoch):
        return self.gamma ** (epoch // self.step_size)


class MultiStepLR(_Chainable):
    r"""Multiply the learning rates by `gamma` at each of the epochs `milestones`.

    .. math:: \eta_t = \eta_0 \gamma^{|\{m : m \le t\}|}
    """

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch):
        times = self.milestones.get(epoch)
        return None if times is None else self.gamma**times

    def _total(self, epoch):
        return self.gamma ** bisect_right(sorted(self.milestones.elements()), epoch)


class ConstantLR(_Chainable):
    """Multiply the learning rates by `factor` for the first `total_iters` epochs.

    Raises ValueError unless `factor` is between 0 and 1.
    """

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch):
        if epoch == 0:
            return self.factor
        return 1.0 / self.factor if epoch == self.total_iters else None

    def _total(self, epoch):
        return 1.0 if epoch >= self.total_iters else self.factor


class LinearLR(_Chainable):
    r"""Change the factor of the learning rates linearly over `total_iters` epochs.

    .. math::
        \eta_t = \eta_0 \left(s + (e - s) \frac{\min(t, T)}{T}\right)

    with `start_factor` s, `end_factor` e and `total_iters` T.

    Raises ValueError unless 0 < s <= 1 and 0 <= e <= 1.
    """

    def __init__(
        self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1
    ):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch):
        if epoch == 0:
            return self.start_factor
        if self._is_initial or epoch > self.total_iters:
            return None
        change = self.end_factor - self.start_factor
        return 1.0 + change / (self.total_iters * self.start_factor + (epoch - 1) * change)

    def _total(self, epoch):
        change = self.end_factor - self.start_factor
        return self.start_factor + change * min(self.total_iters, epoch) / self.total_iters


class ExponentialLR(_Chainable):
    r"""Multiply the learning rates by `gamma` every epoch.

    .. math:: \eta_t = \eta_0 \gamma^t
    """

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch):
        return None if self._is_initial else self.gamma

    def _total(self, epoch):
        return self.gamma**epoch


class PolynomialLR(_Chainable):
    r"""Let the learning rates fall to 0 over `total_iters` epochs, like a power of the time left.

    .. math:: \eta_t = \eta_0 \left(1 - \frac{\min(t, T)}{T}\right)^{\text{power}}

    with `total_iters` T.
    """

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _factor(self, epoch):
        if self._is_initial or epoch > self.total_iters:
            return None
        left = 1.0 - epoch / self.total_iters
        return (left / (1.0 - (epoch - 1) / self.total_iters)) ** self.power

    def _total(self, epoch):
        return (1.0 - min(self.total_iters, epoch) / self.total_iters) ** self.power
