"""`flambeau.special`: special functions, by the names that SciPy gave them."""

from .ops import bessel as _bessel
from .ops import special as _special
from .ops.api import FUNCTIONS, strict, takes_out
from .ops.polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]

digamma = psi = FUNCTIONS["digamma"]
erf = FUNCTIONS["erf"]
erfc = FUNCTIONS["erfc"]
erfinv = FUNCTIONS["erfinv"]
exp2 = FUNCTIONS["exp2"]
expit = FUNCTIONS["sigmoid"]
expm1 = FUNCTIONS["expm1"]
gammainc = FUNCTIONS["igamma"]
gammaincc = FUNCTIONS["igammac"]
gammaln = FUNCTIONS["lgamma"]
i0 = FUNCTIONS["i0"]
log1p = FUNCTIONS["log1p"]
logit = FUNCTIONS["logit"]
logsumexp = FUNCTIONS["logsumexp"]
multigammaln = FUNCTIONS["mvlgamma"]
polygamma = FUNCTIONS["polygamma"]
round = FUNCTIONS["round"]
sinc = FUNCTIONS["sinc"]
xlogy = FUNCTIONS["xlogy"]

entr = takes_out(_special.entr)
erfcx = takes_out(_special.erfcx)
i0e = takes_out(_special.i0e)
i1 = takes_out(_special.i1)
i1e = takes_out(_special.i1e)
log_ndtr = takes_out(_special.log_ndtr)
ndtr = takes_out(_special.ndtr)
ndtri = takes_out(_special.ndtri)
xlog1py = strict(_special.xlog1py, "special_xlog1py", 0)
zeta = strict(_special.zeta, "special_zeta", 0)

airy_ai = takes_out(_bessel.airy_ai)
bessel_j0 = takes_out(_bessel.bessel_j0)
bessel_j1 = takes_out(_bessel.bessel_j1)
bessel_y0 = takes_out(_bessel.bessel_y0)
bessel_y1 = takes_out(_bessel.bessel_y1)
modified_bessel_i0 = takes_out(_bessel.modified_bessel_i0)
modified_bessel_i1 = takes_out(_bessel.modified_bessel_i1)
modified_bessel_k0 = takes_out(_bessel.modified_bessel_k0)
modified_bessel_k1 = takes_out(_bessel.modified_bessel_k1)
scaled_modified_bessel_k0 = takes_out(_bessel.scaled_modified_bessel_k0)
scaled_modified_bessel_k1 = takes_out(_bessel.scaled_modified_bessel_k1)
spherical_bessel_j0 = takes_out(_bessel.spherical_bessel_j0)


def softmax(input, dim, *, dtype=None):
    """exp(x_i) / sum_j exp(x_j) along a dim, cast to `dtype` first."""
    return FUNCTIONS["softmax"](input, dim, dtype)


def log_softmax(input, dim, *, dtype=None):
    """x_i - log(sum_j exp(x_j)) along a dim, cast to `dtype` first."""
    return FUNCTIONS["log_softmax"](input, dim, dtype)
