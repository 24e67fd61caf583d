"""Every elementwise op that kernels know, in every dtype, against the interpreter."""

import numpy as np
import pytest

import flambeau
from flambeau import dtypes
from flambeau.backends.llvm.emit import OPERATIONS, elementary
from flambeau.ops.core import OPS, Elementwise

REAL = [d for d in dtypes.ALL if not d.is_complex]
CALCULATED = [d for d in REAL if not d.limited]
KNOWN = sorted(
    name
    for name, op in OPS.items()
    if isinstance(op, Elementwise) and op.loops and name in {*OPERATIONS, *elementary.NAMES}
)
ARITY = {"where": 3}
BINARY = {
    *("add", "sub", "mul", "div", "eq", "ne", "lt", "le", "gt", "ge", "maximum", "minimum", "pow"),
    *("logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"),
    *("bitwise_left_shift", "bitwise_right_shift", "atan2", "fmod", "remainder", "copysign"),
    *("hypot", "fmax", "fmin", "nextafter", "floor_divide", "trunc_divide", "xlogy", "ldexp"),
}


def values(dtype, seed):
    """Numbers of a dtype, some of them special."""
    rng = np.random.RandomState(seed)
    if dtype is dtypes.bool_:
        return rng.randint(0, 2, 37).astype(bool)
    if dtype.is_floating_point:
        return (rng.randn(37) * 2).astype(np.float32)
    low = 0 if not dtype.is_signed else -6
    found = rng.randint(low, 7, 37)
    return np.where(found == 0, 1, found)


def tensor(dtype, seed):
    """A tensor of those numbers."""
    return flambeau.tensor(values(dtype, seed)).to(dtype)


@pytest.mark.parametrize("dtype", CALCULATED, ids=lambda d: d.name)
@pytest.mark.parametrize("name", [n for n in KNOWN if n != "hash_uniform"])
def test_kernel_equals_interpreter(compiled, name, dtype):
    op = OPS[name]
    count = ARITY.get(name, 2 if name in BINARY else 1)
    operands = [tensor(dtype, seed) for seed in range(count)]
    if name == "where":
        operands[0] = tensor(dtypes.bool_, 0)
    try:
        result = op(*operands)
    except (RuntimeError, TypeError):
        pytest.skip(f"{name} takes no {dtype.name}")
    assert result.shape == (37,)
    result.tolist()  # compared, kernel by kernel, as it runs


@pytest.mark.parametrize("source", REAL, ids=lambda d: d.name)
@pytest.mark.parametrize("target", REAL, ids=lambda d: d.name)
def test_casts(compiled, source, target):
    x = tensor(source, 1)
    assert x.to(target).dtype is target
    (x.to(target) == x.to(target)).tolist()


@pytest.mark.parametrize("dtype", CALCULATED, ids=lambda d: d.name)
@pytest.mark.parametrize("fold", ["sum", "prod", "amax", "amin", "any", "all", "argmax", "argmin"])
@pytest.mark.parametrize("dim", [0, 1])
def test_reductions(compiled, dtype, fold, dim):
    x = tensor(dtype, 3)[:36].reshape(9, 4)
    if dtype is dtypes.bool_ and fold.startswith("arg"):
        with pytest.raises(RuntimeError, match="Bool"):
            getattr(x, fold)(dim)
        return
    assert len(getattr(x, fold)(dim).tolist()) == x.shape[1 - dim]


def test_bfloat16_is_rounded_to_nearest_even(compiled):
    """Of all kinds of floats: subnormal ones, halves between two, infinities and NaNs."""
    bits = np.random.default_rng(5).integers(0, 1 << 32, 20000, np.uint64).astype(np.uint32)
    edges = np.arange(0, 1 << 32, 1 << 15, np.uint64)[:: 1 << 6].astype(np.uint32)
    few = np.concatenate([bits, edges, edges + 1, np.arange(70000, dtype=np.uint32)])
    x = flambeau.from_numpy(few.view(np.float32))
    rounded = x.to(flambeau.bfloat16)
    back = rounded.float().numpy()
    finite = ~np.isnan(few.view(np.float32))
    upper = (few + 0x7FFF + ((few >> 16) & 1)) & 0xFFFF0000
    np.testing.assert_array_equal(back.view(np.uint32)[finite], upper[finite])
    assert np.isnan(back[~finite]).all()
