"""Branches and loops as functions: `cond` and `while_loop`, which run as Python does."""

from .recorder.handle import Tensor

__all__ = ["cond", "while_loop"]


def _require(name, functions, operands):
    for called, f in functions.items():
        if not callable(f):
            raise RuntimeError(f"{name}: expected {called} to be callable, but got {f!r}")
    if not isinstance(operands, (tuple, list)):
        raise RuntimeError(f"{name}: expected the operands to be a tuple, but got {operands!r}")


def cond(pred, true_fn, false_fn, operands=()):
    """true_fn(*operands) if `pred`, a bool or a tensor of one element, is true, else false_fn.

    Raises RuntimeError for another `pred`, functions that are none, and operands that are no tuple.

    >>> import flambeau as torch
    >>> x = torch.tensor([1.0, 2.0])
    >>> torch.cond(x.sum() > 0, torch.neg, torch.abs, (x,))
    tensor([-1., -2.])
    """
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not isinstance(pred, (bool, int, float, Tensor)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    _require("cond", {"true_fn": true_fn, "false_fn": false_fn}, operands)
    return true_fn(*operands) if bool(pred) else false_fn(*operands)


def while_loop(cond_fn, body_fn, carried_inputs):
    """body_fn applied to its own results as long as cond_fn of them is true; the last of them.

    Args: carried_inputs: the tuple that it starts with; body_fn returns one like it.

    Raises RuntimeError for functions that are none, inputs that are no tuple, and a condition
    that is neither a bool nor a tensor of one element.

    >>> import flambeau as torch
    >>> torch.while_loop(lambda n, x: n < 3, lambda n, x: (n + 1, 2 * x), (torch.tensor(0), 1.0))
    (tensor(3), 8.0)
    """
    _require("while_loop", {"cond_fn": cond_fn, "body_fn": body_fn}, carried_inputs)
    carried = tuple(carried_inputs)
    while _holds(cond_fn(*carried)):
        result = body_fn(*carried)
        carried = tuple(result) if isinstance(result, (tuple, list)) else (result,)
        if len(carried) != len(carried_inputs):
            raise RuntimeError(
                f"body_fn should return {len(carried_inputs)} values, as many as carried_inputs, "
                f"but returned {len(carried)}"
            )
    return carried


def _holds(condition):
    if isinstance(condition, Tensor) and condition.numel() != 1:
        raise RuntimeError(
            f"cond_fn must return a boolean scalar tensor or a boolean but got {condition}"
        )
    return bool(condition)
