"""Losses on order and margin: what should score, or lie, above what."""

import flambeau

from ...ops.core import composite
from .activation import stable_softplus
from .common import legacy_reduction, reduce, require_constant, require_reduction
from .distance import distance, pairwise_distance

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


@composite(autocast="float32")
def _hinge_embedding_loss(x, target, margin, *, reduction):
    far = flambeau.where(target != 1, (margin - x).clamp(min=0), 0)
    near = flambeau.where(target != -1, x, 0)
    return reduce(far + near, reduction)


def hinge_embedding_loss(
    input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"
):
    """input where the target is 1, max(0, margin - input) where it is -1.

    Raises ValueError for an unknown reduction, RuntimeError for shapes that do not broadcast.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _hinge_embedding_loss(input, target, margin, reduction=reduction)


@composite(autocast="float32")
def _margin_ranking_loss(x1, x2, target, margin, *, reduction):
    return reduce((margin - target * (x1 - x2)).clamp(min=0), reduction)


def margin_ranking_loss(
    input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"
):
    """max(0, margin - target * (input1 - input2)), for targets 1 (input1 is higher) and -1.

    Raises RuntimeError if the numbers of dims differ, ValueError for an unknown reduction.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return _margin_ranking_loss(input1, input2, target, margin, reduction=reduction)


@composite(autocast="float32")
def _cosine_embedding_loss(x1, x2, target, margin, *, reduction):
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    for x in (x1, x2):
        if x.dim() != target.dim() + 1:
            raise RuntimeError(
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but "
                f"found inputs with sizes {list(x1.shape)} and {list(x2.shape)}."
            )
    squares1, squares2 = (x1 * x1).sum(-1) + 1e-12, (x2 * x2).sum(-1) + 1e-12
    cosine = (x1 * x2).sum(-1) / (squares1 * squares2).sqrt()
    alike = flambeau.where(target == 1, 1 - cosine, 0)
    apart = flambeau.where(target == -1, (cosine - margin).clamp(min=0), 0)
    return reduce(alike + apart, reduction)


def cosine_embedding_loss(
    input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"
):
    """1 - cos where the target is 1, max(0, cos - margin) where it is -1.

    Args:
        input1, input2: of shape (N, D), or (D).
        target: of shape (N), or ().

    Raises RuntimeError if the shapes do not fit.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _cosine_embedding_loss(input1, input2, target, margin, reduction=reduction)


@composite(autocast="float32")
def _triplet_margin_loss(anchor, positive, negative, margin, eps, *, p, swap, reduction):
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and "
            f"negative {negative.dim()}D inputs"
        )
    near = distance(anchor, positive, p, eps)
    far = distance(anchor, negative, p, eps)
    if swap:
        far = far.minimum(distance(positive, negative, p, eps))
    return reduce((margin + near - far).clamp(min=0), reduction)


def triplet_margin_loss(
    anchor,
    positive,
    negative,
    margin=1.0,
    p=2,
    eps=1e-6,
    swap=False,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), with `pairwise_distance` d.

    With `swap`, the distance of positive and negative counts if it is the smaller one. Raises
    ValueError for a margin that is not positive, RuntimeError if the shapes do not fit.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    options = {"p": float(p), "swap": bool(swap), "reduction": reduction}
    return _triplet_margin_loss(anchor, positive, negative, margin, eps, **options)


def triplet_margin_with_distance_loss(
    anchor,
    positive,
    negative,
    *,
    distance_function=None,
    margin=1.0,
    swap=False,
    reduction="mean",
):
    """`triplet_margin_loss` for any function of two tensors that gives their distances."""
    require_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    measure = pairwise_distance if distance_function is None else distance_function
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and "
            f"negative {negative.dim()}D inputs"
        )
    near, far = measure(anchor, positive), measure(anchor, negative)
    if swap:
        far = far.minimum(measure(positive, negative))
    return reduce((margin + near - far).clamp(min=0), reduction)


@composite(autocast="float32")
def _multi_margin_loss(x, target, weight, margin, *, p, reduction):
    samples = x.shape[0] if x.dim() == 2 else 1
    classes = x.shape[-1] if x.dim() else 1
    if target.numel() != samples or target.dim() > 1:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of "
            f"input samples (batch size). Expected target size [{samples}], but got "
            f"{list(target.shape)}. Input has shape {list(x.shape)}."
        )
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    rows, index = x.reshape(samples, classes), target.reshape(samples, 1)
    short = (margin - rows.gather(1, index) + rows).clamp(min=0)
    if p == 2:
        short = short * short
    if weight is not None:
        short = short * weight.index_select(0, index.reshape(-1)).unsqueeze(1)
    others = flambeau.arange(classes, device=x.device) != index
    losses = flambeau.where(others, short, 0).sum(1) / classes
    return reduce(losses.reshape(x.shape[:-1]), reduction)


def multi_margin_loss(
    input,
    target,
    p=1,
    margin=1.0,
    weight=None,
    size_average=None,
    reduce=None,
    reduction="mean",
):
    """sum_{i != target} max(0, margin - input[target] + input[i])^p * weight[target] / C.

    Args:
        input: scores of shape (N, C), or (C).
        target: class indices of shape (N), or ().
        p: 1 or 2.

    Raises ValueError for another p, RuntimeError if the shapes do not fit, IndexError for a class
    out of range.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    require_constant(weight=weight)
    return _multi_margin_loss(input, target, weight, margin, p=int(p), reduction=reduction)


@composite(autocast="float32")
def _multilabel_margin_loss(x, target, *, reduction):
    if x.shape != target.shape or x.dim() > 2:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(x.shape)}"
        )
    if target.dtype != flambeau.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype}")
    classes = x.shape[-1] if x.dim() else 1
    rows, labels = x.reshape(-1, classes), target.reshape(-1, classes)
    # The labels of a sample end before the first -1.
    valid = (labels < 0).to(rows.dtype).cumsum(1) == 0
    index = flambeau.where(valid, labels, 0)
    is_label = flambeau.zeros_like(rows).scatter_add(1, index, valid.to(rows.dtype)) > 0
    short = 1 - rows.gather(1, index).unsqueeze(2) + rows.unsqueeze(1)
    counts = valid.unsqueeze(2) & is_label.logical_not().unsqueeze(1)
    losses = flambeau.where(counts, short.clamp(min=0), 0).sum((1, 2)) / classes
    return reduce(losses.reshape(x.shape[:-1]), reduction)


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """sum over labels y and other classes i of max(0, 1 - input[y] + input[i]) / C.

    Args:
        input: scores of shape (N, C), or (C).
        target: of the same shape: the labels of each sample, then -1.

    Raises RuntimeError if the shapes or dtypes do not fit.
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _multilabel_margin_loss(input, target, reduction=reduction)


@composite(autocast="float32")
def _multilabel_soft_margin_loss(x, target, weight, *, reduction):
    losses = target * stable_softplus(-x) + (1 - target) * stable_softplus(x)
    if weight is not None:
        losses = losses * weight
    return reduce(losses.mean(-1), reduction)


def multilabel_soft_margin_loss(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean over classes of the binary cross entropy of sigmoid(input), times a weight.

    Args:
        input, target: of shape (N, C); targets are 0 or 1.
        weight: of shape (C).
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _multilabel_soft_margin_loss(input, target, weight, reduction=reduction)


@composite(autocast="float32")
def _soft_margin_loss(x, target, *, reduction):
    return reduce(stable_softplus(-target * x), reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * input)), for targets 1 and -1."""
    reduction = legacy_reduction(size_average, reduce, reduction)
    return _soft_margin_loss(input, target, reduction=reduction)
