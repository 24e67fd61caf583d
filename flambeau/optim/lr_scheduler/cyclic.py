"""Schedules that go up and down, with momentum going the other way."""

import math
import types

from .base import LRScheduler, copied, per_group, set_option

__all__ = ["CyclicLR", "OneCycleLR"]


def _uses_beta1(optimizer):
    """Whether the momentum of an optimizer is its first beta."""
    if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
        raise ValueError(
            "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
        )
    return "betas" in optimizer.defaults


def _set_momentum(group, use_beta1, momentum):
    if use_beta1:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class CyclicLR(LRScheduler):
    r"""Let the learning rates go from `base_lr` to `max_lr` and back, again and again.

    Args:
        optimizer: the optimizer.
        base_lr, max_lr: the ends of a cycle, numbers or lists of one for each group.
        step_size_up, step_size_down: the steps of each half of a cycle; the same by default.
        mode: "triangular", "triangular2" (each cycle half as high as the one before) or
            "exp_range" (`gamma**step` as high).
        gamma: the base of "exp_range".
        scale_fn: the height of a cycle, in place of `mode`: a function of the number of the
            cycle, from 1, or of the step, as `scale_mode` says: "cycle" or "iterations".
        cycle_momentum: let the momentum (or first beta) go from `max_momentum` to
            `base_momentum` and back.
        base_momentum, max_momentum: the ends, numbers or lists of one for each group.
        last_epoch: the last step done; -1 to begin.

    Raises ValueError for an unknown mode, lists of another length than the groups', or an
    optimizer without momentum.

    From "Cyclical Learning Rates for Training Neural Networks" (arXiv:1506.01186).
    """

    def __init__(
        self,
        optimizer,
        base_lr,
        max_lr,
        step_size_up=2000,
        step_size_down=None,
        mode="triangular",
        gamma=1.0,
        scale_fn=None,
        scale_mode="cycle",
        cycle_momentum=True,
        base_momentum=0.8,
        max_momentum=0.9,
        last_epoch=-1,
    ):
        base_lrs = per_group(optimizer, "base_lr", base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                set_option(group, "lr", lr)
        self.max_lrs = per_group(optimizer, "max_lr", max_lr)
        up = float(step_size_up)
        down = up if step_size_down is None else float(step_size_down)
        self.total_size = up + down
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma = mode, gamma
        self._scale_fn_custom = scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _begin_momentum(self, optimizer, base_momentum, max_momentum, last_epoch):
        self.use_beta1 = _uses_beta1(optimizer)
        self.base_momentums = per_group(optimizer, "base_momentum", base_momentum)
        self.max_momentums = per_group(optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            ends = zip(self.max_momentums, self.base_momentums, strict=True)
            for group, (most, least) in zip(optimizer.param_groups, ends, strict=True):
                _set_momentum(group, self.use_beta1, most)
                group["max_momentum"], group["base_momentum"] = most, least

    def scale_fn(self, x):
        """The height of a cycle, as a factor."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / (2.0 ** (x - 1))
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self):
        """The learning rate of each group at this step; sets the momentum as well."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        if x <= self.step_ratio:
            height = x / self.step_ratio
        else:
            height = (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            ends = zip(self.base_momentums, self.max_momentums, strict=True)
            for group, (least, most) in zip(self.optimizer.param_groups, ends, strict=True):
                _set_momentum(group, self.use_beta1, most - (most - least) * height * scale)
        ends = zip(self.base_lrs, self.max_lrs, strict=True)
        return [least + (most - least) * height * scale for least, most in ends]

    def state_dict(self):
        """The attributes of the schedule; of `scale_fn`, those of an object with some."""
        state = super().state_dict()
        function = state.pop("_scale_fn_custom")
        state["_scale_fn_custom"] = None
        if function is not None and not isinstance(function, types.FunctionType):
            state["_scale_fn_custom"] = function.__dict__.copy()
        return state

    def load_state_dict(self, state_dict):
        """Take over what `state_dict` gave."""
        attributes = state_dict.get("_scale_fn_custom")
        rest = {k: v for k, v in state_dict.items() if k != "_scale_fn_custom"}
        super().load_state_dict(rest)
        if attributes is not None:
            self._scale_fn_custom.__dict__.update(attributes)


class OneCycleLR(LRScheduler):
    r"""Let the learning rates go up to `max_lr` and down to almost 0, once.

    Args:
        optimizer: the optimizer.
        max_lr: the top, a number or a list of one for each group.
        total_steps: the number of steps; or give `epochs` and `steps_per_epoch`.
        pct_start: the share of the steps that goes up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: let the momentum (or first beta) go from `max_momentum` to
            `base_momentum` and back.
        base_momentum, max_momentum: the ends, numbers or lists of one for each group.
        div_factor: the first learning rate is `max_lr / div_factor`.
        final_div_factor: the last one is that divided by `final_div_factor`.
        three_phase: go down to the first learning rate as slowly as up, only then to the last.
        last_epoch: the last step done; -1 to begin.

    Raises ValueError for arguments out of range, lists of another length than the groups', an
    optimizer without momentum, and in `step` beyond `total_steps`.

    From "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates"
    (arXiv:1708.07120).
    """

    def __init__(
        self,
        optimizer,
        max_lr,
        total_steps=None,
        epochs=None,
        steps_per_epoch=None,
        pct_start=0.3,
        anneal_strategy="cos",
        cycle_momentum=True,
        base_momentum=0.85,
        max_momentum=0.95,
        div_factor=25.0,
        final_div_factor=1e4,
        three_phase=False,
        last_epoch=-1,
    ):
        self.optimizer = optimizer
        self.total_steps = _total_steps(total_steps, epochs, steps_per_epoch)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy
        max_lrs = per_group(optimizer, "max_lr", max_lr)
        if last_epoch == -1:
            for group, most in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = most / div_factor
                group["max_lr"] = most
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = _uses_beta1(optimizer)
            bases = per_group(optimizer, "base_momentum", base_momentum)
            tops = per_group(optimizer, "max_momentum", max_momentum)
            if last_epoch == -1:
                for group, least, most in zip(optimizer.param_groups, bases, tops, strict=True):
                    _set_momentum(group, self.use_beta1, most)
                    group["max_momentum"], group["base_momentum"] = most, least
        super().__init__(optimizer, last_epoch)

    def _anneal_func(self, start, end, share):
        """The value after a share of the way from `start` to `end`."""
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
        return (end - start) * share + start

    def get_lr(self):
        """The learning rate of each group at this step; sets the momentum as well."""
        self._warn_outside_step()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        start = 0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if step <= end or phase is self._schedule_phases[-1]:
                break
            start = end
        share = (step - start) / (end - start)
        rates = []
        for group in self.optimizer.param_groups:
            ends = (group[phase["start_lr"]], group[phase["end_lr"]])
            rates.append(copied(self._anneal_func(*ends, share)))
            if self.cycle_momentum:
                ends = (group[phase["start_momentum"]], group[phase["end_momentum"]])
                _set_momentum(group, self.use_beta1, self._anneal_func(*ends, share))
        return rates


def _total_steps(total_steps, epochs, steps_per_epoch):
    if total_steps is not None:
        return _positive_integer("total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    epochs = _positive_integer("epochs", epochs)
    return epochs * _positive_integer("steps_per_epoch", steps_per_epoch)


def _positive_integer(name, value):
    if value <= 0 or not isinstance(value, int):
        raise ValueError(f"Expected positive integer {name}, but got {value}")
    return value


def _phases(total_steps, pct_start, three_phase):
    """The phases of one cycle: where each ends, and between which options of a group it goes."""
    top = float(pct_start * total_steps) - 1
    stops = [("initial_lr", "max_momentum"), ("max_lr", "base_momentum")]
    ends = [top]
    if three_phase:
        stops.append(("initial_lr", "max_momentum"))
        ends.append(float(2 * pct_start * total_steps) - 2)
    stops.append(("min_lr", "max_momentum"))
    ends.append(total_steps - 1)
    return [
        {
            "end_step": end,
            "start_lr": before[0],
            "end_lr": after[0],
            "start_momentum": before[1],
            "end_momentum": after[1],
        }
        for end, before, after in zip(ends, stops[:-1], stops[1:], strict=True)
    ]
