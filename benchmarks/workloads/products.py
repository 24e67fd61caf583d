"""Products of square matrices."""

from .kernels import normal
from .registry import workload

LENGTH = 20


def chain(torch, size):
    """Products, each of the last one's result and the same matrix."""
    a = normal(torch, size, size) / size**0.5

    def call():
        x = a
        for _ in range(LENGTH):
            x = x @ a
        return x

    return call


@workload("matmul_64", per=LENGTH, ratio=1.0)
def matmul_64(torch):
    """A product of matrices of 64 x 64, of 20 in a row."""
    return chain(torch, 64)


@workload("matmul_256", per=LENGTH, ratio=1.0)
def matmul_256(torch):
    """A product of matrices of 256 x 256, of 20 in a row."""
    return chain(torch, 256)


@workload("matmul_1024", per=LENGTH, ratio=1.0)
def matmul_1024(torch):
    """A product of matrices of 1024 x 1024, of 20 in a row."""
    return chain(torch, 1024)


@workload("matmul_seen")
def matmul_seen(torch):
    """A single product of matrices of 64 x 64 whose result is looked at."""
    a, b = normal(torch, 64, 64), normal(torch, 64, 64)
    return lambda: a @ b
