"""Gamma and Dirichlet random numbers, with derivatives by their shape parameters.

A sample is a function of the shape parameter at a fixed uniform number (see `flambeau.pathwise`),
and that function's slope is the derivative: gradients flow through the numbers drawn.
"""

import numpy as np

from .. import pathwise, rejection
from ..recorder.handle import intern
from .api import function
from .core import Host, broadcast_shapes, composite, result_dtype
from .from_data import from_array
from .random import _array, _generator
from .special import digamma

__all__ = [
    "dirichlet_grad",
    "sample_dirichlet",
    "standard_gamma",
    "standard_gamma_grad",
]


def _slope_op(name, slope):
    """The op of a slope, itself without a derivative: asked for one it raises RuntimeError."""

    def infer(operands, attrs):
        shape = broadcast_shapes(name, [x.shape for x in operands])
        return intern(shape, result_dtype(operands))

    def run(*arrays):
        kind = np.result_type(*arrays)
        return slope(*np.broadcast_arrays(*arrays)).astype(kind)

    op = Host(name, infer, run)

    @op.vjp
    def _(g, out, *operands):
        raise RuntimeError(f"the derivative for '{name}' is not implemented.")

    return op


_gamma_slope = _slope_op("_standard_gamma_grad", pathwise.gamma_slope)
_dirichlet_slope = _slope_op(
    "_dirichlet_grad",
    lambda x, alpha, total, bias: pathwise.beta_slope(alpha, total - alpha, bias, x) / (1 - x),
)


@function(name="_standard_gamma_grad")
def standard_gamma_grad(self, output):
    """The derivative of the gamma numbers `output` by their shape parameters `self`."""
    wide = self.double()
    return _gamma_slope(wide, digamma(wide), output.double()).to(self.dtype)


@function(name="_dirichlet_grad", methods=False)
def dirichlet_grad(x, alpha, total):
    """The derivative of beta numbers `x` by `alpha`, over 1 - x; `total` is alpha + beta."""
    a, both = alpha.double(), total.double()
    return _dirichlet_slope(x.double(), a, both, digamma(a) - digamma(both)).to(x.dtype)


@composite(name="_standard_gamma")
def _drawn_gamma(alpha, values):
    """The values, which count as a function of the shape parameters."""
    return values.clone()


@_drawn_gamma.vjp
def _(g, out, alpha, values):
    return g * standard_gamma_grad(alpha, out), None


@composite(name="_sample_dirichlet")
def _drawn_dirichlet(alpha, values):
    """The values, which count as a function of the concentrations."""
    return values.clone()


@_drawn_dirichlet.vjp
def _(g, out, alpha, values):
    slope = dirichlet_grad(out, alpha, alpha.sum(-1, True).expand(alpha._meta.shape))
    return slope * (g - (out * g).sum(-1, True)), None


def _draw(input, generator, sample, drawn):
    dtype = input._meta.dtype
    values = from_array(sample(_generator(generator), _array(input), dtype), dtype)
    return drawn(input, values) if input.requires_grad else values


@function(name="_standard_gamma")
def standard_gamma(self, generator=None):
    """Gamma random numbers of rate 1, with the shape parameters in `self`, float32 or float64."""
    return _draw(self, generator, rejection.gamma, _drawn_gamma)


@function(name="_sample_dirichlet", methods=False)
def sample_dirichlet(self, generator=None):
    """Probabilities by Dirichlet's distribution of the concentrations in each row of `self`."""
    return _draw(self, generator, rejection.dirichlet, _drawn_dirichlet)
