"""The operations, by family; importing the folder defines them all."""

from . import (
    compare,
    complexes,
    creation,
    elementwise,
    index,
    matmul,
    movement,
    pointwise,
    random,
    reduce,
)

__all__ = [
    "compare",
    "complexes",
    "creation",
    "elementwise",
    "index",
    "matmul",
    "movement",
    "pointwise",
    "random",
    "reduce",
]
