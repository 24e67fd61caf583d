"""How gamma and beta numbers move with their shape parameters, at a fixed uniform number.

A sample x of a distribution with distribution function F and density f is a function of the
parameter a if F(x; a) stays what it is: dx/da = -(dF/da) / f (implicit reparameterization, Figurnov
et al. 2018). Here dF/da is an integral of the score over the tail beyond x, on the side away from
the mode, where the density falls off steadily; it is taken over a coordinate in which it falls off
at least exponentially (log x for gamma, logit x for beta), by double exponential quadrature
(Takahasi and Mori 1974), to about ten digits for every parameter.
"""

import numpy as np

__all__ = ["beta_slope", "gamma_slope"]

STEP = 0.1
CHUNK = 4096  # elements at a time; each takes all nodes

# Distances s = exp(u - exp(-u)) and their weights ds/du: they serve every scale of decay.
_u = np.arange(-4, 10, STEP)
NODES = np.exp(_u - np.exp(-_u))
WEIGHTS = NODES * (1 + np.exp(-_u)) * STEP


def _by_chunks(integral):
    """The function of arrays of one shape that takes the integral for each element."""

    def slope(*operands):
        shape = operands[0].shape
        rows = [np.asarray(x, np.float64).reshape(-1, 1) for x in operands]
        result = np.empty(len(rows[0]))
        with np.errstate(all="ignore"):
            for start in range(0, len(result), CHUNK):
                part = slice(start, start + CHUNK)
                result[part] = integral(*(x[part] for x in rows))[:, 0]
        return result.reshape(shape)

    slope.__doc__ = integral.__doc__
    slope.__name__ = integral.__name__.strip("_")
    return slope


def _quadrature(scores, exponents, scale):
    """The integral of scores * exp(exponents) over distances `scale * NODES`, a column."""
    return (scores * np.exp(exponents)) @ WEIGHTS[:, None] * scale


@_by_chunks
def _gamma_slope(alpha, digamma, x):
    """dx/dalpha of standard gamma numbers x of shape parameter alpha; digamma is that of alpha."""
    side = np.where(x > alpha, 1.0, -1.0)
    bend = np.where(x < 1, x, np.sqrt(x))
    below = 1 / (alpha - x + bend)
    above = (1 + np.maximum(-np.log(x), 0)) / (x - alpha + np.maximum(bend, 1))
    scale = np.where(side > 0, above, below)
    moved = side * scale * NODES
    exponents = alpha * moved - x * np.expm1(moved)
    return side * x * _quadrature(np.log(x) - digamma + moved, exponents, scale)


@_by_chunks
def _beta_slope(alpha, beta, bias, x):
    """dx/dalpha of beta numbers x; bias is digamma(alpha) - digamma(alpha + beta)."""
    total = alpha + beta
    # Above the mode look from the other end, so that distances always go down.
    down = x * total <= alpha
    p, a, b = (np.where(down, *pair) for pair in ((x, 1 - x), (alpha, beta), (beta, alpha)))
    variance = total * p * (1 - p)
    scale = 1 / (a - total * p + np.minimum(variance, np.sqrt(variance)))
    moved = scale * NODES
    gone = -np.expm1(-moved)
    # log(1 - p + p exp(-moved)), exactly both for p near 1 and near 0.
    rest = np.where(p * gone < 0.5, np.log1p(-p * gone), np.log(1 - p + p * np.exp(-moved)))
    exponents = -a * moved - (a + b) * rest
    lower = np.log(x) - moved - rest  # log of the point reached
    upper = np.log(x) - rest
    scores = np.where(down, lower, upper) - bias
    side = np.where(down, -1.0, 1.0)
    return side * x * (1 - x) * _quadrature(scores, exponents, scale)


gamma_slope, beta_slope = _gamma_slope, _beta_slope
