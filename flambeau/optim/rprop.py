"""Resilient backpropagation."""

import flambeau

from .checks import check_lr
from .fused import FusedOptimizer

__all__ = ["Rprop"]


def _rprop(p, previous, size, g, shrink, grow, smallest, largest, *, maximize):
    if maximize:
        g = -g
    agreement = g * previous
    turned = agreement < 0
    size = flambeau.where(agreement > 0, size * grow, flambeau.where(turned, size * shrink, size))
    size = size.clamp(smallest, largest)
    g = flambeau.where(turned, 0.0, g)
    return p - g.sign() * size, g, size


class Rprop(FusedOptimizer):
    r"""Rprop: a step size for each element, that grows while the gradient keeps its sign.

    Where :math:`g_t g_{t-1} > 0` the step size is multiplied by :math:`\eta_+`; where it is
    negative, by :math:`\eta_-`, and the element stays where it is; then
    :math:`\theta_t = \theta_{t-1} - s_t \operatorname{sign}(g_t)`.

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the first step size, a number or a tensor of one.
        etas: the factors :math:`\eta_-, \eta_+`.
        step_sizes: the smallest and the largest step size.
        capturable, foreach: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From "A direct adaptive method for faster backpropagation learning: the RPROP algorithm"
    (doi:10.1109/ICNN.1993.298623).
    """

    rule = staticmethod(_rprop)

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def buffer_names(self, group):
        return ("prev", "step_size")

    def start(self, name, p, group):
        if name == "prev":
            return flambeau.zeros_like(p)
        lr = float(group["lr"])
        return flambeau.full_like(p, complex(lr, lr) if p.is_complex() else lr)

    def plan(self, group, numbers, number):
        scalars = (*map(number, group["etas"]), *map(number, group["step_sizes"]))
        return (numbers[0] + 1.0,), scalars, {"maximize": group["maximize"]}
