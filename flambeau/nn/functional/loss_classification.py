"""Losses on classes and probabilities: cross entropies and divergences."""

import flambeau

from ...ops.composite.softmax import log_softmax_body
from ...ops.core import composite
from .activation import stable_softplus
from .common import (
    legacy_reduction,
    narrow,
    reduce,
    require_constant,
    require_floating,
    require_reduction,
    warn,
    widen,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "nll_loss",
]

# Class indices. The classes are dim 1, or dim 0 of an input without batch.


def _class_dim(x):
    return 0 if x.dim() == 1 else 1


def _check_indices(name, x, target, weight):
    """Raise PyTorch's error where the shape or dtype of scores, class indices or weights is off."""
    if x.dim() == 0:
        raise RuntimeError(f"{name}(): input must have at least 1 dim, the classes, but has none")
    if x.dim() <= 2 and target.dim() > 1:
        raise RuntimeError(
            f"0D or 1D target tensor expected, multi-target not supported; {name}() got input "
            f"{list(x.shape)} and target {list(target.shape)}, expected {list(x.shape[:-1])}"
        )
    if (target.numel() != 1) if x.dim() == 1 else (target.dim() == 0):
        batches = [t.shape[0] if t.dim() else 0 for t in (x, target)]
        raise ValueError(
            f"Expected input batch_size ({batches[0] if x.dim() > 1 else 1}) to match target "
            f"batch_size ({batches[1]}); {name}() got input {list(x.shape)}"
        )
    if x.dim() > 1 and x.shape[0] != target.shape[0]:
        raise ValueError(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size "
            f"({target.shape[0]}); {name}() got input {list(x.shape)}, target {list(target.shape)}"
        )
    expected = [x.shape[0], *x.shape[2:]] if x.dim() > 1 else []
    if x.dim() > 1 and list(target.shape) != expected:
        raise RuntimeError(f"Expected target size {expected}, got {list(target.shape)}")
    if target.dtype not in (flambeau.int64, flambeau.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {target.dtype}; {name}() takes "
            "class indices as target.long()"
        )
    _check_weight(weight, x.shape[_class_dim(x)])


def _check_weight(weight, classes):
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {list(weight.shape)}"
        )


def _along_classes(weight, x):
    """A vector over the classes, shaped to broadcast against `x`."""
    return weight.reshape(-1, *(1,) * (x.dim() - 1 - _class_dim(x)))


def _usable(x, target, weight, ignore_index):
    """Indices that can be looked up, what each counts, which are ignored: the class dim kept."""
    dim = _class_dim(x)
    target = target.reshape(x.shape[:dim] + x.shape[dim + 1 :]).long().unsqueeze(dim)
    ignored = target == ignore_index
    index = flambeau.where(ignored, 0, target)
    if weight is None:
        counts = flambeau.where(ignored, 0.0, 1.0).to(widen(x).dtype)
    else:
        of_index = weight.index_select(0, index.reshape(-1)).reshape(index.shape)
        counts = flambeau.where(ignored, 0, of_index)
    return index, counts, ignored


@composite(autocast="float32")
def _nll_loss(x, target, weight, *, ignore_index, reduction):
    _check_indices("nll_loss", x, target, weight)
    require_floating("nll_loss", x)
    dim = _class_dim(x)
    index, counts, _ = _usable(x, target, weight, ignore_index)
    losses = -(x.gather(dim, index) * counts).squeeze(dim)
    if reduction == "mean":
        return narrow(losses.sum() / counts.sum(), x)
    return narrow(reduce(losses, reduction), x)


@_nll_loss.vjp
def _(g, out, x, target, weight, *, ignore_index, reduction):
    dim = _class_dim(x)
    index, counts, ignored = _usable(x, target, weight, ignore_index)
    # The mean over nothing is NaN, its gradient 0.
    each = flambeau.where(ignored, 0, _spread(g, counts, reduction, dim) * counts)
    return flambeau.zeros_like(x).scatter(dim, index, -each.to(x.dtype)), None, None


def _spread(g, counts, reduction, dim):
    """The gradient of each position's loss, a dim for classes kept."""
    if reduction == "none":
        return g.unsqueeze(dim)
    return g / counts.sum() if reduction == "mean" else g


def nll_loss(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
):
    """-weight[target] * input[target], for log-probabilities; see `cross_entropy`."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    require_constant(weight=weight)
    return _nll_loss(input, target, weight, ignore_index=ignore_index, reduction=reduction)


# Cross entropy is log_softmax and nll_loss in one, so that the gradient is a difference of
# probabilities. Smoothing by s makes the target (1 - s) * target + s / classes.


@composite(autocast="float32")
def _cross_entropy(x, target, weight, smoothing, *, ignore_index, reduction, smooth):
    _check_indices("cross_entropy", x, target, weight)
    require_floating("cross_entropy", x)
    dim = _class_dim(x)
    index, counts, ignored = _usable(x, target, weight, ignore_index)
    logs = log_softmax_body(x, dim)
    losses = -logs.gather(dim, index) * counts
    if smooth:
        scores = logs if weight is None else logs * _along_classes(weight, x)
        uniform = -scores.sum(dim, keepdim=True)
        uniform = flambeau.where(ignored, 0, uniform)
        losses = (1 - smoothing) * losses + smoothing / x.shape[dim] * uniform
    if reduction == "mean":
        return narrow(losses.sum() / counts.sum(), x)
    return narrow(reduce(losses.squeeze(dim), reduction), x)


@_cross_entropy.vjp
def _(g, out, x, target, weight, smoothing, *, ignore_index, reduction, smooth):
    dim = _class_dim(x)
    classes = x.shape[dim]
    index, counts, ignored = _usable(x, target, weight, ignore_index)
    probabilities = log_softmax_body(x, dim).exp()
    places = _along_classes(flambeau.arange(classes, device=x.device), x)
    hit = flambeau.where(places == index, 1.0, 0.0).to(probabilities.dtype)
    slope = (probabilities - hit) * counts
    if smooth:
        if weight is None:
            uniform = classes * probabilities - 1
        else:
            uniform = weight.sum() * probabilities - _along_classes(weight, x)
        slope = (1 - smoothing) * slope + smoothing / classes * uniform
    slope = slope * _spread(widen(g), counts, reduction, dim)
    return flambeau.where(ignored, 0, slope), None, None, None


@composite(autocast="float32")
def _soft_cross_entropy(x, target, weight, smoothing, *, reduction, smooth):
    require_floating("cross_entropy", x)
    dim = _class_dim(x)
    _check_weight(weight, x.shape[dim])
    losses = -(log_softmax_body(x, dim) * _soft_target(x, target, weight, smoothing, smooth))
    if reduction == "none":
        return narrow(losses.sum(dim), x)
    total = losses.sum()
    return narrow(total * _per_position(x, dim) if reduction == "mean" else total, x)


def _per_position(x, dim):
    """1 / (number of positions), or 1 / 0 for none, as the mean over nothing has it."""
    positions = x.numel() // x.shape[dim] if x.shape[dim] else 0
    return 1 / positions if positions else float("nan")


def _soft_target(x, target, weight, smoothing, smooth):
    """The probabilities asked for, smoothed, times the weights of the classes."""
    if smooth:
        target = target * (1 - smoothing) + smoothing / x.shape[_class_dim(x)]
    return target if weight is None else target * _along_classes(weight, x)


@_soft_cross_entropy.vjp
def _(g, out, x, target, weight, smoothing, *, reduction, smooth):
    dim = _class_dim(x)
    logs = log_softmax_body(x, dim)
    wanted = _soft_target(x, target, weight, smoothing, smooth)
    g = widen(g)
    if reduction == "none":
        g = g.unsqueeze(dim)
    elif reduction == "mean":
        g = g * _per_position(x, dim)
    slope = (logs.exp() * wanted.sum(dim, keepdim=True) - wanted) * g
    to_target = -logs * g
    if weight is not None:
        to_target = to_target * _along_classes(weight, x)
    return slope, to_target * (1 - smoothing), None, None


def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """-log(softmax(input)[target]): the loss of unnormalised scores ("logits") of classes.

    Args:
        input: of shape (N, C), (N, C, d1, ...) or (C).
        target: class indices of shape (N), (N, d1, ...) or (), or probabilities of the shape of
            the input.
        weight: of shape (C), a factor per class; the mean is then by the weights of the targets.
        ignore_index: targets that do not count.
        reduction: "mean", "sum" or "none".
        label_smoothing: the share of the uniform distribution in the targets, in [0, 1].

    Raises ValueError if the batches differ, RuntimeError for other shapes or dtypes that do not
    fit, IndexError for a class out of range.

    >>> import flambeau as torch
    >>> torch.nn.functional.cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    tensor(0.6931)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    require_constant(weight=weight)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if input.shape != target.shape:
        return _cross_entropy(
            *(input, target, weight, label_smoothing),
            ignore_index=ignore_index,
            reduction=reduction,
            smooth=label_smoothing > 0,
        )
    if not target.dtype.is_floating_point:
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype}; class indices would have shape {list(input.shape[:1])}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    return _soft_cross_entropy(
        *(input, target, weight, label_smoothing),
        reduction=reduction,
        smooth=label_smoothing > 0,
    )


# Probabilities of yes or no.


@composite(autocast="float32")
def _binary_cross_entropy(x, target, weight, *, reduction):
    require_floating("binary_cross_entropy", x)
    if target.dtype != x.dtype:
        raise RuntimeError(
            f"Found dtype {target.dtype} but expected {x.dtype}: binary_cross_entropy() takes a "
            "target of the input's dtype"
        )
    yes, no = _bounded_logs(x)
    losses = -(target * yes + (1 - target) * no)
    return reduce(losses if weight is None else losses * weight, reduction)


def _bounded_logs(x):
    """log(x) and log(1 - x), at least -100 so that their products with 0 are 0."""
    return x.log().clamp(min=-100), (-x).log1p().clamp(min=-100)


@_binary_cross_entropy.vjp
def _(g, out, x, target, weight, *, reduction):
    if weight is not None:
        g = g * weight
    if reduction == "mean":
        g = g / x.numel()
    yes, no = _bounded_logs(x)
    return (x - target) / (x * (1 - x)).clamp(min=1e-12) * g, (no - yes) * g, None


def binary_cross_entropy(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """-(target * log(input) + (1 - target) * log(1 - input)), for probabilities.

    Logarithms are cut at -100. An input outside [0, 1] gives NaN.

    Args:
        input, target: of the same shape and dtype.
        weight: factors that broadcast to this shape.
        reduction: "mean", "sum" or "none".

    Raises ValueError if the shapes differ.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    require_constant(weight=weight)
    if input.shape != target.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    return _binary_cross_entropy(input, target, weight, reduction=reduction)


@composite(autocast="float32")
def _binary_cross_entropy_with_logits(x, target, weight, pos_weight, *, reduction):
    require_floating("binary_cross_entropy_with_logits", x)
    if not target.dtype.is_floating_point:
        raise RuntimeError(
            f"result type {x.dtype} can't be cast to the desired output type {target.dtype}: "
            "binary_cross_entropy_with_logits() takes a floating-point target, as target.float()"
        )
    softplus = stable_softplus(-x)
    if pos_weight is not None:
        softplus = softplus * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * x + softplus
    return reduce(losses if weight is None else losses * weight, reduction)


@_binary_cross_entropy_with_logits.vjp
def _(g, out, x, target, weight, pos_weight, *, reduction):
    if weight is not None:
        g = g * weight
    if reduction == "mean":
        g = g / x.numel()
    if pos_weight is None:
        return (x.sigmoid() - target) * g, -x * g, None, None
    factor = (pos_weight - 1) * target + 1
    slope = 1 - target - factor * (-x).sigmoid()
    return slope * g, ((pos_weight - 1) * stable_softplus(-x) - x) * g, None, None


def binary_cross_entropy_with_logits(
    input,
    target,
    weight=None,
    size_average=None,
    reduce=None,
    reduction="mean",
    pos_weight=None,
):
    """`binary_cross_entropy` of sigmoid(input), computed without loss of digits.

    Args:
        input, target: of the same shape.
        weight: factors that broadcast to this shape.
        reduction: "mean", "sum" or "none".
        pos_weight: factors of the part of the loss where the target is 1.

    Raises ValueError if the shapes differ.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    require_constant(weight=weight, pos_weight=pos_weight)
    if input.shape != target.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    return _binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction=reduction)


@composite(autocast="float32")
def _kl_div(x, target, *, log_target, reduction):
    for tensor in (x, target):
        if not tensor.dtype.is_floating_point:
            raise RuntimeError(f"kl_div: Integral inputs not supported, got {tensor.dtype}.")
    if log_target:
        losses = target.exp() * (target - x)
    else:
        losses = target.xlogy(target) - target * x
    if reduction == "batchmean":
        return losses.sum() / x.shape[0] if x.dim() else losses.sum()
    return reduce(losses, reduction)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target * (log(target) - input): the Kullback-Leibler divergence from log-probabilities.

    Args:
        log_target: whether the target is log-probabilities too.
        reduction: "batchmean" (the divergence, by batch), "sum", "none", or "mean", which is by
            element and of which a warning tells.

    Raises ValueError for another reduction, RuntimeError for integers.
    """
    if size_average is not None or reduce is not None:
        reduction = legacy_reduction(size_average, reduce, reduction)
    elif reduction == "mean":
        warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release."
        )
    if reduction != "batchmean":
        require_reduction(reduction)
    return _kl_div(input, target, log_target=bool(log_target), reduction=reduction)
