"""Matrix products: all shapes of tiles, layouts and pieces, for every width of registers."""

import ctypes
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flambeau.backends.llvm import few, jit, panels, spread, tiles

REGISTERS = [(64, 32), (32, 16), (16, 16), (16, 32)]
KINDS = {"float": np.float32, "double": np.float64}
_functions = {}


def native(registers, kind, vectors, columns=0, writer=tiles.Tiles):
    """The product's function for a machine with such registers; 0 vectors: few columns."""
    key = (registers, kind, vectors, columns, writer.__name__)
    if key not in _functions:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(panels, "registers", lambda: registers)
            patch.setattr(tiles, "registers", lambda: registers)
            patch.setattr(few, "registers", lambda: registers)
            if columns:
                writer = few.Sums if writer is tiles.Tiles else writer
                found = writer(kind, columns)
            else:
                found = writer(kind, vectors) if vectors else few.Dots(kind)
            address = jit.compiled(("gemm", "test", *key), found.text, loops=False)
        prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 2, *[ctypes.c_void_p] * 4)
        _functions[key] = prototype(address)
    return _functions[key]


def matrices(generator, kind, batch, rows, columns, layout):
    """Random matrices in memory with rows or columns without gaps, or both with gaps."""
    shape = {
        "rows": (batch, rows, columns + 3),
        "columns": (batch, columns, rows + 2),
        "neither": (batch, rows * 2, columns * 3),
    }[layout]
    x = generator.uniform(-1, 1, shape).astype(KINDS[kind])
    if layout == "rows":
        return x[:, :, :columns]
    return x[:, :, :rows].swapaxes(1, 2) if layout == "columns" else x[:, ::2, ::3]


def product(function, a, b, rows, columns, order, turned=False):
    """a @ b, as pieces of so many rows and columns, computed in an order; written by columns?"""
    (batch, m, k), n = a.shape, b.shape[2]
    guard = 7
    memory = np.full(batch * m * n + 2 * guard, np.nan, a.dtype)
    bufs = np.array([x.__array_interface__["data"][0] for x in (a, b, memory[guard:])], np.int64)
    steps = [s // a.itemsize for x in (a, b) for s in x.strides[1:]]
    batches = [x.strides[0] // a.itemsize for x in (a, b)]
    result = (1, m) if turned else (n, 1)
    sizes = [m, n, k, *steps, *batches, *result, 0, 0]
    args = np.array([0, 1, 2, 0, 0, *sizes, rows, columns, 0, 0, 0, rows])
    count = batch * -(-m // rows) * -(-n // columns)
    cuts = sorted({0, count, *(cut % (count + 1) for cut in order)})
    for begin, end in reversed(list(pairwise(cuts))):
        function(begin, end, args.ctypes.data, bufs.ctypes.data, None, None)
    assert np.isnan([memory[:guard], memory[-guard:]]).all()
    memory = memory[guard:-guard]
    return memory.reshape(batch, n, m).swapaxes(1, 2) if turned else memory.reshape(batch, m, n)


layouts = st.sampled_from(["rows", "columns", "neither"])


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("registers", REGISTERS, ids=str)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_every_shape_and_layout(registers, kind, data):
    """The product of random matrices, in random pieces, is NumPy's, and writes nothing beside."""
    draw = data.draw
    vectors = draw(st.integers(0, 2))
    batch, m, k = (draw(st.integers(1, top)) for top in (3, 70 if vectors else 300, 80))
    n = draw(st.integers(1, 90 if vectors else 8))
    sums, turned = (not vectors and draw(st.booleans()) for _ in range(2))
    left = draw(layouts) if vectors or sums else "rows"
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    a = matrices(generator, kind, batch, m, k, left)
    b = matrices(generator, kind, batch, k, n, draw(layouts))
    rows, columns = draw(st.integers(1, m)), n if sums else draw(st.integers(1, n))
    cuts = draw(st.lists(st.integers(0, 1000), max_size=3))
    function = native(registers, kind, vectors, n if sums else 0)
    found = product(function, a, b, rows, columns, cuts, turned)
    tolerance = 1e-5 if kind == "float" else 1e-13
    assert found == pytest.approx(a.astype(np.float64) @ b, abs=tolerance * k)


@pytest.mark.parametrize("vectors", [0, 2])
@pytest.mark.parametrize("layout", ["rows", "columns"])
def test_blocks(vectors, layout):
    """Inner dims and columns of several blocks are summed up."""
    generator = np.random.default_rng(0)
    k, n = (70_000, 3) if vectors == 0 else (1300, 1100)
    a = matrices(generator, "float", 1, 33, k, "rows" if vectors == 0 else layout)
    b = matrices(generator, "float", 1, k, n, layout)
    found = product(native((64, 32), "float", vectors), a, b, 20, n, [])
    assert found == pytest.approx(a.astype(np.float64) @ b, abs=1e-3)


def table(generator, count, runs):
    """Offsets of rows or columns: runs of neighbours of some lengths, or none."""
    if not runs:
        return generator.permutation(3 * count)[:count]
    lengths = generator.choice(runs, count)
    starts = np.cumsum(lengths + generator.integers(0, 3, count))
    offsets = np.concatenate([s + np.arange(n) for s, n in zip(starts, lengths, strict=True)])
    return offsets[:count]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("registers", REGISTERS, ids=str)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_operands_that_lie_anywhere(registers, kind, data):
    """Products by tables of offsets, with any runs of neighbours, are NumPy's."""
    draw = data.draw
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    few_columns = draw(st.booleans())
    m, n, k = (draw(st.integers(1, top)) for top in (300, 8 if few_columns else 90, 90))
    if draw(st.booleans()):
        k += 700
    long = [(16, 28), (400,)]
    runs = st.sampled_from([(), (1, 2), (7,), *long])
    tables = [table(generator, size, draw(runs)) for size in (m, k, k, n)]
    if few_columns:
        tables[0] = table(generator, m, draw(st.sampled_from(long)))
    a, b = (
        generator.uniform(-1, 1, int(down.max() + across.max()) + 1).astype(KINDS[kind])
        for down, across in (tables[:2], tables[2:])
    )
    full = [
        np.ascontiguousarray(memory[down[:, None] + across])
        for memory, down, across in ((a, *tables[:2]), (b, *tables[2:]))
    ]
    padded = [np.concatenate([t, np.zeros(spread.PADDING, np.int64)]) for t in tables]
    result = np.full(m * n, np.nan, KINDS[kind])
    bufs = np.array([x.__array_interface__["data"][0] for x in (a, b, result)], np.int64)
    places = [t.__array_interface__["data"][0] for t in padded]
    flags = [draw(st.integers(0, 1)) for _ in range(2)]
    rows = draw(st.integers(1, -(-m // 16))) * 16
    columns = n if few_columns else draw(st.integers(1, n))
    sizes = [m, n, k, *places, 0, 0, n, 1, *flags, rows, columns, 0, 0, 0, rows]
    args = np.array([0, 1, 2, 0, 0, *sizes])
    if few_columns:
        function = native(registers, kind, 0, n, writer=spread.SpreadSums)
    else:
        function = native(registers, kind, draw(st.integers(1, 2)), writer=spread.Spread)
    function(0, -(-m // rows) * -(-n // columns), args.ctypes.data, bufs.ctypes.data, None, None)
    tolerance = 1e-5 if kind == "float" else 1e-13
    expected = full[0].astype(np.float64) @ full[1]
    assert result.reshape(m, n) == pytest.approx(expected, abs=tolerance * k)
