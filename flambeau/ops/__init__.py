"""The operations, by family; importing the folder defines them all."""

from . import (
    compare,
    complexes,
    creation,
    einsum,
    elementwise,
    index,
    joining,
    matmul,
    movement,
    norm,
    pointwise,
    random,
    rearrange,
    reduce,
)

__all__ = [
    "compare",
    "complexes",
    "creation",
    "einsum",
    "elementwise",
    "index",
    "joining",
    "matmul",
    "movement",
    "norm",
    "pointwise",
    "random",
    "rearrange",
    "reduce",
]
