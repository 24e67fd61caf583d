"""Averaged stochastic gradient descent."""

from .checks import check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["ASGD"]


def _asgd(p, mean, g, weight_decay, shrink, eta, mu, *, decay, maximize, averaging):
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    p = p * shrink - eta * g
    return p, mean + (p - mean) * mu if averaging else p


class ASGD(FusedOptimizer):
    r"""Averaged SGD: descends with a falling rate and keeps a mean of the parameters.

    .. math::
        \theta_t = (1 - \lambda \eta_t) \theta_{t-1} - \eta_t g_t, \quad
        a_t = a_{t-1} + \mu_t (\theta_t - a_{t-1}), \\
        \eta_{t+1} = \frac{\gamma}{(1 + \lambda \gamma t)^\alpha}, \quad
        \mu_{t+1} = \frac{1}{\max(1, t - t_0)}

    The mean :math:`a` is `state[p]["ax"]`.

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the first learning rate :math:`\gamma`, a number or a tensor of one.
        lambd: the decay :math:`\lambda`.
        alpha: the power :math:`\alpha` of the rate's fall.
        t0: the step :math:`t_0` after which the mean takes more than the last parameters.
        weight_decay: the factor of an L2 penalty on the parameters.
        foreach, capturable: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From "Acceleration of stochastic approximation by averaging" (doi:10.1137/0330046).
    """

    rule = staticmethod(_asgd)
    number_names = ("step", "eta", "mu")

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        check_lr(lr)
        check_nonnegative(weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def begin(self, group):
        return (0.0, float(group["lr"]), 1.0)

    def buffer_names(self, group):
        return ("ax",)

    def plan(self, group, numbers, number):
        step, eta, mu = numbers
        step += 1.0
        lr, lambd = float(group["lr"]), float(group["lambd"])
        decay, weight_decay = self.decay(group, lr, number)
        scalars = (weight_decay, 1 - lambd * eta, eta, mu)
        static = {"decay": decay, "maximize": group["maximize"], "averaging": mu != 1}
        eta = lr / (1 + lambd * lr * step) ** float(group["alpha"])
        return (step, eta, 1 / max(1.0, step - float(group["t0"]))), scalars, static
