"""Layers that normalise each channel over the batch, or over each sample by itself."""

import flambeau

from . import functional as F
from . import init
from .functional.common import warn
from .module import Module
from .parameter import Parameter
from .tree import Held

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
]


class _NormBase(Module):
    """What all share: weight and bias, and running statistics as buffers."""

    _version = 2
    weight, bias = Held(), Held()
    running_mean, running_var = Held("_buffers"), Held("_buffers")
    num_batches_tracked = Held("_buffers")

    def __init__(
        self,
        num_features,
        eps=1e-05,
        momentum=0.1,
        affine=True,
        track_running_stats=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        options = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            vector = Parameter(flambeau.empty(num_features, **options)) if wanted else None
            self.register_parameter(name, vector)
        if track_running_stats:
            self.register_buffer("running_mean", flambeau.zeros(num_features, **options))
            self.register_buffer("running_var", flambeau.ones(num_features, **options))
            count = flambeau.tensor(0, dtype=flambeau.int64, device=device)
            self.register_buffer("num_batches_tracked", count)
        else:
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                self.register_buffer(name, None)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forget the statistics seen so far."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Set the weight to ones and the bias to zeros, and forget the statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def extra_repr(self):
        """The size and the options."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _check_input_dim(self, input):
        if input.dim() not in self._dims:
            expected = " or ".join(f"{n}D" for n in self._dims)
            raise ValueError(f"expected {expected} input (got {input.dim()}D input)")

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        # States of version 1 have no number of batches.
        key = prefix + "num_batches_tracked"
        old = (local_metadata.get("version") or 1) < 2
        if old and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(
            *(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys),
            error_msgs,
        )


class _BatchNorm(_NormBase):
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of the batch in training.

    In evaluation, and only if tracked, the running statistics are used: averages that move by
    `momentum`, or plain averages over all batches if `momentum` is None.
    """

    def forward(self, input):
        """A tensor of the shape of the input."""
        self._check_input_dim(input)
        mean, var = self.running_mean, self.running_var
        if not self.training:
            use_batch = mean is None and var is None
            return F.batch_norm(input, mean, var, self.weight, self.bias, use_batch, 0.0, self.eps)
        momentum = self.momentum
        if self.track_running_stats:
            if self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
                if momentum is None:
                    momentum = 1.0 / self.num_batches_tracked.to(flambeau.float32)
        else:
            mean = var = None
        return F.batch_norm(
            *(input, mean, var, self.weight, self.bias, True),
            *(0.0 if momentum is None else momentum, self.eps),
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L); see `functional.batch_norm`.

    >>> import flambeau as torch
    >>> torch.nn.BatchNorm1d(2, affine=False)(torch.tensor([[1.0, 5.0], [3.0, 9.0]]))
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    """

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of (N, C, H, W); see `functional.batch_norm`."""

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (N, C, D, H, W); see `functional.batch_norm`."""

    _dims = (5,)


class _InstanceNorm(_NormBase):
    """`_BatchNorm` of each sample by itself, by default without parameters and statistics."""

    def __init__(
        self,
        num_features,
        eps=1e-05,
        momentum=0.1,
        affine=False,
        track_running_stats=False,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input):
        """A tensor of the shape of the input, which may lack the batch dim."""
        self._check_input_dim(input)
        single = input.dim() == self._dims[0]
        channels = input.shape[0 if single else 1]
        if channels != self.num_features:
            self._refuse_channels(channels, 0 if single else 1)
        out = F.instance_norm(
            *(input.unsqueeze(0) if single else input, self.running_mean, self.running_var),
            *(self.weight, self.bias, self.training or not self.track_running_stats),
            *(0.0 if self.momentum is None else self.momentum, self.eps),
        )
        return out.squeeze(0) if single else out

    def _refuse_channels(self, channels, dim):
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features ({self.num_features}), "
                f"but got: {channels}."
            )
        warn(
            f"input's size at dim={dim} does not match num_features. You can silence this warning "
            "by not passing in num_features, which is not used because affine=False"
        )


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L); see `functional.instance_norm`."""

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W); see `functional.instance_norm`."""

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W)."""

    _dims = (4, 5)
