"""Products of square matrices."""

from .kernels import normal
from .registry import workload


def product(torch, size):
    """A product of two matrices of float32."""
    a, b = normal(torch, size, size), normal(torch, size, size)
    return lambda: a @ b


@workload("matmul_64", ratio=1.0)
def matmul_64(torch):
    """A product of matrices of 64 x 64."""
    return product(torch, 64)


@workload("matmul_256", ratio=1.0)
def matmul_256(torch):
    """A product of matrices of 256 x 256."""
    return product(torch, 256)


@workload("matmul_1024", ratio=1.0)
def matmul_1024(torch):
    """A product of matrices of 1024 x 1024."""
    return product(torch, 1024)
