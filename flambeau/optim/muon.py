"""Muon: momentum made orthogonal."""

from .checks import check_lr
from .fused import FusedOptimizer

__all__ = ["Muon"]

MOST_ITERATIONS = 100


def _orthogonal(x, a, b, c, eps, steps):
    """A matrix near `x` whose singular values are near 1, by a Newton-Schulz iteration.

    As in PyTorch, results are rounded to bfloat16; sums within a product are not.
    """
    x = _rounded(x)
    is_tall = x.size(0) > x.size(1)
    if is_tall:
        x = x.T
    x = _rounded(x / _rounded((x * x).sum().sqrt()).clamp(min=eps))
    for _ in range(steps):
        gram = _rounded(x @ x.T)
        polynomial = _rounded(gram * b + gram @ gram * c)
        x = _rounded(x * a + polynomial @ x)
    return x.T if is_tall else x


def _rounded(x):
    return x.bfloat16().float()


def _muon(p, velocity, g, *scalars, nesterov, steps, adjust):
    lr, keep, momentum, a, b, c, eps = scalars
    velocity = velocity + (g - velocity) * (1 - momentum)
    update = g + (velocity - g) * momentum if nesterov else velocity
    rows, columns = p.shape
    if adjust == "match_rms_adamw":
        ratio = 0.2 * max(rows, columns) ** 0.5
    else:
        ratio = max(1.0, rows / columns) ** 0.5
    update = _orthogonal(update, a, b, c, eps, steps).to(p.dtype)
    return p * keep - update * (lr * ratio), velocity


class Muon(FusedOptimizer):
    r"""Muon: steps along a mean of gradients whose singular values are made nearly equal.

    .. math::
        B_t = \mu B_{t-1} + (1 - \mu) g_t, \quad
        \theta_t = (1 - \gamma \lambda) \theta_{t-1} - \gamma' \operatorname{NS}(\tilde B_t)

    where :math:`\tilde B_t = (1 - \mu) g_t + \mu B_t` with `nesterov` and :math:`B_t` without, and
    NS are `ns_steps` iterations :math:`X \leftarrow a X + (b X X^T + c (X X^T)^2) X` in bfloat16.

    Args:
        params: matrices: parameters, named parameters, or dicts that define groups.
        lr: the learning rate :math:`\gamma`, a number or a tensor of one.
        weight_decay: the factor :math:`\lambda`.
        momentum: the factor :math:`\mu`.
        nesterov: look ahead along the momentum.
        ns_coefficients: a, b, c.
        eps: the smallest norm that an update is divided by.
        ns_steps: the number of iterations, below 100.
        adjust_lr_fn: how :math:`\gamma'` depends on the shape (A, B): "original" (the default),
            :math:`\gamma \sqrt{\max(1, A/B)}`, or "match_rms_adamw",
            :math:`0.2 \gamma \sqrt{\max(A, B)}`.

    Raises ValueError for options out of range and for parameters that are no matrices; `step`
    raises RuntimeError for complex parameters.

    From https://kellerjordan.github.io/posts/muon and "Muon is Scalable for LLM Training"
    (arXiv:2502.16982).
    """

    rule = staticmethod(_muon)
    number_names = ()

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.775, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        check_lr(lr, "Learning rate should be >= 0 but is: {}")
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        if ns_steps >= MOST_ITERATIONS:
            raise ValueError("Number of steps must be less than 100 for computational efficiency")
        if len(ns_coefficients) != 3:
            raise ValueError("Coefficients must be a tuple of exactly 3 values")
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with "
                        f"size: {p.size()}"
                    )

    def begin(self, group):
        return ()

    def prepare(self, p, group):
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        return super().prepare(p, group)

    def buffer_names(self, group):
        return ("momentum_buffer",)

    def plan(self, group, numbers, number):
        lr = number(group["lr"])
        keep = 1 - lr * number(group["weight_decay"])
        coefficients = map(number, group["ns_coefficients"])
        scalars = (lr, keep, number(group["momentum"]), *coefficients, number(group["eps"]))
        static = {
            "nesterov": group["nesterov"],
            "steps": group["ns_steps"],
            "adjust": group["adjust_lr_fn"],
        }
        return numbers, scalars, static
