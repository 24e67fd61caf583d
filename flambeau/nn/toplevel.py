"""Functions of `nn.functional` that the top level has too, with arguments of its own."""

from . import functional as F

__all__ = [
    "alpha_dropout",
    "alpha_dropout_",
    "batch_norm",
    "ctc_loss",
    "dropout_",
    "embedding",
    "feature_alpha_dropout",
    "feature_alpha_dropout_",
    "group_norm",
    "kl_div",
    "layer_norm",
]

REDUCTIONS = ("none", "mean", "sum")


def batch_norm(
    input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=True
):
    """See `nn.functional.batch_norm`."""
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05, cudnn_enable=True):
    """See `nn.functional.layer_norm`."""
    return F.layer_norm(input, normalized_shape, weight, bias, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05, cudnn_enabled=True):
    """See `nn.functional.group_norm`."""
    return F.group_norm(input, num_groups, weight, bias, eps)


def embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """See `nn.functional.embedding`; a negative `padding_idx` means none."""
    padding = None if padding_idx < 0 else padding_idx
    return F.embedding(indices, weight, padding, None, 2.0, scale_grad_by_freq, sparse)


def alpha_dropout(input, p, train):
    """See `nn.functional.alpha_dropout`."""
    return F.alpha_dropout(input, p, train)


def alpha_dropout_(input, p, train):
    """See `nn.functional.alpha_dropout`; in place."""
    return F.alpha_dropout(input, p, train, inplace=True)


def feature_alpha_dropout(input, p, train):
    """See `nn.functional.feature_alpha_dropout`."""
    return F.feature_alpha_dropout(input, p, train)


def feature_alpha_dropout_(input, p, train):
    """See `nn.functional.feature_alpha_dropout`; in place."""
    return F.feature_alpha_dropout(input, p, train, inplace=True)


def dropout_(input, p, train):
    """See `nn.functional.dropout`; in place."""
    return F.dropout(input, p, train, inplace=True)


def kl_div(input, target, reduction=1, *, log_target=False):
    """See `nn.functional.kl_div`; the reduction is 0, 1 or 2 for "none", "mean" or "sum"."""
    return F.kl_div(input, target, reduction=REDUCTIONS[reduction], log_target=log_target)


def ctc_loss(
    log_probs,
    targets,
    input_lengths,
    target_lengths,
    blank=0,
    reduction=1,
    zero_infinity=False,
):
    """See `nn.functional.ctc_loss`; the reduction is 0, 1 or 2 for "none", "mean" or "sum"."""
    return F.ctc_loss(
        log_probs,
        targets,
        input_lengths,
        target_lengths,
        blank,
        REDUCTIONS[reduction],
        zero_infinity,
    )
