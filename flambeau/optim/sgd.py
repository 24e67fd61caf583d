"""Stochastic gradient descent."""

import flambeau

from .checks import check_flags, check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay
from .sparse import rows

__all__ = ["SGD"]


def _sgd(p, *operands, decay, maximize, momentum, nesterov, first):
    if not momentum:
        g, lr, weight_decay = operands
        p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
        return (p - lr * g,)
    velocity, g, lr, weight_decay, momentum, new = operands
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    velocity = g if first else velocity * momentum + g * new
    return p - lr * (g + velocity * momentum if nesterov else velocity), velocity


class SGD(FusedOptimizer):
    r"""Stochastic gradient descent, with or without momentum.

    .. math::
        b_1 = g_1, \quad b_t = \mu b_{t-1} + (1 - \tau) g_t, \quad
        \theta_t = \theta_{t-1} - \gamma b_t

    and with `nesterov`, :math:`\theta_t = \theta_{t-1} - \gamma (g_t + \mu b_t)`.

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        momentum: the factor :math:`\mu`.
        dampening: the factor :math:`\tau`.
        weight_decay: the factor of an L2 penalty on the parameters.
        nesterov: look ahead along the momentum.
        maximize: step along the gradient, not against it.
        foreach, fused: accepted; every step is one fused record.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range, or Nesterov momentum with dampening or without
    momentum; RuntimeError for flags that exclude each other.

    >>> import flambeau as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -1.0000], requires_grad=True)
    """

    rule = staticmethod(_sgd)
    number_names = ()

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_lr(lr)
        check_nonnegative(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        check_flags(fused, foreach, differentiable)

    # The one number of a parameter stays hidden: 0 before its first step, 1 after.

    def resume(self, state):
        if dict.get(state, "momentum_buffer") is not None:
            return (1.0,)
        dict.pop(state, "momentum_buffer", None)
        return (0.0,)

    def buffer_names(self, group):
        return ("momentum_buffer",) if group["momentum"] else ()

    def plan(self, group, numbers, number):
        lr, momentum = number(group["lr"]), number(group["momentum"])
        decay, weight_decay = self.decay(group, lr, number)
        static = {
            "decay": decay,
            "maximize": group["maximize"],
            "momentum": bool(momentum != 0),
            "nesterov": group["nesterov"],
            "first": numbers[0] == 0.0,
        }
        if not static["momentum"]:
            return numbers, (lr, weight_decay), static
        return (1.0,), (lr, weight_decay, momentum, 1 - number(group["dampening"])), static

    def step_group(self, group):
        if group["momentum"]:
            super().step_group(group)
            return
        targets, inputs = [], []
        for p in group["params"]:
            g = p.grad
            if g is not None:
                if g.is_sparse:
                    self.step_sparse(group, p, g)
                else:
                    targets.append((p,))
                    inputs.append((g,))
        if targets:
            self.update(group, (0.0,), targets, inputs)

    def _with_momentum(self, group, state, g):
        velocity, momentum = state.get("momentum_buffer"), group["momentum"]
        if velocity is None:
            velocity = g
        else:
            velocity = velocity * momentum + g * (1 - group["dampening"])
        state["momentum_buffer"] = velocity
        return g + velocity * momentum if group["nesterov"] else velocity

    def step_sparse(self, group, p, g):
        if group["weight_decay"]:
            raise RuntimeError("SGD with weight_decay does not support sparse gradients")
        if group["momentum"]:
            g = self._with_momentum(group, self.state[p], g)
        where, values = rows(g)
        sign = 1.0 if group["maximize"] else -1.0
        with flambeau.no_grad():
            p.index_put_(where, values * (sign * float(group["lr"])), accumulate=True)
