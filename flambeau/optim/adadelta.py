"""Adadelta."""

from .checks import check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["Adadelta"]


def _adadelta(p, square, change, g, lr, rho, eps, weight_decay, *, decay, maximize):
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    square = square * rho + g * g * (1 - rho)
    delta = (change + eps).sqrt() / (square + eps).sqrt() * g
    change = change * rho + delta * delta * (1 - rho)
    return p - lr * delta, square, change


class Adadelta(FusedOptimizer):
    r"""Adadelta: scales gradients by the ratio of the sizes of recent updates and gradients.

    .. math::
        v_t = \rho v_{t-1} + (1 - \rho) g_t^2, \quad
        \Delta_t = \frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}} g_t, \\
        u_t = \rho u_{t-1} + (1 - \rho) \Delta_t^2, \quad
        \theta_t = \theta_{t-1} - \gamma \Delta_t

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the factor :math:`\gamma`, a number or a tensor of one.
        rho: the decay rate of the means of squares, in [0, 1].
        eps: added under the roots for numerical stability.
        weight_decay: the factor of an L2 penalty on the parameters.
        foreach, capturable: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From "ADADELTA: An Adaptive Learning Rate Method" (arXiv:1212.5701).
    """

    rule = staticmethod(_adadelta)

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_nonnegative(eps=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def buffer_names(self, group):
        return ("square_avg", "acc_delta")

    def plan(self, group, numbers, number):
        lr = number(group["lr"])
        decay, weight_decay = self.decay(group, lr, number)
        scalars = (lr, number(group["rho"]), number(group["eps"]), weight_decay)
        return (numbers[0] + 1.0,), scalars, {"decay": decay, "maximize": group["maximize"]}
