"""Samples of functions of one element at a time."""


def imag_of_complex(library, x):
    """The imaginary part of a complex tensor."""
    return library.imag(library.complex(x, x * 2))


def records(s):
    """{name: record} of this family."""
    c, t = s.call, s.t
    table = {}

    def same(names, record):
        for name in names.split():
            table[name] = s.copy(record)

    real = {"kinds": ("int", "bool")}
    flat = {"second": False}
    same("exp exp2 expm1 sin cos sinh tanh sigmoid atan arctan asinh arcsinh", s.unary())
    same("cosh square", s.unary())
    same("tan", s.unary(low=-1, high=1))
    same("log log2 log10 sqrt", s.unary(low=0.2, high=4))
    same("rsqrt reciprocal", s.unary(low=0.2, high=4, kinds=("int", "complex")))
    same("log1p", s.unary(low=-0.7, high=4, kinds=("int", "bool")))
    same("asin arcsin acos arccos atanh arctanh", s.unary(low=-0.9, high=0.9))
    same("acosh arccosh", s.unary(low=1.1, high=4))
    same("abs absolute", s.unary(kinds=("int", "complex")))
    same("neg negative positive sgn", s.unary())
    same("floor ceil trunc fix sign frac", s.unary(**real, **flat))
    same("conj conj_physical resolve_conj resolve_neg adjoint", s.unary())
    table["adjoint"] = s.record(t(2, 3), t(2, 3, 4))
    same("is_conj is_neg", s.unary(grad=False))
    same("angle", s.unary(kinds=("int", "complex")))
    same("real isreal", s.unary(kinds=("int", "bool"), methods=False))
    table["imag"] = s.record(t(2, 3), kinds=(), call=imag_of_complex, methods=False)
    same("isnan isinf isfinite isposinf isneginf signbit logical_not", s.unary(grad=False))
    same("deg2rad rad2deg sinc", s.unary())
    same("erf erfc", s.unary(**real))
    same("relu", s.unary(kinds=("int",), second=False))
    same("relu_ celu_ selu_", s.unary(kinds=(), grad=False))
    same("celu selu", s.unary(kinds=()))
    table["celu"] = s.record(t(3, 4), c(t(5), 0.7), kinds=())
    table["threshold"] = s.record(c(t(3, 4), 0.1, 20.0), kinds=("int",), second=False)
    table["threshold_"] = s.record(c(t(3, 4), 0.1, 20.0), kinds=(), grad=False)
    table["hardshrink"] = s.record(t(3, 4), c(t(5), 0.8), kinds=(), second=False)
    table["prelu"] = s.record(c(t(2, 3, 4), t(3)), c(t(4), t(1)), c(t(), t()), kinds=())
    table["round"] = s.record(t(3, 4), c(t(3), decimals=2), c(t(3), decimals=-1), kinds=("int",))
    table["bitwise_not"] = s.record(s.ints(3, 4, low=-5, high=5), s.bools(3), grad=False)

    same("add sub subtract mul multiply", s.binary())
    scaled = (c(t(2, 3), t(3), alpha=2), c(t(2), 3, alpha=0.5))
    table["add alpha bool"] = s.record(
        c(s.bools(3), s.bools(3), alpha=2), c(s.bools(3), s.bools(3), alpha=0), name="add"
    )
    table["add alpha"] = s.record(*scaled, kinds=("int",), name="add")
    table["rsub"] = s.binary(kinds=("int", "complex"))
    same("div divide true_divide", s.binary(low=0.3))
    table["div"].calls += tuple(
        c(t(4, 3), t(3, low=0.3), rounding_mode=mode) for mode in ("floor", "trunc")
    )
    same("floor_divide remainder fmod", s.binary(low=0.6, high=3, kinds=("int",), second=False))
    table["floor_divide"].grad = False
    table["pow"] = s.record(
        *(c(t(3, 4, low=0.3), n) for n in (0, 1, 2, 3, 5, 0.5, -1, -0.5, 2.5)),
        c(t(3, 1, low=0.3), t(1, 4)),
        c(2.5, t(3)),
        c(s.given([-2.0, 0.0, 3.0]), 2),
        kinds=("int",),
    )
    table["float_power"] = s.record(
        c(t(3, low=0.3), 2), c(t(3, low=0.3), t(3)), c(2, t(4)), kinds=("int", "complex")
    )
    same("atan2 arctan2", s.binary(low=0.3, number=None, kinds=("int",)))
    same("maximum minimum fmax fmin", s.binary(number=None, second=False, kinds=("int",)))
    same("eq ne not_equal", s.binary(grad=False))
    same("lt less le less_equal gt greater ge greater_equal", s.binary(grad=False, **real))
    same("logical_and logical_or logical_xor", s.binary(number=None, grad=False))
    ints = s.ints(3, 4, low=-5, high=6)
    bits = s.record(c(ints, s.ints(4, low=0, high=4)), c(ints, 2), grad=False, kinds=())
    same("bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift", bits)
    table["gcd"] = table["lcm"] = s.record(c(ints, s.ints(4, high=9)), grad=False, kinds=())
    same("hypot", s.binary(low=0.2, number=None, kinds=()))
    same("copysign", s.binary(**real, **flat))
    same("nextafter", s.binary(number=None, kinds=(), **flat))
    same("xlogy", s.binary(low=0.2, high=3, kinds=("int", "bool")))
    same("logaddexp logaddexp2", s.binary(number=None, kinds=()))
    table["ldexp"] = s.record(c(t(3, 4), s.ints(4)), c(t(3), t(3)), kinds=("int",))
    table["heaviside"] = s.record(
        c(s.given([-1.0, 0.0, 2.0]), t(3)), c(t(2, 3), t(3)), grad=False, kinds=("int", "bool")
    )

    table["fill"] = s.record(c(t(2, 3), 1.5), c(t(3), t()), c(t(2), value=2), kinds=("complex",))
    table["frexp"] = s.record(t(3, 4), s.given([0.0, 1.0, -8.0]), kinds=(), second=False)
    table["clamp"] = table["clip"] = s.record(
        *(c(t(3, 4), -1.0, 1.0), c(t(3, 4), min=0.3), c(t(3, 4), max=0.3), c(t(3), 1.0, -1.0)),
        *(c(t(3, 4), t(4), t(3, 1)), c(t(3), min=t(3)), c(t(), -1, 1), c(t(2), None, t(1))),
        second=False,
        kinds=("int",),
    )
    table["clamp_min"] = table["clamp_max"] = s.record(
        c(t(3, 4), 0.2), c(t(3), t(2, 1)), second=False, kinds=("int",)
    )
    table["lerp"] = s.record(
        c(t(3, 4), t(4), 0.3), c(t(3, 4), t(4), 0.9), c(t(3), t(3), t(3)), kinds=("complex",)
    )
    table["addcmul"] = s.record(
        c(t(3, 4), t(3, 1), t(4)), c(t(3), t(3), t(3), value=2), kinds=("int", "complex")
    )
    table["addcdiv"] = s.record(
        *(c(t(3, 4), t(3, 1), t(4, low=0.3)), c(t(3), t(3), t(3, low=0.3), value=2)),
        kinds=("complex",),
    )
    table["where"] = s.record(
        *(c(s.bools(3, 4), t(3, 4), t(4)), c(s.bools(3, 1), t(1, 4), 0.0), c(s.bools(3), 1.0, t())),
        s.bools(3, 4),
        methods=False,
    )
    odd = s.given([1.0, float("nan"), float("inf"), float("-inf"), 0.0])
    table["nan_to_num"] = s.record(odd, c(odd, 1.0, 2.0, -3.0), kinds=(), second=False)
    for name in ("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "sign", "abs"):
        table[name] = s.record(*table[name].calls, odd, grad=table[name].grad, kinds=())
    return table
