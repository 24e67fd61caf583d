"""Layers that multiply with weights, and the layer that does nothing."""

import math

import flambeau

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter
from .tree import Held

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Returns its input. Takes any arguments, so that it can stand in for any layer."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, input):
        """The input."""
        return input


class Linear(Module):
    """input @ weight.T + bias, for inputs of shape (*, in_features).

    Parameters: `weight` of shape (out_features, in_features) and `bias` of shape (out_features),
    drawn uniformly from +-1 / sqrt(in_features).

    >>> import flambeau as torch
    >>> layer = torch.nn.Linear(20, 30)
    >>> layer(torch.zeros(128, 20)).shape
    torch.Size([128, 30])
    """

    weight, bias = Held(), Held()

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        options = {"device": device, "dtype": dtype}
        self.weight = Parameter(flambeau.empty(out_features, in_features, **options))
        if bias:
            self.bias = Parameter(flambeau.empty(out_features, **options))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        """A tensor of shape (*, out_features)."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self):
        """The sizes."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """sum_ij input1_i * weight_oij * input2_j + bias_o, for inputs of shapes (*, in) .

    Parameters: `weight` of shape (out_features, in1_features, in2_features) and `bias` of shape
    (out_features), drawn uniformly from +-1 / sqrt(in1_features). Raises ValueError unless
    in1_features is positive.
    """

    weight, bias = Held(), Held()

    def __init__(
        self, in1_features, in2_features, out_features, bias=True, device=None, dtype=None
    ):
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        options = {"device": device, "dtype": dtype}
        self.weight = Parameter(flambeau.empty(out_features, in1_features, in2_features, **options))
        if bias:
            self.bias = Parameter(flambeau.empty(out_features, **options))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias anew."""
        bound = 1 / math.sqrt(self.weight.shape[1])
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1, input2):
        """A tensor of shape (*, out_features)."""
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self):
        """The sizes."""
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
