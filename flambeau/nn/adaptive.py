"""Losses with their own last layer, for very many classes."""

import math
from collections import namedtuple
from itertools import pairwise

import flambeau

from . import functional as F
from .containers import ModuleList, Sequential
from .linear import Linear
from .loss import _WeightedLoss
from .module import Module

__all__ = [
    "AdaptiveLogSoftmaxWithLoss",
    "LinearCrossEntropyLoss",
    "LinearCrossEntropyOptions",
]

_Result = namedtuple("ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """A softmax over classes in clusters: rare classes share small layers (arXiv:1609.04309).

    The `head` scores the frequent classes and one entry per cluster; `tail[i]` scores the classes
    of cluster i from a projection to in_features / div_value^(i + 1) features.

    Args:
        in_features: the size of the input.
        n_classes: the number of classes, sorted from frequent to rare.
        cutoffs: where the clusters begin.
        head_bias: whether the head has a bias.

    Raises ValueError unless the cutoffs are increasing and between 1 and n_classes - 1.
    """

    def __init__(
        self,
        in_features,
        n_classes,
        cutoffs,
        div_value=4.0,
        head_bias=False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        increasing = all(a < b for a, b in pairwise((0, *cutoffs, n_classes)))
        if not increasing or any(int(c) != c for c in cutoffs):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                "order, where each value is between 1 and n_classes-1"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        options = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            size = int(in_features // div_value ** (i + 1))
            projection = Linear(in_features, size, bias=False, **options)
            scores = Linear(size, high - low, bias=False, **options)
            self.tail.append(Sequential(projection, scores))

    def reset_parameters(self):
        """Draw all weights anew."""
        self.head.reset_parameters()
        for projection, scores in self.tail:
            projection.reset_parameters()
            scores.reset_parameters()

    def forward(self, input_, target_):
        """(the log-probability of each target; their negative mean, which is the loss).

        Args: inputs of shape (N, in_features) and class indices (N), or one sample without N.

        Raises RuntimeError for other shapes, or a class out of range.
        """
        self._check(input_, target_)
        single = target_.dim() == 0
        input = input_.unsqueeze(0) if single else input_
        target = target_.unsqueeze(0) if single else target_
        starts = flambeau.tensor(self.cutoffs[:-1], device=target.device)
        cluster = (target.unsqueeze(1) >= starts).sum(1)  # 0 is the shortlist
        entry = flambeau.where(cluster == 0, target, self.shortlist_size + cluster - 1)
        output = F.log_softmax(self.head(input), 1).gather(1, entry.unsqueeze(1)).squeeze(1)
        for i, start in enumerate(self.cutoffs[:-1]):
            rows = (cluster == i + 1).nonzero().squeeze(1)
            if rows.numel():
                scores = F.log_softmax(self.tail[i](input.index_select(0, rows)), 1)
                place = (target.index_select(0, rows) - start).unsqueeze(1)
                output = output.index_add(0, rows, scores.gather(1, place).squeeze(1))
        loss = -output.mean()
        return _Result(output.squeeze(0) if single else output, loss)

    def _check(self, input, target):
        if target.dim() > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target.dim() == 1 and input.shape[0] != target.shape[0]:
            raise RuntimeError("Input and target should have the same size in the batch dimension.")
        if input.dim() != target.dim() + 1:
            raise RuntimeError(
                f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but "
                f"found inputs with size {input.shape}"
            )
        if bool(((target < 0) | (target >= self.n_classes)).any()):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )

    def log_prob(self, input):
        """The log-probabilities of all classes, of shape (N, n_classes)."""
        head = F.log_softmax(self.head(input), 1)
        parts = [head[:, : self.shortlist_size]]
        for i, scores in enumerate(self.tail):
            cluster = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(scores(input), 1) + cluster)
        return flambeau.cat(parts, 1)

    def predict(self, input):
        """The most probable class of each sample, of shape (N)."""
        return self.log_prob(input).argmax(1)


_OPTIONS = {
    "allow_retain_graph": False,
    "batch_chunk_size": None,
    "chunking_method": "auto",
    "acc_policy": "auto",
    "acc_dtype": None,
}


class LinearCrossEntropyOptions(
    namedtuple("LinearCrossEntropyOptions", _OPTIONS, defaults=_OPTIONS.values())
):
    """How PyTorch would cut up the scores of `LinearCrossEntropyLoss` in memory.

    Accepted, and of no effect: memory is planned for the program as a whole.
    """

    __slots__ = ()


class LinearCrossEntropyLoss(_WeightedLoss):
    """A linear layer without activation, and the cross entropy of what it scores.

    Args:
        in_features, num_classes: the sizes of the layer `linear`.
        out_features: further dims, each place of which is a choice among the classes.
        bias: whether the layer has one.
        weight, reduction, ignore_index, label_smoothing: as for `CrossEntropyLoss`.
        options: `LinearCrossEntropyOptions`, of no effect.

    Raises RuntimeError for a weight of another shape or a smoothing outside [0, 1].
    """

    def __init__(
        self,
        in_features,
        num_classes,
        *,
        out_features=(),
        bias=False,
        device=None,
        dtype=None,
        reduction="mean",
        weight=None,
        ignore_index=None,
        label_smoothing=0.0,
        options=None,
    ):
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise RuntimeError(
                f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}"
            )
        if not 0.0 <= label_smoothing <= 1.0:
            raise RuntimeError(
                f"expected label_smoothing to be in range [0, 1], got {label_smoothing}"
            )
        super().__init__(weight, reduction=reduction)
        self.num_classes, self.out_features = num_classes, out_features
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.options = options
        size = math.prod((num_classes, *out_features))
        self.linear = Linear(in_features, size, bias=bias, device=device, dtype=dtype)

    def forward(self, input, target):
        """The loss: a scalar unless the reduction is "none"."""
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(
            *(input, self.linear.weight.reshape(*shape, -1), target),
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
        )

    def extra_repr(self):
        """The sizes and the options."""
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, "
            f"reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
