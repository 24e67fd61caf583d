"""NAdam: Adam with Nesterov momentum."""

from .checks import check_betas, check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["NAdam"]


def _nadam(p, m, v, g, *scalars, decay, maximize):
    beta1, beta2, eps, weight_decay, bias2, step_of_g, step_of_m = scalars
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    m = m + (g - m) * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    scale = (v / bias2).sqrt() + eps
    return p - step_of_g * (g / scale) - step_of_m * (m / scale), m, v


class NAdam(FusedOptimizer):
    r"""NAdam: Adam that looks ahead along its momentum.

    .. math::
        \mu_t = \beta_1 (1 - 0.5 \cdot 0.96^{t \psi}), \quad
        \hat m_t = \frac{\mu_{t+1} m_t}{1 - \prod_{i=1}^{t+1} \mu_i}
        + \frac{(1 - \mu_t) g_t}{1 - \prod_{i=1}^{t} \mu_i}, \\
        \theta_t = \theta_{t-1} - \gamma \frac{\hat m_t}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    with the means :math:`m_t, v_t` of `Adam`.

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        betas: the decay rates :math:`\beta_1, \beta_2` of the means.
        eps: added to the denominator for numerical stability.
        weight_decay: the factor of an L2 penalty on the parameters.
        momentum_decay: the rate :math:`\psi` at which the momentum grows.
        decoupled_weight_decay: shrink the parameters by `lr * weight_decay` instead of adding
            the penalty to the loss.
        foreach, capturable: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.

    Raises ValueError for options out of range.

    From "Incorporating Nesterov Momentum into Adam" (Dozat, 2016).
    """

    rule = staticmethod(_nadam)
    number_names = ("step", "mu_product")

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
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
        check_nonnegative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def begin(self, group):
        return (0.0, 1.0)

    def buffer_names(self, group):
        return ("exp_avg", "exp_avg_sq")

    def plan(self, group, numbers, number):
        step = numbers[0] + 1.0
        beta1, beta2 = group["betas"]
        beta1, beta2 = number(beta1), number(beta2)
        lr = number(group["lr"])
        decay, weight_decay = self.decay(group, lr, number)
        growth = float(group["momentum_decay"])
        mu = beta1 * (1 - 0.5 * 0.96 ** (step * growth))
        mu_next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * growth))
        product = numbers[1] * mu
        step_of_g, step_of_m = lr * (1 - mu) / (1 - product), lr * mu_next / (1 - product * mu_next)
        steps = (1 - beta2**step, step_of_g, step_of_m)
        scalars = (beta1, beta2, number(group["eps"]), weight_decay, *steps)
        static = {"decay": decay, "maximize": group["maximize"]}
        return (step, float(product)), scalars, static
