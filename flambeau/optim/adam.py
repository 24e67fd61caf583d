"""Adam, and AdamW, which decays the weights apart from the gradient."""

import flambeau

from ..tensor import Tensor
from .checks import check_betas, check_flags, check_lr, check_nonnegative
from .fused import FusedOptimizer, apply_decay

__all__ = ["Adam", "AdamW"]


def _adam(*operands, decay, amsgrad, maximize):
    if amsgrad:
        p, m, v, peak, g, *scalars = operands
    else:
        p, m, v, g, *scalars = operands
    beta1, beta2, eps, weight_decay, step_size = scalars
    p, g = apply_decay(p, g, weight_decay, decay=decay, maximize=maximize)
    m = m + (g - m) * (1 - beta1)
    v = v * beta2 + g * g * (1 - beta2)
    if not amsgrad:
        return p - step_size * (m / (v.sqrt() + eps)), m, v
    peak = flambeau.maximum(peak, v)
    return p - step_size * (m / (peak.sqrt() + eps)), m, v, peak


class Adam(FusedOptimizer):
    r"""Adam: steps along a mean of gradients, divided by the root of a mean of their squares.

    .. math::
        m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad
        v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2, \\
        \theta_t = \theta_{t-1} - \gamma \frac{m_t / (1 - \beta_1^t)}
        {\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}

    Args:
        params: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        betas: the decay rates :math:`\beta_1, \beta_2` of the means.
        eps: added to the denominator for numerical stability.
        weight_decay: the factor of an L2 penalty on the parameters.
        amsgrad: divide by the largest :math:`v` so far.
        foreach, fused, capturable: accepted; every step is one fused record.
        maximize: step along the gradient, not against it.
        differentiable: let autograd see the step.
        decoupled_weight_decay: shrink the parameters by `lr * weight_decay` instead of adding
            the penalty to the loss, as `AdamW` does.

    Raises ValueError for options out of range, RuntimeError for flags that exclude each other.

    From "Adam: A Method for Stochastic Optimization" (arXiv:1412.6980).

    >>> import flambeau as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    rule = staticmethod(_adam)

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        _check_tensor_options(lr, betas, foreach and not capturable)
        check_lr(lr)
        check_nonnegative(eps=eps)
        check_betas(betas)
        check_nonnegative(weight_decay=weight_decay)
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)
        check_flags(fused, foreach, differentiable)

    def buffer_names(self, group):
        if group["amsgrad"]:
            return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
        return ("exp_avg", "exp_avg_sq")

    def plan(self, group, numbers, number):
        step = numbers[0] + 1.0
        beta1, beta2 = group["betas"]
        beta1, beta2 = number(beta1), number(beta2)
        lr = number(group["lr"])
        decay, weight_decay = self.decay(group, lr, number)
        # m / (sqrt(v) / c + eps) is c m / (sqrt(v) + c eps): one division less for each element.
        root_bias2 = (1 - beta2**step) ** 0.5
        eps, step_size = number(group["eps"]) * root_bias2, lr / (1 - beta1**step) * root_bias2
        scalars = (beta1, beta2, eps, weight_decay, step_size)
        static = {"decay": decay, "amsgrad": group["amsgrad"], "maximize": group["maximize"]}
        return (step,), scalars, static

    def step_sparse(self, group, p, g):
        raise RuntimeError(
            "Adam does not support sparse gradients, please consider SparseAdam instead"
        )


class AdamW(Adam):
    r"""Adam that shrinks the parameters apart from the gradient.

    As `Adam`, after :math:`\theta_t = (1 - \gamma \lambda) \theta_{t-1}`, where :math:`\lambda` is
    `weight_decay`; the means do not see the decay.

    From "Decoupled Weight Decay Regularization" (arXiv:1711.05101).

    >>> import flambeau as torch
    >>> w = torch.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8500, -1.8000], requires_grad=True)
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=1e-2,
        amsgrad=False,
        *,
        maximize=False,
        foreach=None,
        capturable=False,
        differentiable=False,
        fused=None,
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:  # a checkpoint of Adam says otherwise
            group["decoupled_weight_decay"] = True


def _check_tensor_options(lr, betas, foreach):
    """What PyTorch refuses about options that are tensors."""
    if isinstance(lr, Tensor):
        if foreach:
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True"
            )
        check_lr(lr)
    kinds = [isinstance(beta, Tensor) for beta in betas]
    if kinds[0] != kinds[1] and isinstance(betas[0] if kinds[1] else betas[1], float):
        raise ValueError("betas must be either both floats or both Tensors")
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor):
            if foreach:
                raise ValueError(
                    f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True"
                )
            if beta.numel() != 1:
                raise ValueError(f"Tensor betas[{i}] must be 1-element")
