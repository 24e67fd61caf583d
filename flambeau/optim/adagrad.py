"""Adagrad."""

import flambeau

from .checks import check_flags, check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay
from .sparse import rows

__all__ = ["Adagrad"]


def _adagrad(p, total, g, eps, weight_decay, rate, *, decay, maximize):
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    total = total + g * g
    return p - rate * (g / (total.sqrt() + eps)), total


class Adagrad(FusedOptimizer):
    r"""Adagrad: gradients divided by the root of the sum of their squares so far.

    .. math::
        s_t = s_{t-1} + g_t^2, \quad
        \theta_t = \theta_{t-1} - \frac{\gamma}{1 + (t - 1) \eta}
        \frac{g_t}{\sqrt{s_t} + \epsilon}

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        lr_decay: the rate :math:`\eta` at which it falls.
        weight_decay: the factor of an L2 penalty on the parameters.
        initial_accumulator_value: the sum :math:`s_0`.
        eps: added to the denominator for numerical stability.
        foreach, fused: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range, RuntimeError for flags that exclude each other and
    for weight decay with sparse gradients.

    From "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization"
    (Duchi, Hazan and Singer, 2011).
    """

    rule = staticmethod(_adagrad)

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        check_nonnegative(
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_flags(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self.prepare(p, group)

    def buffer_names(self, group):
        return ("sum",)

    def start(self, name, p, group):
        value = group["initial_accumulator_value"]
        return flambeau.full_like(p, complex(value, value) if p.is_complex() else value)

    def plan(self, group, numbers, number):
        lr = number(group["lr"])
        decay, weight_decay = self.decay(group, lr, number)
        rate = lr / (1 + numbers[0] * number(group["lr_decay"]))
        scalars = (number(group["eps"]), weight_decay, rate)
        return (numbers[0] + 1.0,), scalars, {"decay": decay, "maximize": group["maximize"]}

    def step_sparse(self, group, p, g):
        if group["weight_decay"] != 0:
            raise RuntimeError("weight_decay option is not compatible with sparse gradients")
        state = self.prepare(p, group)
        state.numbers, (eps, _, rate), static = self.plan(group, state.numbers, float)
        where, values = rows(g)
        with flambeau.no_grad():
            total = state["sum"]
            total.index_put_(where, values * values, accumulate=True)
            change = values / (total[where].sqrt() + eps) * rate
            p.index_put_(where, change if static["maximize"] else -change, accumulate=True)
