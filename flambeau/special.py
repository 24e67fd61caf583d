"""`flambeau.special`: special functions, by the names that SciPy gave them."""

from .ops import special as _special
from .ops.api import FUNCTIONS, strict, takes_out

__all__ = [
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
    "i0",
    "i0e",
    "i1",
    "i1e",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
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


def softmax(input, dim, *, dtype=None):
    """exp(x_i) / sum_j exp(x_j) along a dim, cast to `dtype` first."""
    return FUNCTIONS["softmax"](input, dim, dtype)


def log_softmax(input, dim, *, dtype=None):
    """x_i - log(sum_j exp(x_j)) along a dim, cast to `dtype` first."""
    return FUNCTIONS["log_softmax"](input, dim, dtype)
