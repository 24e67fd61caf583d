"""Scalar instructions of the kernel IR as LLVM instructions.

`OPERATIONS[name](emitter, values, dtype)` gives the result's name; None where the operation is an
elementary function of `math.py` for that dtype.
"""

from ... import dtypes

__all__ = ["OPERATIONS", "cast", "memory_type", "value_type"]

_MEMORY = {
    "bool": "i8",
    "uint8": "i8",
    "uint16": "i16",
    "uint32": "i32",
    "uint64": "i64",
    **dict.fromkeys(dtypes.FORMATS, "i8"),  # floats of 8 bits are only copied
    "int8": "i8",
    "int16": "i16",
    "int32": "i32",
    "int64": "i64",
    "float16": "half",
    "bfloat16": "i16",  # LLVM's own bfloat fails for some vectors, and drops subnormal numbers
    "float32": "float",
    "float64": "double",
    "complex32": "i32",
    "complex64": "i64",  # complex numbers are only copied
    "complex128": "i128",
}


def memory_type(dtype):
    """The LLVM type of an element in memory."""
    return _MEMORY[dtype.name]


def value_type(dtype):
    """The LLVM type that elements are computed in."""
    if dtype is dtypes.bool_:
        return "i1"
    if dtype in (dtypes.float16, dtypes.bfloat16):
        return "float"
    return _MEMORY[dtype.name]


def cast(e, value, source, target):
    """A value of dtype `source` as `target`."""
    if source is target:
        return value
    a, b = value_type(source), value_type(target)
    if target is dtypes.bool_:
        if source.is_floating_point:
            return e.let(f"fcmp une {a} {value}, 0.0")
        return e.let(f"icmp ne {a} {value}, 0")
    if source.is_floating_point and target.is_floating_point:
        if a == b:
            return value
        return e.let(f"{'fpext' if b == 'double' else 'fptrunc'} {a} {value} to {b}")
    if source.is_floating_point:
        return _to_integer(e, value, a, b)
    if target.is_floating_point:
        code = "sitofp" if source.is_signed else "uitofp"
        return e.let(f"{code} {a} {value} to {b}")
    wide, wider = _bits(a), _bits(b)
    if wide == wider:
        return value
    if wide > wider:
        return e.let(f"trunc {a} {value} to {b}")
    return e.let(f"{'sext' if source.is_signed else 'zext'} {a} {value} to {b}")


def _to_integer(e, value, a, b):
    """Truncated to int64 as the hardware does, what does not fit being the least int64."""
    limit = "0x43E0000000000000"
    least = "0xC3E0000000000000"
    low = e.let(f"fcmp oge {a} {value}, {least}")
    high = e.let(f"fcmp olt {a} {value}, {limit}")
    fits = e.let(f"and i1 {low}, {high}")
    safe = e.let(f"select i1 {fits}, {a} {value}, {a} 0.0")
    whole = e.let(f"fptosi {a} {safe} to i64")
    whole = e.let(f"select i1 {fits}, i64 {whole}, i64 -9223372036854775808")
    return whole if b == "i64" else e.let(f"trunc i64 {whole} to {b}")


def _bits(kind):
    return int(kind[1:])


def _arithmetic(real, whole):
    def operation(e, v, dtype):
        kind = value_type(dtype)
        if dtype.is_floating_point:
            return e.let(f"{real} {kind} {v[0]}, {v[1]}")
        if dtype is dtypes.bool_:
            return e.let(f"{ {'add': 'or', 'mul': 'and', 'sub': 'xor'}[whole] } i1 {v[0]}, {v[1]}")
        return e.let(f"{whole} {kind} {v[0]}, {v[1]}")

    return operation


def _divide(e, v, dtype):
    return e.let(f"fdiv {value_type(dtype)} {v[0]}, {v[1]}")


def _negate(e, v, dtype):
    kind = value_type(dtype)
    return e.let(f"fneg {kind} {v[0]}" if dtype.is_floating_point else f"sub {kind} 0, {v[0]}")


def _compare(real, signed):
    def operation(e, v, dtype):
        kind = value_type(dtype)
        if dtype.is_floating_point:
            return e.let(f"fcmp {real} {kind} {v[0]}, {v[1]}")
        code = signed
        if signed not in ("eq", "ne"):
            code = ("s" if dtype.is_signed else "u") + signed
        return e.let(f"icmp {code} {kind} {v[0]}, {v[1]}")

    return operation


def _truth(e, value, dtype):
    return cast(e, value, dtype, dtypes.bool_)


def _logical(code):
    def operation(e, v, dtype):
        return e.let(f"{code} i1 {_truth(e, v[0], dtype)}, {_truth(e, v[1], dtype)}")

    return operation


def _logical_not(e, v, dtype):
    return e.let(f"xor i1 {_truth(e, v[0], dtype)}, 1")


def _bitwise(code):
    return lambda e, v, dtype: e.let(f"{code} {value_type(dtype)} {v[0]}, {v[1]}")


def _bitwise_not(e, v, dtype):
    one = "1" if dtype is dtypes.bool_ else "-1"
    return e.let(f"xor {value_type(dtype)} {v[0]}, {one}")


def _shift(left):
    def operation(e, v, dtype):
        kind = value_type(dtype)
        bits = dtype.itemsize * 8
        inside = e.let(f"icmp ult {kind} {v[1]}, {bits}")
        by = e.let(f"select i1 {inside}, {kind} {v[1]}, {kind} {bits - 1}")
        if left:
            moved = e.let(f"shl {kind} {v[0]}, {by}")
            return e.let(f"select i1 {inside}, {kind} {moved}, {kind} 0")
        code = "ashr" if dtype.is_signed else "lshr"
        moved = e.let(f"{code} {kind} {v[0]}, {by}")
        if dtype.is_signed:
            return moved
        return e.let(f"select i1 {inside}, {kind} {moved}, {kind} 0")

    return operation


def _where(e, v, dtype):
    kind = value_type(dtype)
    return e.let(f"select i1 {v[0]}, {kind} {v[1]}, {kind} {v[2]}")


def intrinsic(name, arity=1):
    """An LLVM intrinsic on floating-point values; whole numbers are themselves."""

    def operation(e, v, dtype):
        if not dtype.is_floating_point:
            return v[0]
        kind = value_type(dtype)
        suffix = "f32" if kind == "float" else "f64"
        types = ", ".join([kind] * arity)
        e.external(f"declare {kind} @llvm.{name}.{suffix}({types})")
        arguments = ", ".join(f"{kind} {x}" for x in v[:arity])
        return e.let(f"call {kind} @llvm.{name}.{suffix}({arguments})")

    return operation


def _extreme(name, code):
    call = intrinsic(name, 2)

    def operation(e, v, dtype):
        if dtype.is_floating_point:
            return call(e, v, dtype)
        kind = value_type(dtype)
        sign = "s" if dtype.is_signed else "u"
        take = e.let(f"icmp {sign}{code} {kind} {v[0]}, {v[1]}")
        return e.let(f"select i1 {take}, {kind} {v[0]}, {kind} {v[1]}")

    return operation


def _abs(e, v, dtype):
    if dtype.is_floating_point:
        return intrinsic("fabs")(e, v, dtype)
    if not dtype.is_signed:
        return v[0]
    kind = value_type(dtype)
    negative = e.let(f"icmp slt {kind} {v[0]}, 0")
    opposite = e.let(f"sub {kind} 0, {v[0]}")
    return e.let(f"select i1 {negative}, {kind} {opposite}, {kind} {v[0]}")


def _sign(e, v, dtype):
    kind = value_type(dtype)
    if dtype is dtypes.bool_:
        return v[0]
    if not dtype.is_floating_point:
        more = e.let(f"icmp {'s' if dtype.is_signed else 'u'}gt {kind} {v[0]}, 0")
        above = e.let(f"zext i1 {more} to {kind}")
        if not dtype.is_signed:
            return above
        below = e.let(f"icmp slt {kind} {v[0]}, 0")
        return e.let(f"select i1 {below}, {kind} -1, {kind} {above}")
    more = e.let(f"fcmp ogt {kind} {v[0]}, 0.0")
    less = e.let(f"fcmp olt {kind} {v[0]}, 0.0")
    zero = e.let(f"select i1 {less}, {kind} -1.0, {kind} 0.0")
    return e.let(f"select i1 {more}, {kind} 1.0, {kind} {zero}")


def _is(test):
    def operation(e, v, dtype):
        if not dtype.is_floating_point:
            return "true" if test == "finite" else "false"
        kind = value_type(dtype)
        if test == "nan":
            return e.let(f"fcmp uno {kind} {v[0]}, 0.0")
        size = intrinsic("fabs")(e, v, dtype)
        infinite = "0x7FF0000000000000"
        code = "oeq" if test == "inf" else "olt"
        return e.let(f"fcmp {code} {kind} {size}, {infinite}")

    return operation


def _sqrt(e, v, dtype):
    return intrinsic("sqrt")(e, v, dtype)


def _rsqrt(e, v, dtype):
    return e.let(f"fdiv {value_type(dtype)} 1.0, {_sqrt(e, v, dtype)}")


def _reciprocal(e, v, dtype):
    return e.let(f"fdiv {value_type(dtype)} 1.0, {v[0]}")


def _hash_uniform(e, v, dtype):
    """See ops/random.py: a hash of (counter, seed) as 24 bits of a float in [0, 1)."""
    x = e.let(f"mul i64 {v[0]}, -7046029254386353131")
    x = e.let(f"add i64 {x}, {v[1]}")
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        high = e.let(f"lshr i64 {x}, {shift}")
        x = e.let(f"xor i64 {x}, {high}")
        x = e.let(f"mul i64 {x}, {factor}")
    high = e.let(f"lshr i64 {x}, 31")
    x = e.let(f"xor i64 {x}, {high}")
    top = e.let(f"lshr i64 {x}, 40")
    short = e.let(f"trunc i64 {top} to i32")
    value = e.let(f"uitofp i32 {short} to float")
    return e.let(f"fmul float {value}, 0x3E70000000000000")


OPERATIONS = {
    "add": _arithmetic("fadd", "add"),
    "sub": _arithmetic("fsub", "sub"),
    "mul": _arithmetic("fmul", "mul"),
    "div": _divide,
    "neg": _negate,
    "eq": _compare("oeq", "eq"),
    "ne": _compare("une", "ne"),
    "lt": _compare("olt", "lt"),
    "le": _compare("ole", "le"),
    "gt": _compare("ogt", "gt"),
    "ge": _compare("oge", "ge"),
    "logical_and": _logical("and"),
    "logical_or": _logical("or"),
    "logical_xor": _logical("xor"),
    "logical_not": _logical_not,
    "bitwise_and": _bitwise("and"),
    "bitwise_or": _bitwise("or"),
    "bitwise_xor": _bitwise("xor"),
    "bitwise_not": _bitwise_not,
    "bitwise_left_shift": _shift(True),
    "bitwise_right_shift": _shift(False),
    "where": _where,
    "maximum": _extreme("maximum", "gt"),
    "minimum": _extreme("minimum", "lt"),
    "floor": intrinsic("floor"),
    "ceil": intrinsic("ceil"),
    "trunc": intrinsic("trunc"),
    "round": intrinsic("roundeven"),
    "abs": _abs,
    "sign": _sign,
    "isnan": _is("nan"),
    "isinf": _is("inf"),
    "isfinite": _is("finite"),
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    "reciprocal": _reciprocal,
    "conj_physical": lambda e, v, dtype: v[0],
    "hash_uniform": _hash_uniform,
}
