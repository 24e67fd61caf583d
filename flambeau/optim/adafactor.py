"""Adafactor: adaptive rates whose memory is that of the rows and columns of a matrix."""

import flambeau

from .checks import check_lr
from .fused import FusedOptimizer, apply_decay

__all__ = ["Adafactor"]


def _root_mean_square(x):
    return (x * x).mean().sqrt()


def _adafactor(p, *operands, decay, maximize, factored, default_eps):
    if factored:
        row, column, g, *scalars = operands
    else:
        variance, g, *scalars = operands
    new, rate, weight_decay, eps1, eps2, d = scalars
    if default_eps:
        eps1 = flambeau.finfo(p.dtype).eps
    rate = _root_mean_square(p).clamp(min=eps2) * rate
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    square = g * g
    if factored:
        row = row + (square.mean(-1, keepdim=True) - row) * new
        column = column + (square.mean(-2, keepdim=True) - column) * new
        variance = row * column / row.mean(-2, keepdim=True).clamp(min=eps1)
        buffers = row, column
    else:
        variance = variance + (square - variance) * new
        buffers = (variance,)
    update = g * variance.clamp(min=eps1 * eps1).rsqrt()
    rate = rate / (_root_mean_square(update) / d).clamp(min=1.0)
    return p - update * rate, *buffers


class Adafactor(FusedOptimizer):
    r"""Adafactor: keeps the means of squared gradients per row and per column of each matrix.

    .. math::
        \beta_t = 1 - t^\tau, \quad
        R_t = \beta_t R_{t-1} + (1 - \beta_t) \operatorname{mean}_{-1} G_t^2, \quad
        C_t = \beta_t C_{t-1} + (1 - \beta_t) \operatorname{mean}_{-2} G_t^2, \\
        V_t = \frac{R_t C_t}{\max(\operatorname{mean}_{-2} R_t, \epsilon_1)}, \quad
        U_t = \frac{G_t}{\max(\sqrt{V_t}, \epsilon_1)}, \\
        \theta_t = \theta_{t-1} - \gamma \lambda \theta_{t-1}
        - \max(\epsilon_2, \operatorname{RMS}(\theta_{t-1})) \min(\gamma, 1 / \sqrt t)
        \frac{U_t}{\max(1, \operatorname{RMS}(U_t) / d)}

    Parameters of fewer than two dims keep :math:`V_t`, the mean of :math:`G_t^2`, itself.

    Args:
        params: real parameters, named parameters, or dicts that define groups.
        lr: the largest relative step size :math:`\gamma`, a number or a tensor of one.
        beta2_decay: the power :math:`\tau`, at most 0.
        eps: :math:`\epsilon_1` (None: that of the parameter's dtype) and :math:`\epsilon_2`.
        d: the clipping threshold of updates, at least 1.
        weight_decay: the factor :math:`\lambda`.
        foreach: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.

    Raises ValueError for options out of range; `step` raises RuntimeError for complex parameters.

    From "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (arXiv:1804.04235).
    """

    rule = staticmethod(_adafactor)

    def __init__(
        self,
        params,
        lr=1e-2,
        beta2_decay=-0.8,
        eps=(None, 1e-3),
        d=1.0,
        weight_decay=0.0,
        *,
        foreach=None,
        maximize=False,
    ):
        check_lr(lr, "Learning rate should be >= 0 but is: {}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def step_group(self, group):
        for factored in (True, False):
            params = [p for p in group["params"] if (p.dim() > 1) == factored]
            if params:
                super().step_group(group | {"params": params, "factored": factored})

    def prepare(self, p, group):
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        return super().prepare(p, group)

    def buffer_names(self, group):
        return ("row_var", "col_var") if group["factored"] else ("variance",)

    def start(self, name, p, group):
        shape = list(p.shape)
        if name == "row_var":
            shape[-1] = 1
        elif name == "col_var":
            shape[-2] = 1
        return p.new_zeros(shape)

    def plan(self, group, numbers, number):
        step = numbers[0] + 1.0
        lr = number(group["lr"])
        weight_decay = number(group["weight_decay"])
        eps1, eps2 = group["eps"]
        static = {
            "decay": "decoupled" if weight_decay != 0 else None,
            "maximize": group["maximize"],
            "factored": group["factored"],
            "default_eps": eps1 is None,
        }
        eps = (0.0 if eps1 is None else number(eps1), number(eps2))
        steps = (step ** number(group["beta2_decay"]), min(lr, 1 / step**0.5))
        return (step,), (*steps, 1 - lr * weight_decay, *eps, number(group["d"])), static
