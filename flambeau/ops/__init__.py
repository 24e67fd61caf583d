"""The operations, by family; importing the folder defines them all."""

from . import creation, elementwise, index, matmul, movement, reduce

__all__ = ["creation", "elementwise", "index", "matmul", "movement", "reduce"]
