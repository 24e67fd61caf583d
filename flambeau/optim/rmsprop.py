"""RMSprop."""

from .checks import check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["RMSprop"]


def _rmsprop(p, square, *operands, decay, maximize, momentum, centered):
    operands = iter(operands)
    velocity = next(operands) if momentum else None
    mean = next(operands) if centered else None
    g, lr, alpha, eps, weight_decay, momentum = operands
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    square = square * alpha + g * g * (1 - alpha)
    variance, buffers = square, [square]
    if centered:
        mean = mean + (g - mean) * (1 - alpha)
        variance = square - mean * mean
    update = g / (variance.sqrt() + eps)
    if velocity is not None:
        update = velocity * momentum + update
        buffers.append(update)
    if centered:
        buffers.append(mean)
    return p - lr * update, *buffers


class RMSprop(FusedOptimizer):
    r"""RMSprop: gradients divided by the root of a mean of their squares.

    .. math::
        v_t = \alpha v_{t-1} + (1 - \alpha) g_t^2, \quad
        b_t = \mu b_{t-1} + \frac{g_t}{\sqrt{v_t} + \epsilon}, \quad
        \theta_t = \theta_{t-1} - \gamma b_t

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        alpha: the decay rate :math:`\alpha` of the mean.
        eps: added to the denominator for numerical stability.
        weight_decay: the factor of an L2 penalty on the parameters.
        momentum: the factor :math:`\mu`.
        centered: subtract the square of a mean of the gradients from :math:`v_t` under the root.
        capturable, foreach: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From G. Hinton's lectures; centered from "Generating Sequences With Recurrent Neural Networks"
    (arXiv:1308.0850).
    """

    rule = staticmethod(_rmsprop)

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        check_nonnegative(eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def buffer_names(self, group):
        names = ["square_avg"]
        if group["momentum"] > 0:
            names.append("momentum_buffer")
        if group["centered"]:
            names.append("grad_avg")
        return tuple(names)

    def plan(self, group, numbers, number):
        lr, momentum = number(group["lr"]), number(group["momentum"])
        decay, weight_decay = self.decay(group, lr, number)
        scalars = (lr, number(group["alpha"]), number(group["eps"]), weight_decay, momentum)
        static = {
            "decay": decay,
            "maximize": group["maximize"],
            "momentum": bool(momentum > 0),
            "centered": group["centered"],
        }
        return (numbers[0] + 1.0,), scalars, static
