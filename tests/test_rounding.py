"""Exact roundings, compared with rational arithmetic."""

import math
from fractions import Fraction

import numpy as np
import pytest

from flambeau import dtypes
from flambeau.rounding import fma, fma_float32, libm, libm_rounded, narrow


def nearest_float32(exact):
    """A Fraction rounded to float32, ties to even."""
    if exact == 0:
        return 0.0
    exponent = math.floor(math.log2(abs(exact))) - 23
    unit = Fraction(2) ** exponent
    count = round(exact / unit)
    return float(count * unit)


@pytest.mark.parametrize("seed", range(5))
def test_fma_rounds_once(seed):
    random = np.random.RandomState(seed)
    a = random.standard_normal(200) * 10.0 ** random.randint(-8, 8, 200)
    b, c = float(random.standard_normal()), float(random.standard_normal())
    for addend in (c, 0.0, -a[0] * b, c * 1e-17, c * 1e17):
        expected = [float(Fraction(x) * Fraction(b) + Fraction(addend)) for x in a.tolist()]
        assert fma(a, b, addend).tolist() == expected
    assert fma(a, 1.0, c).tolist() == (a + c).tolist()


def test_fma_where_rounding_twice_would_be_wrong():
    # The exact sum lies just above the middle of two doubles.
    a = np.array([1 + 2.0**-52])
    b, c = 2.0**-54, 1.0 + 2.0**-52
    assert fma(a, 2.0**-53, c)[0] == float(Fraction(a[0]) * Fraction(2.0**-53) + Fraction(c))
    assert fma(a, b, c)[0] == c


def test_fma_of_infinities():
    assert fma(np.array([np.inf, -np.inf, 1.0]), 2.0, 1.0).tolist() == [np.inf, -np.inf, 3.0]
    assert fma(np.array([1.0]), math.inf, 1.0).tolist() == [np.inf]


@pytest.mark.parametrize("seed", range(5))
def test_fma_float32_rounds_once(seed):
    random = np.random.RandomState(seed)
    a = random.standard_normal(200).astype(np.float32)
    b, c = np.float32(random.standard_normal()), np.float32(random.standard_normal())
    for addend in (c, np.float32(0), np.float32(c * 1e9), np.float32(c * 1e-9)):
        wide = [Fraction(float(x)) * Fraction(float(b)) + Fraction(float(addend)) for x in a]
        assert fma_float32(a, b, addend).tolist() == [nearest_float32(w) for w in wide]


def test_fma_float32_where_rounding_twice_would_be_wrong():
    # 1 + 2**-24 is a tie, which the exact sum exceeds by too little for a double to see.
    a, b = np.array([1 + 2.0**-23], np.float32), np.float32(2.0**-60)
    wide = fma_float32(np.array([2.0**-24], np.float32), np.float32(1), np.float32(1))
    assert wide[0] == 1
    a = np.array([2.0**-24 * (1 + 2.0**-23)], np.float32)
    b = np.float32(1 + 2.0**-22)
    exact = Fraction(float(a[0])) * Fraction(float(b)) + 1
    assert fma_float32(a, b, np.float32(1))[0] == nearest_float32(exact) == np.float32(1 + 2.0**-23)


def test_libm_is_the_math_module():
    x = np.random.RandomState(0).rand(100) + 0.1
    assert libm(math.log, x).tolist() == [math.log(v) for v in x]


def test_libm_rounded_is_libm_then_rounding():
    x = np.random.RandomState(1).rand(20000) + 1e-3

    def finish(y):
        return y.astype(np.float32)

    exact = finish(libm(math.log, x))
    assert (libm_rounded(math.log, np.log, x, finish) == exact).all()
    # Even a poor approximation only costs time.
    poor = libm_rounded(math.log, lambda v: np.log(v) * (1 + 2.0**-49), x, finish)
    assert (poor == exact).all()


def test_narrow_goes_to_halves_by_way_of_float32():
    # Just above a tie of float16; float32 rounds it to the tie, which goes to even.
    value = np.array([1 + 2.0**-11 + 2.0**-40])
    assert narrow(value, dtypes.float16)[0] == 1
    assert value.astype(np.float16)[0] != 1
    assert narrow(np.array([1e300, 3.0]), dtypes.float32).tolist() == [np.inf, 3.0]
    assert narrow(np.array([1.0]), dtypes.bfloat16).tolist() == [0x3F80]
    assert narrow(np.array([3, 4]), dtypes.float64).dtype == np.float64
    assert narrow(np.array([2.9, -2.9]), dtypes.int32).tolist() == [2, -2]
