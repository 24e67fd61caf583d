"""RAdam: Adam whose adaptive rate is rectified while few gradients have been seen."""

from .checks import check_betas, check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["RAdam"]


def _radam(p, m, v, g, *scalars, decay, maximize, rectified):
    beta1, beta2, eps, weight_decay, bias1, step_size = scalars
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    m = m + (g - m) * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    update = m / bias1 * step_size
    if rectified:
        update = update / (v.sqrt() + eps)
    return p - update, m, v


class RAdam(FusedOptimizer):
    r"""RAdam: Adam that leaves out the adaptive rate until its variance is bounded.

    .. math::
        \rho_t = \rho_\infty - \frac{2 t \beta_2^t}{1 - \beta_2^t}, \quad
        \rho_\infty = \frac{2}{1 - \beta_2} - 1, \quad
        r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2) \rho_\infty}
        {(\rho_\infty - 4)(\rho_\infty - 2) \rho_t}}, \\
        \theta_t = \theta_{t-1} - \gamma \frac{m_t}{1 - \beta_1^t} \cdot
        \begin{cases} r_t \sqrt{1 - \beta_2^t} / (\sqrt{v_t} + \epsilon) & \rho_t > 5 \\
        1 & \text{otherwise} \end{cases}

    with the means :math:`m_t, v_t` of `Adam`.

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        betas: the decay rates :math:`\beta_1, \beta_2` of the means.
        eps: added to the denominator for numerical stability.
        weight_decay: the factor of an L2 penalty on the parameters.
        decoupled_weight_decay: shrink the parameters by `lr * weight_decay` instead of adding
            the penalty to the loss.
        foreach, capturable: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From "On the Variance of the Adaptive Learning Rate and Beyond" (arXiv:1908.03265).
    """

    rule = staticmethod(_radam)

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def buffer_names(self, group):
        return ("exp_avg", "exp_avg_sq")

    def plan(self, group, numbers, number):
        step = numbers[0] + 1.0
        beta1, beta2 = group["betas"]
        beta1, beta2 = number(beta1), number(beta2)
        lr = number(group["lr"])
        decay, weight_decay = self.decay(group, lr, number)
        bias1, bias2 = 1 - beta1**step, 1 - beta2**step
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / bias2
        rectified = bool(length > 5)
        if rectified:
            above = (length - 4) * (length - 2) * longest
            below = (longest - 4) * (longest - 2) * length
            lr = lr * (above / below * bias2) ** 0.5
        scalars = (beta1, beta2, number(group["eps"]), weight_decay, bias1, lr)
        static = {"decay": decay, "maximize": group["maximize"], "rectified": rectified}
        return (step,), scalars, static
