"""Samples of special functions."""


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    table = {
        "erfinv": s.unary(low=-0.95, high=0.95, kinds=()),
        "logit": s.record(t(3, 4, low=0.1, high=0.9), c(t(5), 0.1), kinds=()),
        "lgamma": s.unary(low=0.2, high=5, kinds=("int",)),
        "digamma": s.unary(low=0.3, high=5, kinds=()),
        "polygamma": s.record(
            *(c(n, t(3, low=0.3, high=5)) for n in range(4)), kinds=(), methods=False
        ),
        "mvlgamma": s.record(c(t(3, low=2.2, high=5), 3), c(t(2, 2, low=1.2, high=5), 2), kinds=()),
        "i0": s.unary(low=-12, high=12, kinds=("int",)),
        "igamma": s.binary(low=0.2, high=6, number=None, kinds=(), grad=False),
        "igammac": s.binary(low=0.2, high=6, number=None, kinds=(), grad=False),
    }
    for name in ("erf", "erfc", "expm1", "exp2", "entr", "ndtr", "sinc", "i0"):
        table["special." + name] = s.unary(low=0.1, kinds=("int",))
    for name in ("digamma", "psi", "gammaln", "i0e", "i1", "i1e"):
        table["special." + name] = s.unary(low=0.3, high=10, kinds=())
    table["special.log_ndtr"] = s.unary(low=-9, high=5, kinds=())
    table["special.erfcx"] = s.unary(low=-3, high=20, kinds=())
    table["special.ndtri"] = s.unary(low=0.02, high=0.98, kinds=())
    table["special.xlog1py"] = s.binary(low=0.2, high=3, kinds=())
    table["special.zeta"] = s.record(
        c(s.exact([2.0, 3.5, 5.0], "float64"), t(3, low=0.3, high=9)), kinds=()
    )
    for name in ("softmax", "log_softmax"):
        table["special." + name] = s.record(c(t(3, 4), 1), c(t(5), 0), kinds=())
        table[name] = s.record(c(t(3, 4), 1), c(t(2, 3, 4), -2), c(t(), 0), c(t(0, 3), 1), kinds=())
    table["special.gammainc"] = s.record(
        c(s.exact([0.5, 2.0, 30.0], "float64"), t(3, low=0.3, high=40)), kinds=()
    )
    return table
