"""Batch and instance normalisation that learn the number of channels from the first input."""

import flambeau

from .batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from .lazy import LazyModuleMixin, UninitializedBuffer, UninitializedParameter

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _LazyNorm(LazyModuleMixin):
    """What all share: `num_features` is the number of channels of the first input."""

    def __init__(
        self,
        eps=1e-05,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__(0, eps, momentum, affine=False, track_running_stats=False)
        self.affine, self.track_running_stats = affine, track_running_stats
        options = {"device": device, "dtype": dtype}
        if affine:
            self.weight = UninitializedParameter(**options)
            if bias:
                self.bias = UninitializedParameter(**options)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**options)
            self.running_var = UninitializedBuffer(**options)
            self.num_batches_tracked = flambeau.tensor(0, dtype=flambeau.int64, device=device)

    def reset_parameters(self):
        """Set weight and bias to ones and zeros and forget the statistics, if they have shapes."""
        if self.num_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Give parameters and statistics the shape for an input."""
        self._check_input_dim(input)
        self.num_features = input.shape[self._channel_dim(input)]
        if not self.has_uninitialized_params():
            return
        for tensor in (self.weight, self.bias, self.running_mean, self.running_var):
            if tensor is not None:
                tensor.materialize((self.num_features,))
        self.reset_parameters()

    def _channel_dim(self, input):
        return 1


class _LazyInstanceNorm(_LazyNorm):
    """`_LazyNorm` of inputs that may lack the batch dim."""

    def _channel_dim(self, input):
        return 0 if input.dim() == self._dims[0] else 1


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """A `BatchNorm1d` whose `num_features` is that of its first input; see `LazyBatchNorm2d`."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """A `BatchNorm2d` whose `num_features` is that of its first input; other arguments are its.

    >>> import flambeau as torch
    >>> layer = torch.nn.LazyBatchNorm2d(affine=False)
    >>> layer(torch.zeros(5, 2, 3, 3)).shape
    torch.Size([5, 2, 3, 3])
    >>> type(layer).__name__, layer.num_features
    ('BatchNorm2d', 2)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """A `BatchNorm3d` whose `num_features` is that of its first input; see `LazyBatchNorm2d`."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyInstanceNorm, InstanceNorm1d):
    """An `InstanceNorm1d` whose `num_features` is that of its first input.

    Unlike that it has parameters and statistics by default.
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyInstanceNorm, InstanceNorm2d):
    """An `InstanceNorm2d` whose `num_features` is that of its first input.

    Unlike that it has parameters and statistics by default.
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyInstanceNorm, InstanceNorm3d):
    """An `InstanceNorm3d` whose `num_features` is that of its first input.

    Unlike that it has parameters and statistics by default.
    """

    cls_to_become = InstanceNorm3d
