"""Layers that apply a function to each element, or a softmax along a dim."""

import flambeau

from . import functional as F
from . import init
from .functional.common import warn
from .module import Module
from .parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Inplace(Module):
    """What layers share that may write their result over their input."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace

    def extra_repr(self):
        """Whether it works in place, if it does."""
        return "inplace=True" if self.inplace else ""

    def _describe(self, *names):
        options = [f"{name}={getattr(self, name)}" for name in names]
        return ", ".join(options + ["inplace=True"] * self.inplace)


# Rectifiers.


class ReLU(_Inplace):
    """max(0, x).

    >>> import flambeau as torch
    >>> torch.nn.ReLU()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.relu(input, self.inplace)


class Hardtanh(_Inplace):
    """x cut to [min_val, max_val]. Raises AssertionError unless min_val is below max_val."""

    def __init__(self, min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None):
        super().__init__(inplace)
        if min_value is not None:
            min_val = self._renamed("min_val", min_value)
        if max_value is not None:
            max_val = self._renamed("max_val", max_value)
        if not max_val > min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")
        self.min_val, self.max_val = min_val, max_val

    @staticmethod
    def _renamed(name, value):
        message = f"keyword argument `{name}ue` is deprecated and renamed to `{name}`"
        warn(message, FutureWarning)
        return value

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self):
        """The options."""
        return self._describe("min_val", "max_val")


class ReLU6(Hardtanh):
    """min(max(0, x), 6)."""

    def __init__(self, inplace=False):
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self):
        """Whether it works in place, if it does."""
        return self._describe()


class LeakyReLU(_Inplace):
    """x where positive, negative_slope * x elsewhere."""

    def __init__(self, negative_slope=0.01, inplace=False):
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self):
        """The options."""
        return self._describe("negative_slope")


class PReLU(Module):
    """x where positive, weight * x elsewhere.

    Parameter: `weight` of shape (num_parameters), which is 1 or the number of channels (dim 1),
    and starts as `init`.
    """

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(flambeau.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        """Set the slopes to what they started as."""
        init.constant_(self.weight, self.init)

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.prelu(input, self.weight)

    def extra_repr(self):
        """The number of slopes."""
        return f"num_parameters={self.num_parameters}"


class RReLU(_Inplace):
    """x where positive, a * x elsewhere, with a drawn from [lower, upper] in training.

    In evaluation a is the middle.
    """

    def __init__(self, lower=1.0 / 8, upper=1.0 / 3, inplace=False):
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self):
        """The options."""
        return self._describe("lower", "upper")


class Threshold(_Inplace):
    """x where above the threshold, `value` elsewhere."""

    def __init__(self, threshold, value, inplace=False):
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self):
        """The options."""
        return self._describe("threshold", "value")


# Exponential units.


class ELU(_Inplace):
    """x where positive, alpha * (exp(x) - 1) elsewhere."""

    def __init__(self, alpha=1.0, inplace=False):
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self):
        """The options."""
        return self._describe("alpha")


class CELU(ELU):
    """x where positive, alpha * (exp(x / alpha) - 1) elsewhere."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(_Inplace):
    """scale * ELU(x, alpha) with the constants of self-normalizing networks (arXiv:1706.02515)."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.selu(input, self.inplace)


# Smooth rectifiers.


class GELU(Module):
    """x * Phi(x), with the normal distribution's Phi, or its approximation by "tanh"."""

    def __init__(self, approximate="none"):
        super().__init__()
        self.approximate = approximate

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.gelu(input, self.approximate)

    def extra_repr(self):
        """The approximation."""
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace):
    """x * sigmoid(x), also called swish."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.silu(input, self.inplace)


class Mish(_Inplace):
    """x * tanh(softplus(x))."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.mish(input, self.inplace)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, which is x where beta * x is above the threshold."""

    def __init__(self, beta=1.0, threshold=20.0):
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self):
        """The options."""
        return f"beta={self.beta}, threshold={self.threshold}"


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.logsigmoid(input)


# Sigmoids.


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.tanh(input)


class Hardsigmoid(_Inplace):
    """relu6(x + 3) / 6."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self):
        """Nothing."""
        return ""


class Hardswish(_Inplace):
    """x * relu6(x + 3) / 6."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.hardswish(input, self.inplace)

    def extra_repr(self):
        """Nothing."""
        return ""


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.softsign(input)


# Shrinkage.


class _Shrink(Module):
    def __init__(self, lambd=0.5):
        super().__init__()
        self.lambd = lambd

    def extra_repr(self):
        """The limit."""
        return str(self.lambd)


class Softshrink(_Shrink):
    """x moved towards 0 by lambd, at most to 0."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.softshrink(input, self.lambd)


class Hardshrink(_Shrink):
    """0 where |x| is at most lambd, x elsewhere."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.hardshrink(input, self.lambd)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.tanhshrink(input)


# Along a dim.


class GLU(Module):
    """a * sigmoid(b) for the two halves a and b along a dim."""

    def __init__(self, dim=-1):
        super().__init__()
        self.dim = dim

    def forward(self, input):
        """A tensor with half the size in the dim."""
        return F.glu(input, self.dim)

    def extra_repr(self):
        """The dim."""
        return f"dim={self.dim}"


class _AlongDim(Module):
    def __init__(self, dim=None):
        super().__init__()
        self.dim = dim

    def extra_repr(self):
        """The dim."""
        return f"dim={self.dim}"


class Softmax(_AlongDim):
    """exp(x_i) / sum_j exp(x_j) along a dim."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.softmax(input, self.dim)


class Softmin(_AlongDim):
    """The softmax of -x along a dim."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.softmin(input, self.dim)


class LogSoftmax(_AlongDim):
    """x_i - log(sum_j exp(x_j)) along a dim."""

    def forward(self, input):
        """A tensor of the shape of the input."""
        return F.log_softmax(input, self.dim)


class Softmax2d(Module):
    """The softmax over the channels of (N, C, H, W) or (C, H, W), at each place.

    Raises ValueError for another number of dims.
    """

    def forward(self, input):
        """A tensor of the shape of the input."""
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3)
