"""Losses on numbers, classes and probabilities as modules: criteria."""

import numbers

from . import functional as F
from .functional.common import legacy_reduction
from .module import Module
from .tree import Held

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class _Loss(Module):
    """What all share: a reduction, "mean", "sum" or "none"."""

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = legacy_reduction(size_average, reduce, reduction)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight, which is a buffer."""

    weight = Held("_buffers")

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


# Numbers.


class L1Loss(_Loss):
    """|input - target|."""

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """(input - target)^2.

    >>> import flambeau as torch
    >>> torch.nn.MSELoss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """d^2 / (2 beta) for distances d below beta, d - beta / 2 above."""

    def __init__(self, size_average=None, reduce=None, reduction="mean", beta=1.0):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """d^2 / 2 for distances d up to delta, delta * (d - delta / 2) above.

    Raises TypeError unless delta is a number.
    """

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction=reduction)
        if not isinstance(delta, numbers.Real):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        self.delta = delta

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.huber_loss(input, target, self.reduction, self.delta)


class PoissonNLLLoss(_Loss):
    """exp(input) - target * input: the likelihood of counts; see `functional.poisson_nll_loss`."""

    def __init__(
        self,
        log_input=True,
        full=False,
        size_average=None,
        eps=1e-08,
        reduce=None,
        reduction="mean",
    ):
        super().__init__(size_average, reduce, reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.poisson_nll_loss(
            *(log_input, target, self.log_input, self.full),
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """(log(var) + (input - target)^2 / var) / 2; see `functional.gaussian_nll_loss`."""

    def __init__(self, *, full=False, eps=1e-06, reduction="mean"):
        super().__init__(reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input, target, var):
        """The loss: a scalar unless the reduction is "none"."""
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


# Classes and probabilities.


class NLLLoss(_WeightedLoss):
    """-weight[target] * input[target], for log-probabilities; see `CrossEntropyLoss`."""

    def __init__(
        self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.nll_loss(
            *(input, target, self.weight),
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CTCLoss(_Loss):
    """The loss of labels without alignment to the inputs; see `functional.ctc_loss`."""

    def __init__(self, blank=0, reduction="mean", zero_infinity=False):
        super().__init__(reduction=reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        """The loss: a scalar unless the reduction is "none"."""
        return F.ctc_loss(
            *(log_probs, targets, input_lengths, target_lengths, self.blank),
            *(self.reduction, self.zero_infinity),
        )


class CrossEntropyLoss(_WeightedLoss):
    """-log(softmax(input)[target]): the loss of unnormalised scores ("logits") of classes.

    Args:
        weight: a factor per class; the mean is then by the weights of the targets.
        ignore_index: targets that do not count.
        label_smoothing: the share of the uniform distribution in the targets.

    >>> import flambeau as torch
    >>> loss = torch.nn.CrossEntropyLoss()
    >>> loss(torch.tensor([[0.0, 0.0]]), torch.tensor([1]))
    tensor(0.6931)
    """

    def __init__(
        self,
        weight=None,
        size_average=None,
        ignore_index=-100,
        reduce=None,
        reduction="mean",
        label_smoothing=0.0,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input, target):
        """The loss of scores (N, C, ...) and class indices (N, ...), or their probabilities."""
        return F.cross_entropy(
            *(input, target, self.weight),
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """-(target * log(input) + (1 - target) * log(1 - input)), for probabilities."""

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """`BCELoss` of sigmoid(input), computed without loss of digits.

    Args:
        pos_weight: factors of the part of the loss where the target is 1; a buffer.
    """

    def __init__(
        self,
        weight=None,
        size_average=None,
        reduce=None,
        reduction="mean",
        pos_weight=None,
    ):
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.binary_cross_entropy_with_logits(
            *(input, target, self.weight),
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class KLDivLoss(_Loss):
    """target * (log(target) - input): the Kullback-Leibler divergence from log-probabilities.

    Args:
        reduction: "batchmean" is the divergence; see `functional.kl_div`.
        log_target: whether the target is log-probabilities too.
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", log_target=False):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
