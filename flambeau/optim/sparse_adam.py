"""Adam for gradients that are given for some rows of a parameter only."""

import flambeau

from ..ops.update import sync_point
from .checks import check_betas, check_lr
from .optimizer import Optimizer
from .sparse import rows

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    r"""Adam that changes only the rows of parameters and means that a sparse gradient is about.

    Args:
        params: dense, real parameters, named parameters, or dicts that define groups.
        lr: the learning rate, a number or a tensor of one.
        betas: the decay rates of the means of gradients and of their squares.
        eps: added to the denominator for numerical stability.
        maximize: step along the gradient, not against it.

    Raises ValueError for options out of range and for sparse or complex parameters; `step` raises
    RuntimeError for dense gradients.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        check_lr(lr)
        if not lr > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        places = [
            ([i, j], p)
            for i, group in enumerate(self.param_groups)
            for j, p in enumerate(group["params"])
        ]
        if found := [place for place, p in places if p.is_sparse]:
            raise ValueError(
                f"Sparse params at indices {found}: SparseAdam requires dense parameter tensors"
            )
        if found := [place for place, p in places if p.is_complex()]:
            raise ValueError(
                f"Complex params at indices {found}: SparseAdam does not support complex parameters"
            )

    def step(self, closure=None):
        """Update the rows that have gradients; returns what `closure` does, if given."""
        loss = None
        if closure is not None:
            with flambeau.enable_grad():
                loss = closure()
        with flambeau.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._update(group, p, p.grad)
        sync_point()
        return loss

    def _update(self, group, p, g):
        if not g.is_sparse:
            raise RuntimeError(
                "SparseAdam does not support dense gradients, please consider Adam instead"
            )
        state = self.state[p]
        if not state:
            state["step"] = 0
            state["exp_avg"] = flambeau.zeros_like(p)
            state["exp_avg_sq"] = flambeau.zeros_like(p)
        state["step"] += 1
        beta1, beta2 = map(float, group["betas"])
        where, g = rows(-g if group["maximize"] else g)
        m, v = state["exp_avg"][where], state["exp_avg_sq"][where]
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        state["exp_avg"].index_put_(where, m)
        state["exp_avg_sq"].index_put_(where, v)
        bias1, bias2 = 1 - beta1 ** state["step"], 1 - beta2 ** state["step"]
        step_size = float(group["lr"]) * bias2**0.5 / bias1
        p.index_put_(where, -step_size * (m / (v.sqrt() + group["eps"])), accumulate=True)
