"""Losses on numbers: how far predictions are from targets."""

import math

import flambeau

from ... import config
from ...ops.core import composite
from .common import legacy_reduction, narrow, reduce, require_reduction, warn, widen

__all__ = [
    "gaussian_nll_loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def _check_sizes(input, target):
    """Warn of, or in strict mode refuse, a target that does not have the input's shape.

    A column against a vector broadcasts to a matrix, whose mean is a loss of something else.
    """
    if input.shape == target.shape:
        return
    message = (
        f"Using a target size ({target.shape}) that is different to the input size "
        f"({input.shape}). This will likely lead to incorrect results due to broadcasting. Please "
        "ensure they have the same size."
    )
    if config.strict:
        raise ValueError(message)
    warn(message)


def _weighted(losses, input, weight, reduction, by_weight):
    """The reduction of losses times weights; the mean is by the weights' sum or by their number."""
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    losses = losses * weight
    if reduction == "mean" and by_weight:
        return losses.sum() / weight.sum()
    return reduce(losses, reduction)


@composite(autocast="float32")
def _mse_loss(input, target, *, reduction):
    difference = input - target
    wide = widen(difference)
    return narrow(reduce(wide * wide, reduction), difference)


@_mse_loss.vjp
def _(g, out, input, target, *, reduction):
    difference = input - target
    if reduction == "mean":
        g = g / difference.numel()
    slope = 2 * difference * g
    return slope, -slope


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)^2, averaged, summed or as it is.

    Args:
        input, target: of the same shape; others broadcast, with a warning.
        reduction: "mean", "sum" or "none".
        weight: factors of the shape of the input; the mean is then by their sum.

    Raises ValueError for an unknown reduction, RuntimeError for shapes that do not broadcast.

    >>> import flambeau as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    _check_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is None:
        return _mse_loss(input, target, reduction=reduction)
    losses = _mse_loss(input, target, reduction="none")
    return _weighted(losses, input, weight, reduction, by_weight=True)


@composite(autocast="float32")
def _l1_loss(input, target, *, reduction):
    return reduce((input - target).abs(), reduction)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|, averaged, summed or as it is; see `mse_loss`."""
    _check_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if weight is None:
        return _l1_loss(input, target, reduction=reduction)
    losses = _l1_loss(input, target, reduction="none")
    return _weighted(losses, input, weight, reduction, by_weight=True)


@composite(autocast="float32")
def _smooth_l1_loss(input, target, beta, *, reduction):
    difference = input - target
    distance = widen(difference).abs()
    near = 0.5 * distance * distance / beta
    losses = flambeau.where(distance < beta, near, distance - 0.5 * beta)
    return narrow(reduce(losses, reduction), difference)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """d^2 / (2 beta) for distances d below beta, d - beta / 2 above; see `mse_loss`.

    Raises RuntimeError for a negative beta; beta 0 is `l1_loss`.
    """
    _check_sizes(input, target)
    reduction = legacy_reduction(size_average, reduce, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    if beta == 0:
        return _l1_loss(input, target, reduction=reduction)
    return _smooth_l1_loss(input, target, beta, reduction=reduction)


@composite(autocast="float32")
def _huber_loss(input, target, delta, *, reduction):
    difference = input - target
    distance = widen(difference).abs()
    far = delta * (distance - 0.5 * delta)
    losses = flambeau.where(distance <= delta, 0.5 * distance * distance, far)
    return narrow(reduce(losses, reduction), difference)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """d^2 / 2 for distances d up to delta, delta * (d - delta / 2) above; see `mse_loss`.

    Raises RuntimeError for a delta that is not positive.
    """
    _check_sizes(input, target)
    require_reduction(reduction)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is None:
        return _huber_loss(input, target, delta, reduction=reduction)
    losses = _huber_loss(input, target, delta, reduction="none")
    return _weighted(losses, input, weight, reduction, by_weight=False)


@composite(autocast="float32")
def _poisson_nll_loss(input, target, eps, *, log_input, full, reduction):
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        # Stirling's approximation of log(target!), where it is one.
        safe = flambeau.where(target > 1, target, 1)
        stirling = safe * safe.log() - safe + 0.5 * (2 * math.pi * safe).log()
        loss = loss + flambeau.where(target > 1, stirling, 0)
    return reduce(loss, reduction)


def poisson_nll_loss(
    input,
    target,
    log_input=True,
    full=False,
    size_average=None,
    eps=1e-08,
    reduce=None,
    reduction="mean",
):
    """exp(input) - target * input, or with `log_input` False input - target * log(input + eps).

    Args:
        full: add Stirling's approximation of log(target!).
        reduction: "mean", "sum" or "none".

    Raises ValueError for an unknown reduction.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _poisson_nll_loss(
        input, target, eps, log_input=bool(log_input), full=bool(full), reduction=reduction
    )


@composite(autocast="float32")
def _gaussian_nll_loss(input, target, var, eps, *, full, reduction):
    var = var.clamp(min=eps)
    difference = input - target
    loss = 0.5 * (var.log() + difference * difference / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduce(loss, reduction)


@_gaussian_nll_loss.vjp
def _(g, out, input, target, var, eps, *, full, reduction):
    # The gradient of the variance passes the lower limit as if it were not there.
    var = var.clamp(min=eps)
    difference = input - target
    scaled = difference / var
    if reduction == "mean":
        g = g / scaled.numel()
    return scaled * g, -scaled * g, 0.5 * (1 / var - scaled * scaled) * g, None


def gaussian_nll_loss(input, target, var, full=False, eps=1e-06, reduction="mean"):
    """(log(var) + (input - target)^2 / var) / 2, with variances of at least eps.

    Args:
        var: a number, or a tensor of the shape of the input, maybe without its last dim or with
            size 1 there.
        full: add log(2 pi) / 2.
        reduction: "mean", "sum" or "none".

    Raises ValueError for a negative variance, a shape that does not fit, an unknown reduction.
    """
    if not isinstance(var, flambeau.Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = flambeau.full_like(input, var)
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if var.shape == input.shape[:-1]:
            var = var.unsqueeze(-1)
        elif not _broadcasts_once(var.shape, input.shape):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return _gaussian_nll_loss(input, target, var, eps, full=bool(full), reduction=reduction)


def _broadcasts_once(shape, full):
    """Whether a shape is another one with the size 1 in exactly one of its dims."""
    if len(shape) != len(full):
        return False
    return sum(n != m for n, m in zip(shape, full, strict=True)) == 1 and all(
        n in (m, 1) for n, m in zip(shape, full, strict=True)
    )
