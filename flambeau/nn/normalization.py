"""Layers that normalise each sample over its last dims, or over groups of its channels."""

import numbers

import flambeau

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .tree import Held

__all__ = ["GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class _Affine(Module):
    """What all share: a weight that starts as ones and a bias that starts as zeros."""

    weight, bias = Held(), Held()

    def _init_affine(self, shape, weight, bias, options):
        for name, wanted in (("weight", weight), ("bias", bias)):
            self.register_parameter(
                name, Parameter(flambeau.empty(shape, **options)) if wanted else None
            )
        self.reset_parameters()

    def reset_parameters(self):
        """Set the weight to ones and the bias to zeros."""
        if self.weight is not None:
            init.ones_(self.weight)
        if getattr(self, "bias", None) is not None:
            init.zeros_(self.bias)


def _as_shape(sizes):
    return (sizes,) if isinstance(sizes, numbers.Integral) else tuple(sizes)


class LayerNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias, over the last dims (arXiv:1607.06450).

    Args:
        normalized_shape: the size of the last dim, or the sizes of the last dims.
        elementwise_affine: whether there are a weight and, with `bias`, a bias of that shape.

    >>> import flambeau as torch
    >>> torch.nn.LayerNorm(2, elementwise_affine=False)(torch.tensor([[1.0, 3.0]]))
    tensor([[-1.0000,  1.0000]])
    """

    def __init__(
        self,
        normalized_shape,
        eps=1e-05,
        elementwise_affine=True,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.normalized_shape, self.eps = _as_shape(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        options = {"device": device, "dtype": dtype}
        self._init_affine(
            self.normalized_shape, elementwise_affine, elementwise_affine and bias, options
        )

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        """The shape and the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """x / sqrt(mean(x * x) + eps) * weight, over the last dims (arXiv:1910.07467).

    Args:
        normalized_shape: the size of the last dim, or the sizes of the last dims.
        eps: by default the distance from 1 to the next number of the input's dtype.
        elementwise_affine: whether there is a weight of that shape.
    """

    def __init__(
        self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None
    ):
        super().__init__()
        self.normalized_shape, self.eps = _as_shape(normalized_shape), eps
        self.elementwise_affine = elementwise_affine
        options = {"device": device, "dtype": dtype}
        weight = flambeau.empty(self.normalized_shape, **options) if elementwise_affine else None
        self.register_parameter("weight", None if weight is None else Parameter(weight))
        self.reset_parameters()

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        """The shape and the options."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(_Affine):
    """(x - mean) / sqrt(var + eps) * weight + bias, over groups of channels (arXiv:1803.08494).

    Args:
        num_groups: the number of groups, which divides num_channels.
        affine: whether there are a weight and, with `bias`, a bias per channel.

    Raises ValueError unless the groups divide the channels.
    """

    def __init__(
        self,
        num_groups,
        num_channels,
        eps=1e-05,
        affine=True,
        device=None,
        dtype=None,
        *,
        bias=True,
    ):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        options = {"device": device, "dtype": dtype}
        self._init_affine(num_channels, affine, affine and bias, options)

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        """The sizes and the options."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of x^2 over `size` neighbouring channels) ** beta."""

    def __init__(self, size, alpha=0.0001, beta=0.75, k=1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        """The options."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
