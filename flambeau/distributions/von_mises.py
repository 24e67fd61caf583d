"""Von Mises' distribution of angles."""

import math

from ..autograd.modes import no_grad
from ..dtypes import bool_, float64
from ..ops.creation import zeros
from ..ops.elementwise import where
from ..ops.random import rand
from ..ops.special import i0e, i1e
from . import constraints
from .distribution import Distribution
from .utils import broadcast_all

__all__ = ["VonMises"]


class VonMises(Distribution):
    """Von Mises' distribution of angles: the density goes with exp(concentration cos(x - loc)).

    Args: loc: the mean angle, in radians.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        k = self.concentration
        # log I0(k) is log(i0e(k)) + k
        density = k * ((value - self.loc).cos() - 1)
        return density - math.log(2 * math.pi) - i0e(k).log()

    def _proposal(self):
        """The parameter of the wrapped Cauchy distribution that is drawn from, in float64."""
        k = self.concentration.to(float64)
        tau = 1 + (1 + 4 * k.pow(2)).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        exact = (1 + rho.pow(2)) / (2 * rho)
        return where(k < 1e-5, 1 / k + k, exact)  # the second order around 0

    def sample(self, sample_shape=()):
        """Samples by rejection from a wrapped Cauchy distribution (Best and Fisher 1979)."""
        shape = self._extended_shape(sample_shape)
        with no_grad():
            loc, k = self.loc.to(float64), self.concentration.to(float64)
            r = self._proposal()
            angle, done = zeros(shape, dtype=float64), zeros(shape, dtype=bool_)
            while not done.all():
                u1, u2, u3 = rand((3, *shape), dtype=float64).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                angle = where(accept, (u3 - 0.5).sign() * f.acos(), angle)
                done = done | accept
            angle = (angle + math.pi + loc) % (2 * math.pi) - math.pi
        return angle.to(self.loc.dtype)

    @property
    def mean(self):
        """The mean angle."""
        return self.loc

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        """The circular variance, 1 - I1(k) / I0(k)."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)
