"""Adamax."""

import flambeau

from .checks import check_betas, check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["Adamax"]


def _adamax(p, m, u, g, beta1, beta2, eps, weight_decay, step_size, *, decay, maximize):
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    m = m + (g - m) * (1 - beta1)
    u = flambeau.maximum(u * beta2, g.abs() + eps)
    return p - step_size * (m / u), m, u


class Adamax(FusedOptimizer):
    r"""Adamax: Adam with the largest recent gradient in place of the root mean square.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad
        u_t = \max(\beta_2 u_{t-1}, |g_t| + \epsilon), \quad
        \theta_t = \theta_{t-1} - \frac{\gamma}{1 - \beta_1^t} \frac{m_t}{u_t}

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        betas: the decay rates :math:`\beta_1, \beta_2`.
        eps: added to the gradient's size for numerical stability.
        weight_decay: the factor of an L2 penalty on the parameters.
        foreach, capturable: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From "Adam: A Method for Stochastic Optimization" (arXiv:1412.6980).
    """

    rule = staticmethod(_adamax)

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_nonnegative(eps=eps)
        check_betas(betas)
        check_nonnegative(weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def buffer_names(self, group):
        return ("exp_avg", "exp_inf")

    def plan(self, group, numbers, number):
        step = numbers[0] + 1.0
        beta1, beta2 = group["betas"]
        beta1, beta2 = number(beta1), number(beta2)
        lr = number(group["lr"])
        decay, weight_decay = self.decay(group, lr, number)
        scalars = (beta1, beta2, number(group["eps"]), weight_decay, lr / (1 - beta1**step))
        return (step,), scalars, {"decay": decay, "maximize": group["maximize"]}
