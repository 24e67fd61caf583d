"""Limited-memory BFGS."""

import flambeau

from ..ops.update import sync_point
from .checks import check_lr
from .line_search import strong_wolfe
from .optimizer import Optimizer

__all__ = ["LBFGS"]

LEAST_CURVATURE = 1e-10


class LBFGS(Optimizer):
    r"""L-BFGS: Newton steps with curvature estimated from the last gradients.

    A step iterates :math:`\theta \leftarrow \theta - t H g`, where :math:`H` is built from the
    last `history_size` changes of parameters and gradient by the two-loop recursion.

    Args:
        params: parameters; one group only.
        lr: the length :math:`t` of an iteration, or the first that a line search tries.
        max_iter: the most iterations in a step.
        max_eval: the most evaluations of the closure in a step; `max_iter * 5 // 4` by default.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when the loss or the parameters change less.
        history_size: how many changes to remember.
        line_search_fn: None or "strong_wolfe".

    Raises ValueError for a negative `lr` or several groups; `step` raises RuntimeError for an
    unknown line search.

    From Nocedal and Wright, "Numerical Optimization", chapter 7.

    >>> import flambeau as torch
    >>> w = torch.tensor([3.0, -1.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> print(optimizer.step(closure).item(), [round(x, 3) for x in w.tolist()])
    8.0 [1.0, 1.0]
    """

    def __init__(
        self,
        params,
        lr=1,
        max_iter=20,
        max_eval=None,
        tolerance_grad=1e-7,
        tolerance_change=1e-9,
        history_size=100,
        line_search_fn=None,
    ):
        check_lr(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def __setstate__(self, state):
        super().__setstate__(state)
        self._params = self.param_groups[0]["params"]

    def step(self, closure):
        """Minimise from here; returns the loss that `closure` gave first.

        closure: a function that clears the gradients, computes the loss, calls `backward` and
            returns the loss.
        """

        def evaluate():
            with flambeau.enable_grad():
                return closure()

        with flambeau.no_grad():
            result = self._minimize(evaluate)
        sync_point()
        return result

    # Lengths, dot products and factors are Python numbers: so they are run-time scalars of the
    # programs that use them, and an iteration needs the same few programs however long the history.

    def _minimize(self, evaluate):
        (group,) = self.param_groups
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        result = evaluate()
        evals = 1
        state["func_evals"] += 1
        loss, gradient = float(result), self._gradient()
        if _largest(gradient) <= group["tolerance_grad"]:
            return result
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction, length = self._direction(state, group, gradient)
            previous = loss
            state.update(d=direction, t=length, prev_flat_grad=gradient, prev_loss=loss)
            slope = float(gradient.dot(direction))
            if slope > -group["tolerance_change"]:
                break
            is_last, used = iteration == group["max_iter"], 0
            if group["line_search_fn"] is not None:
                here = (loss, gradient, slope, group["max_eval"] - evals)
                found = self._search(evaluate, group, direction, length, here)
                loss, gradient, length, used = found
            else:
                self._move(direction, length)
                if not is_last:
                    loss, gradient, used = float(evaluate()), self._gradient(), 1
            state["t"] = length
            evals += used
            state["func_evals"] += used
            if (
                is_last
                or evals >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(direction) * length <= group["tolerance_change"]
                or abs(loss - previous) < group["tolerance_change"]
            ):
                break
        return result

    def _direction(self, state, group, gradient):
        """(the direction to go, the length to try) of an iteration; updates the history."""
        lr = float(group["lr"])
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
            size = float(gradient.abs().sum())
            return gradient.neg(), lr if size <= 1.0 else lr / size
        changes, moves, factors = state["old_dirs"], state["old_stps"], state["ro"]
        change = gradient - state["prev_flat_grad"]
        move = state["d"] * float(state["t"])
        curvature = float(change.dot(move))
        if curvature > LEAST_CURVATURE:
            if len(changes) == group["history_size"]:
                for history in (changes, moves, factors):
                    history.pop(0)
            changes.append(change)
            moves.append(move)
            factors.append(1.0 / curvature)
            state["H_diag"] = curvature / float(change.dot(change))
        weights = state["al"] = [None] * group["history_size"]
        q = gradient.neg()
        for i in range(len(changes) - 1, -1, -1):
            weights[i] = float(moves[i].dot(q)) * float(factors[i])
            q = q - changes[i] * weights[i]
        direction = q * float(state["H_diag"])
        for i, move in enumerate(moves):
            share = float(changes[i].dot(direction)) * float(factors[i])
            direction = direction + move * (weights[i] - share)
        return direction, lr

    def _search(self, evaluate, group, direction, length, here):
        if group["line_search_fn"] != "strong_wolfe":
            raise RuntimeError("only 'strong_wolfe' is supported")
        origin = [p.clone() for p in self._params]

        def at(length):
            self._move(direction, length)
            loss, gradient = float(evaluate()), self._gradient()
            for p, start in zip(self._params, origin, strict=True):
                p.copy_(start)
            return loss, gradient

        loss, gradient, length, used = strong_wolfe(at, length, direction, *here)
        self._move(direction, length)
        return loss, gradient, length, used

    def _gradient(self):
        """The gradients of all parameters in one vector; zeros where there is none."""
        parts = []
        for p in self._params:
            if p.grad is None:
                part = p.new_zeros(p.shape)
            else:
                part = p.grad.to_dense() if p.grad.is_sparse else p.grad
            parts.append((flambeau.view_as_real(part) if p.is_complex() else part).reshape(-1))
        return flambeau.cat(parts, 0)

    def _move(self, direction, length):
        """Go a length along a direction, one vector for all parameters."""
        start = 0
        for p in self._params:
            target = flambeau.view_as_real(p) if p.is_complex() else p
            count = target.numel()
            target.add_(direction[start : start + count].view_as(target) * length)
            start += count


def _largest(vector):
    """The largest size of an element."""
    return float(vector.abs().max())
