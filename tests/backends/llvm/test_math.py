"""The elementary functions: errors, special values, and that loops over them become vectors."""

import ctypes
import itertools
import math
import re

import llvmlite.binding as llvm
import numpy as np
import pytest

from flambeau.backends.llvm.math import NAMES, arity, definition, symbol

TYPES = {"float": np.float32, "double": np.float64}
inf, nan = math.inf, math.nan

every = pytest.mark.parametrize(
    ("name", "type"), [(name, type) for name in sorted(NAMES) for type in TYPES]
)
either = pytest.mark.parametrize("type", TYPES)

LOOP = """
define void @loop({parameters}, ptr noalias %to, i64 %n) "prefer-vector-width"="512" {{
entry:
  br label %body
body:
  %i = phi i64 [ 0, %entry ], [ %next, %body ]
{loads}
  %result = call {type} {symbol}({operands})
  %place = getelementptr {type}, ptr %to, i64 %i
  store {type} %result, ptr %place
  %next = add nuw nsw i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %body, label %done
done:
  ret void
}}
"""


def loop_over(name, type):
    """A module with the function and a loop that maps it over arrays."""
    count = range(arity(name))
    loads = "\n".join(
        f"  %p{k} = getelementptr {type}, ptr %from{k}, i64 %i\n  %x{k} = load {type}, ptr %p{k}"
        for k in count
    )
    return definition(name, type) + LOOP.format(
        parameters=", ".join(f"ptr noalias %from{k}" for k in count),
        loads=loads,
        operands=", ".join(f"{type} %x{k}" for k in count),
        type=type,
        symbol=symbol(name, type),
    )


def optimised(text, machine):
    """A module as it is before instructions are chosen."""
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


@pytest.fixture(scope="module")
def mapped():
    """mapped(name, type) is a function of arrays, compiled for this machine."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    engines = {}

    def engine(name, type):
        target = llvm.Target.from_default_triple()
        machine = target.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)
        result = llvm.create_mcjit_compiler(optimised(loop_over(name, type), machine), machine)
        result.finalize_object()
        return result

    def function(name, type):
        if (name, type) not in engines:
            engines[name, type] = engine(name, type)
        address = engines[name, type].get_function_address("loop")
        call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (arity(name) + 1), ctypes.c_int64)

        def run(*arrays):
            arrays = [np.ascontiguousarray(a, TYPES[type]) for a in arrays]
            result = np.empty_like(arrays[0])
            call(address)(*[a.ctypes.data for a in arrays], result.ctypes.data, result.size)
            return result

        return run

    return function


# Errors, in units of the last place

CENTRE = [(-4.0, 4.0), (-0.01, 0.01)]
POSITIVE = [(0.0, 4.0), (0.9, 1.1), ("e", -37, 38)]
WIDE = [*CENTRE, (-85.0, 88.0)]
UNIT = [(-1.0, 1.0), (-0.01, 0.01), (0.99, 1.0)]
ANGLES = [*CENTRE, (-1e4, 1e4), ("e", -30, 38)]

RANGES = {
    "acos": UNIT,
    "acosh": [(1.0, 1.01), (1.0, 4.0), ("e", 0, 38)],
    "asin": UNIT,
    "asinh": [*CENTRE, ("e", -37, 38)],
    "atan": [*CENTRE, ("e", -37, 38)],
    "atanh": UNIT,
    "cos": ANGLES,
    "cosh": WIDE,
    "digamma": [(0.01, 1.4), (1.5, 4.0), (0.0, 20.0), ("e", -30, 30)],
    "erf": [*CENTRE, ("e", -37, 1)],
    "erfc": [*CENTRE, (0.0, 9.0)],
    "erfinv": [*UNIT, ("e", -37, 0)],
    "exp": WIDE,
    "exp2": [*CENTRE, (-125.0, 127.0)],
    "exp_negative": [(-0.01, 0.0), (-4.0, 0.0), (-87.0, 0.0), (-103.0, -87.0)],
    "expm1": WIDE,
    "lgamma": [(0.01, 4.0), (0.0, 40.0), (0.9, 1.1), (1.9, 2.1), ("e", -30, 30)],
    "log": POSITIVE,
    "log10": POSITIVE,
    "log1p": [(-0.9, 4.0), (-0.01, 0.01), ("e", -37, 38)],
    "log2": POSITIVE,
    "rsqrt": POSITIVE,
    "sigmoid": WIDE,
    "sin": ANGLES,
    "sinh": WIDE,
    "tan": ANGLES,
    "tanh": [*CENTRE, (-20.0, 20.0), ("e", -37, 0)],
}
RANGES_OF_TWO = {
    "atan2": [((-4.0, 4.0), (-4.0, 4.0)), (("e", -15, 15), ("e", -15, 15))],
    "pow": [
        ((0.0, 4.0), (-20.0, 20.0)),
        ((0.99, 1.01), (-5e3, 5e3)),
        (("e", -30, 30), (-1.0, 1.0)),
    ],
}


def inverse_erf(mp, x):
    """erfinv by Newton's method on the tail, which keeps its relative precision."""
    y = mp.erfinv(x) if abs(x) < 0.5 else mp.sqrt(-mp.log((1 - abs(x)) * 2)) * mp.sign(x)
    for _ in range(8 if abs(x) >= 0.5 else 0):
        off = (mp.erfc(abs(y)) - (1 - abs(x))) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        y += mp.sign(x) * off / (1 - abs(y) * off)
    return y


def reference(mp, name):
    """The function in arbitrary precision."""
    special = {
        "erfinv": lambda x: inverse_erf(mp, x),
        "exp2": lambda x: mp.mpf(2) ** x,
        "exp_negative": mp.exp,
        "lgamma": mp.loggamma,
        "log2": lambda x: mp.log(x, 2),
        "pow": lambda x, y: x**y,
        "rsqrt": lambda x: 1 / mp.sqrt(x),
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    }
    return special.get(name) or getattr(mp, name)


def sample(rng, where, count, dtype):
    """Random numbers between two bounds, or with a decimal exponent between them."""
    if where[0] == "e":
        values = 10.0 ** rng.uniform(where[1], where[2], count)
    else:
        values = rng.uniform(where[0], where[1], count)
    return values.astype(dtype)


def errors(mp, function, arguments, got):
    """The distances of the results from the true values."""
    bits, least = (23, -126) if got.dtype == np.float32 else (52, -1022)
    for *xs, result in zip(*arguments, got, strict=True):
        true = function(*[mp.mpf(float(x)) for x in xs])
        exponent = max(mp.frexp(true)[1] - 1, least)
        yield float(abs(mp.mpf(float(result)) - true) / mp.mpf(2) ** (exponent - bits)), xs


@pytest.mark.parametrize("name", sorted(RANGES) + sorted(RANGES_OF_TWO))
@either
def test_within_two_ulps(mapped, name, type):
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 60
    rng = np.random.default_rng(7)
    for where in RANGES.get(name) or RANGES_OF_TWO[name]:
        ranges = [where] if arity(name) == 1 else where
        arguments = [sample(rng, w, 100, TYPES[type]) for w in ranges]
        got = mapped(name, type)(*arguments)
        worst, at = max(errors(mp, reference(mp, name), arguments, got), key=lambda e: e[0])
        assert worst <= 2, f"{name} is off by {worst} ulps at {at}"


NUMPY = {
    "acos": np.arccos,
    "asin": np.arcsin,
    "atan": np.arctan,
    "cosh": np.cosh,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "sinh": np.sinh,
    "tanh": np.tanh,
}


@pytest.mark.parametrize("name", sorted(NUMPY))
def test_floats_of_all_sizes(mapped, name):
    """One bit pattern in 20011, against double precision."""
    x = np.arange(0, 2**32, 20011, dtype=np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        want = NUMPY[name](x.astype(np.float64))
        rounded = want.astype(np.float32)
        got = mapped(name, "float")(x)
        unit = np.ldexp(1.0, np.maximum(np.frexp(want)[1] - 1, -126) - 23)
        close = np.abs(got - want) <= 2 * unit
    assert np.all(close | (got == rounded) | (np.isnan(got) & np.isnan(want)))


# Doubles that are nearly multiples of pi / 2, and the largest ones
HARD_ANGLES = [
    6381956970095103.0 * 2.0**797,
    5.319372648326541e255,
    *[math.pi / 2 * k for k in (1, 2, 3, 355, 10**6, 2**31, 10**15)],
    *[2.0**k for k in (15, 16, 31, 32, 500, 1023)],
    1e22,
    1.7976931348623157e308,
]


@pytest.mark.parametrize("name", ["cos", "sin", "tan"])
@either
def test_angles_near_multiples_of_half_pi(mapped, name, type):
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 400
    with np.errstate(over="ignore"):
        x = np.array(HARD_ANGLES + [-a for a in HARD_ANGLES]).astype(TYPES[type])
    x = x[np.isfinite(x)]
    for error, at in errors(mp, getattr(mp, name), [x], mapped(name, type)(x)):
        assert error <= 2, f"{name} is off by {error} ulps at {at}"


@either
def test_gamma_functions_of_negative_numbers(mapped, type):
    mp = pytest.importorskip("mpmath")
    x = np.random.default_rng(6).uniform(-9, 0, 300).astype(TYPES[type])
    for name, true in (("digamma", mp.digamma), ("lgamma", lambda v: mp.log(abs(mp.gamma(v))))):
        want = np.array([float(true(float(v))) for v in x])
        # the argument of the reflected function is rounded, so the error is relative to its terms
        limit = (np.abs(want) + 40) * (2.0**-23 if type == "float" else 2.0**-51)
        assert np.all(np.abs(mapped(name, type)(x) - want) <= limit)


# Special values

TINY = "tiny"  # the smallest number above 0
ODD = [(0.0, 0.0), (-0.0, -0.0), (nan, nan), (TINY, TINY)]
SPECIAL = {
    "acos": [(1.0, 0.0), (2.0, nan), (-inf, nan), (nan, nan)],
    "acosh": [(1.0, 0.0), (inf, inf), (0.5, nan), (-inf, nan), (nan, nan)],
    "asin": [*ODD, (2.0, nan), (-inf, nan)],
    "asinh": [*ODD, (inf, inf), (-inf, -inf)],
    "atan": ODD,
    "atanh": [*ODD, (1.0, inf), (-1.0, -inf), (1.5, nan), (inf, nan)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (inf, nan), (-inf, nan), (nan, nan)],
    "cosh": [(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, inf), (nan, nan), (-1e4, inf)],
    "digamma": [(0.0, -inf), (-0.0, inf), (-2.0, nan), (inf, inf), (nan, nan)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (nan, nan), (9.0, 1.0)],
    "erfc": [(0.0, 1.0), (inf, 0.0), (-inf, 2.0), (nan, nan), (30.0, 0.0), (-9.0, 2.0)],
    "erfinv": [(0.0, 0.0), (-0.0, -0.0), (1.0, inf), (-1.0, -inf), (1.5, nan), (nan, nan)],
    "exp": [(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (nan, nan), (1e4, inf), (-1e4, 0.0)],
    "exp2": [(-0.0, 1.0), (3.0, 8.0), (inf, inf), (-inf, 0.0), (nan, nan), (2e3, inf), (-2e3, 0.0)],
    "exp_negative": [(0.0, 1.0), (-0.0, 1.0), (-inf, 0.0), (nan, nan), (-1e4, 0.0), (TINY, 1.0)],
    "expm1": [*ODD, (inf, inf), (-inf, -1.0), (1e4, inf), (-1e4, -1.0)],
    "lgamma": [
        (1.0, 0.0),
        (2.0, 0.0),
        (0.0, inf),
        (-0.0, inf),
        (-3.0, inf),
        (-inf, inf),
        (nan, nan),
    ],
    "log": [
        (1.0, 0.0),
        (0.0, -inf),
        (-0.0, -inf),
        (inf, inf),
        (-1.0, nan),
        (-inf, nan),
        (nan, nan),
    ],
    "log10": [(1.0, 0.0), (0.0, -inf), (inf, inf), (-1.0, nan), (-inf, nan), (nan, nan)],
    "log1p": [*ODD, (-1.0, -inf), (inf, inf), (-2.0, nan), (-inf, nan)],
    "log2": [(1.0, 0.0), (8.0, 3.0), (0.0, -inf), (inf, inf), (-1.0, nan), (-inf, nan), (nan, nan)],
    "rsqrt": [(0.0, inf), (-0.0, -inf), (inf, 0.0), (-1.0, nan), (nan, nan), (4.0, 0.5)],
    "sigmoid": [(0.0, 0.5), (inf, 1.0), (-inf, 0.0), (nan, nan), (100.0, 1.0), (-1e4, 0.0)],
    "sin": [*ODD, (inf, nan), (-inf, nan)],
    "sinh": [*ODD, (inf, inf), (-inf, -inf), (1e4, inf), (-1e4, -inf)],
    "tan": [*ODD, (inf, nan), (-inf, nan)],
    "tanh": [*ODD, (inf, 1.0), (-inf, -1.0), (50.0, 1.0)],
}


@pytest.mark.parametrize("name", sorted(SPECIAL))
@either
def test_special_values(mapped, name, type):
    tiny = np.nextafter(TYPES[type](0), TYPES[type](1))
    x, want = (
        np.array([tiny if v is TINY else v for v in column], TYPES[type])
        for column in zip(*SPECIAL[name], strict=True)
    )
    got = mapped(name, type)(x)
    np.testing.assert_array_equal(got, want)
    known = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))


def test_every_function_has_ranges_and_special_values():
    of_two = {name for name in NAMES if arity(name) == 2}
    assert set(RANGES) == set(SPECIAL) == set(NAMES) - of_two
    assert of_two == {"atan2", "fmod", "pow", "remainder"}


def test_results_below_the_normal_numbers(mapped):
    x = np.linspace(-104.5, -87, 4001, dtype=np.float32)
    want = np.exp(x.astype(np.float64))
    for name, true in (("exp", want), ("exp_negative", want), ("sigmoid", want / (1 + want))):
        assert np.abs(mapped(name, "float")(x) - true).max() <= 2.0**-149
    x = np.linspace(-745.5, -708, 4001)
    for name in ("exp", "exp_negative", "sigmoid"):
        assert np.abs(mapped(name, "double")(x) - np.exp(x)).max() <= 2 * 2.0**-1074


PLANE = [0.0, 1.0, 0.5, 2.0, 3.0, 1e-30, 1e30, 16777217.0, 1e15 + 0.5, inf]
PLANE = [*PLANE, *[-v for v in PLANE], nan]


@pytest.mark.parametrize(("name", "numpy"), [("atan2", np.arctan2), ("pow", np.power)])
@either
def test_special_pairs(mapped, name, numpy, type):
    x, y = np.array(list(itertools.product(PLANE, PLANE)), TYPES[type]).T
    with np.errstate(all="ignore"):
        want = numpy(x.astype(np.float64), y.astype(np.float64)).astype(TYPES[type])
    got = mapped(name, type)(x, y)
    np.testing.assert_allclose(got, want, rtol=1e-6 if type == "float" else 1e-14)
    known = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))


@either
def test_remainders_are_exact(mapped, type):
    dtype = TYPES[type]
    rng = np.random.default_rng(3)
    patterns = rng.integers(
        0, 2 ** (8 * dtype().itemsize), (2, 20000), dtype=f"u{dtype().itemsize}"
    )
    whole = rng.integers(-1000, 1000, (2, 2000)).astype(dtype)
    special = np.array(list(itertools.product(PLANE, PLANE)), dtype).T
    x, y = np.concatenate([patterns.view(dtype), whole, special], axis=1)
    with np.errstate(all="ignore"):
        fmod = np.fmod(x, y)
        remainder = np.where((fmod != 0) & ((y < 0) != (fmod < 0)), fmod + y, fmod)
    for name, want in (("fmod", fmod), ("remainder", remainder)):
        got = mapped(name, type)(x, y)
        np.testing.assert_array_equal(got, want)
        known = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))


# Code


@every
def test_a_definition_is_one_block_without_fast_math(name, type):
    text = definition(name, type)
    lines = [line.split(" = ")[-1].strip() for line in text.splitlines() if line.startswith("  ")]
    assert lines[-1].startswith(f"ret {type}")
    for line in lines[:-1]:
        assert not re.match(r"br|call (?!(float|double) @llvm\.)", line)
        assert not re.search(r"\b(fast|nnan|ninf|nsz|arcp|contract|afn|reassoc)\b", line)


MACHINES = [
    ("x86_64-unknown-linux-gnu", "skylake-avx512", r"%zmm", r"\bcall"),
    ("x86_64-unknown-linux-gnu", "haswell", r"%ymm", r"\bcall"),
    ("aarch64-unknown-linux-gnu", "neoverse-n1", r"\bv\d+\.[24][sd]", r"\bblr?\b"),
]


@pytest.mark.parametrize(("triple", "cpu", "vector", "call"), MACHINES, ids=lambda v: str(v)[:16])
@every
def test_loops_become_vector_code_without_calls(name, type, triple, cpu, vector, call):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip(f"this LLVM has no {triple}")
    machine = target.create_target_machine(cpu=cpu, opt=3)
    text = f'target triple = "{triple}"\n' + loop_over(name, type)
    assembly = machine.emit_assembly(optimised(text, machine))
    assert re.search(vector, assembly)
    assert not re.search(call, assembly)
