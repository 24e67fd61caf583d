"""Which function computes a matrix product."""

import numpy as np

from . import jit
from .few import FEW, PACKED, Dots, Sums
from .panels import SIZE, registers
from .spread import Spread, SpreadSums
from .tiles import TOGETHER, Tiles, heights

__all__ = ["gemm_address", "rows_at_once", "spread_address"]

_DOT, _PACK = 30, 1  # how long one sum of a vector's lanes, and packing one number, take about
_EPILOGUE_BYTES = 1 << 18  # of the result, about, that a following kernel is called for


def gemm_address(kind, m, n, k, steps):
    """(the address of products [m, k] @ [k, n] of `kind`, whether it is for them transposed).

    kind: "float" or "double". steps: those of rows and of columns, of both operands. Transposed,
    that is with `b` and `a` for operands, a product with few rows is one with few columns; a piece
    of it has all of them.
    """
    ra, ca, rb, cb = steps
    for columns, down, across, turned in ((n, ra, ca, False), (m, cb, rb, True)):
        if not 0 < columns <= FEW:
            continue
        if across == 1 and (k > PACKED or columns * _DOT < k * _PACK):
            return jit.compiled(
                ("gemm", kind, 0), lambda s: Dots(kind).text(s), loops=False
            ), turned
        if down == 1 or (across == 1 and k <= PACKED):
            key = ("gemm", kind, "few", columns)
            write = lambda s, columns=columns: Sums(kind, columns).text(s)  # noqa: E731
            return jit.compiled(key, write, loops=False), turned
    vectors = _across(kind, n)
    key = ("gemm", kind, vectors)
    return jit.compiled(key, lambda s: Tiles(kind, vectors).text(s), loops=False), False


def spread_address(kind, m, n, tables):
    """As `gemm_address`, of products whose operands are where tables tell (see `Spread`)."""
    for columns, rows, turned in ((n, tables[0], False), (m, tables[3], True)):
        if 0 < columns <= 2 * FEW and _in_two_runs(rows, registers()[0] // SIZE[kind]):
            key = ("gemm", kind, "spread few", columns)
            write = lambda s, columns=columns: SpreadSums(kind, columns).text(s)  # noqa: E731
            return jit.compiled(key, write, loops=False), turned
    vectors = _across(kind, n)
    key = ("gemm", kind, "spread", vectors)
    return jit.compiled(key, lambda s: Spread(kind, vectors).text(s), loops=False), False


def _in_two_runs(offsets, lanes):
    """Whether each vector of some entries consists of two runs of neighbours at most.

    >>> _in_two_runs(np.array([0, 1, 2, 8, 9, 5]), 4), _in_two_runs(np.array([0, 2, 4, 6]), 4)
    (True, False)
    """
    ends = np.flatnonzero(np.diff(offsets) != 1) + 1  # where runs begin
    inside = ends[ends % lanes != 0]
    return not len(inside) or int(np.bincount(inside // lanes).max()) <= 1


def _across(kind, n):
    """How many vectors wide the tiles are."""
    return 1 if n <= registers()[0] // SIZE[kind] else 2


def rows_at_once(kind, columns):
    """For how many rows a kernel that follows a product is called."""
    group = TOGETHER * heights(2)[0]
    return group * max(_EPILOGUE_BYTES // (columns * SIZE[kind] * group), 1)
