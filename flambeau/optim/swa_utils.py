"""Averages of the weights of a model along its training: plain (SWA) or exponential (EMA)."""

import copy
import math
from itertools import chain

import flambeau

from ..nn.batchnorm import _BatchNorm
from ..nn.module import Module
from ..ops.update import update_all
from .lr_scheduler.base import LRScheduler, per_group

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def _lerp(average, value, weight):
    return average + (value - average) * weight


def _move(averages, values, weight):
    """Move each average in place by a fraction of its way to a value."""
    if averages[0].is_floating_point() or averages[0].is_complex():
        update_all(_lerp, [(x,) for x in averages], [(x,) for x in values], (weight,))
    else:
        for average, value in zip(averages, values, strict=True):
            average.copy_(average * (1 - weight) + value * weight)


def _check_decay(decay):
    if not 0.0 <= decay <= 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )


def get_ema_multi_avg_fn(decay=0.999):
    r"""The `multi_avg_fn` of an exponential average.

    .. math:: \bar\theta \leftarrow \beta \bar\theta + (1 - \beta) \theta

    Args: decay: the factor :math:`\beta`. Raises ValueError unless it is in [0, 1].

    >>> import flambeau as torch
    >>> from flambeau.optim.swa_utils import get_ema_multi_avg_fn
    >>> average = torch.tensor([1.0])
    >>> get_ema_multi_avg_fn(0.75)([average], [torch.tensor([2.0])], 1)
    >>> average
    tensor([1.2500])
    """
    _check_decay(decay)

    @flambeau.no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        _move(ema_param_list, current_param_list, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn():
    """The `multi_avg_fn` of a plain average."""

    @flambeau.no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        _move(averaged_param_list, current_param_list, 1 / (float(num_averaged) + 1))

    return swa_update


def get_ema_avg_fn(decay=0.999):
    """The `avg_fn` of an exponential average; see `get_ema_multi_avg_fn`."""
    _check_decay(decay)

    @flambeau.no_grad()
    def ema_update(ema_param, current_param, num_averaged):
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn():
    """The `avg_fn` of a plain average."""

    @flambeau.no_grad()
    def swa_update(averaged_param, current_param, num_averaged):
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    r"""A copy of a model whose parameters are averages of what those of the model were.

    Args:
        model: the model.
        device: where the copy is to be; by default where the model is.
        avg_fn: called as `avg_fn(average, parameter, number of models before)`, returns the new
            average.
        multi_avg_fn: called with lists of averages and of parameters, changes the averages in
            place. Without both, the plain average is taken.
        use_buffers: average the buffers too; otherwise they are copied.

    `module` is the copy, `n_averaged` the number of models so far.

    Raises AssertionError for two functions.

    >>> import flambeau as torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> average = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight.item()
    3.0
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        count = flambeau.tensor(0, dtype=flambeau.int64, device=device)
        self.register_buffer("n_averaged", count)
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        """The result of the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Take the present parameters of a model into the averages."""
        averages, values = self._pairs(model)
        if int(self.n_averaged) == 0:
            for average, value in zip(averages, values, strict=True):
                average.copy_(value)
        elif self.avg_fn is not None:
            for average, value in zip(averages, values, strict=True):
                average.copy_(self.avg_fn(average, value, self.n_averaged))
        else:
            average_all = self.multi_avg_fn or get_swa_multi_avg_fn()
            for group in _by_dtype(averages, values):
                average_all(*group, self.n_averaged)
        if not self.use_buffers:
            for buffer, value in zip(self.module.buffers(), model.buffers(), strict=True):
                buffer.detach().copy_(value.detach())
        self.n_averaged += 1

    def _pairs(self, model):
        """The averages and the tensors that they are taken of, all detached."""
        averaged, present = self.module.parameters(), model.parameters()
        if self.use_buffers:
            averaged = chain(averaged, self.module.buffers())
            present = chain(present, model.buffers())
        averages = [x.detach() for x in averaged]
        values = [x.detach() for x in present]
        return averages, [x.to(y.device) for x, y in zip(values, averages, strict=True)]


def _by_dtype(averages, values):
    """(averages, values) for each dtype, in order of appearance."""
    groups = {}
    for average, value in zip(averages, values, strict=True):
        first, second = groups.setdefault(average.dtype, ([], []))
        first.append(average)
        second.append(value)
    return groups.values()


@flambeau.no_grad()
def update_bn(loader, model, device=None):
    """Compute the statistics of all batch normalisations anew, from one pass over the data.

    Args:
        loader: batches for `model`, or tuples or lists whose first element is one.
        model: the model; it is run in training mode.
        device: where to move the batches.
    """
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, _BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.reset_running_stats()
        module.momentum = None  # the plain average of all batches
    for batch in loader:
        batch = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(batch if device is None else batch.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    r"""Let the learning rates go to constant ones, at which weights are then averaged.

    Args:
        optimizer: the optimizer.
        swa_lr: the last learning rate, or a list of one for each group.
        anneal_epochs: the number of epochs until then.
        anneal_strategy: "cos" or "linear".
        last_epoch: the last epoch done; -1 to begin.

    Raises ValueError for another strategy, a number of epochs that is none, or a list of another
    length than the groups'.

    >>> import flambeau as torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = torch.optim.swa_utils.SWALR(optimizer, 0.5, 2, "linear")
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(scheduler.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        rates = per_group(optimizer, "swa_lr", swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t):
        """How far the learning rates have come after the fraction `t` of the epochs."""
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def _progress(self, step):
        return self.anneal_func(max(0, min(1, step / max(1, self.anneal_epochs))))

    def get_lr(self):
        """The learning rate of each group."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._progress(step - 1), self._progress(step)
        rates = []
        for group in self.optimizer.param_groups:
            last = group["swa_lr"]
            first = last if before == 1 else (group["lr"] - before * last) / (1 - before)
            rates.append(last * now + first * (1 - now))
        return rates
