"""Samples of complex numbers and their parts."""


def complex_of(name):
    """A call of a function with a complex tensor made of two real ones."""

    def call(library, a, b):
        return getattr(library, name)(library.complex(a, b))

    return call


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    pair = c(t(2, 3), t(2, 3))
    table = {
        "complex": s.record(pair, c(t(3, 1), t(4)), kinds=()),
        "polar": s.record(c(t(2, 3, low=0.2), t(2, 3)), kinds=()),
        "view_as_complex": s.record(t(3, 2), kinds=(), methods=False),
        "view_as_real": s.record(pair, kinds=(), call=complex_of("view_as_real"), methods=False),
    }
    for name in (
        "abs",
        "angle",
        "conj",
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tanh",
        "sgn",
        "square",
    ):
        table[f"{name} of complex"] = s.record(
            pair, kinds=(), call=complex_of(name), methods=False, name=name
        )
    return table
