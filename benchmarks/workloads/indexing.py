"""What picks, moves or orders elements, of 1M floats each."""

from .kernels import normal
from .registry import workload

SIZE = 1_000_000


@workload("mask", ratio=1.0)
def mask(torch):
    """The elements above 0 of 1M: a boolean mask."""
    x = normal(torch, SIZE)
    return lambda: x[x > 0]


def positions(torch):
    """1M random positions."""
    return torch.randint(0, SIZE, (SIZE,))


@workload("gather", ratio=1.0)
def gather(torch):
    """1M elements gathered from 1M, at random positions."""
    x, index = normal(torch, SIZE), positions(torch)
    return lambda: torch.gather(x, 0, index)


@workload("scatter_add", ratio=1.0)
def scatter_add(torch):
    """1M elements added to 1M zeros, at random positions."""
    x, index = normal(torch, SIZE), positions(torch)
    return lambda: torch.zeros(SIZE).scatter_add(0, index, x)


@workload("sort", ratio=5.0)
def sort(torch):
    """1M floats sorted, and where they were."""
    x = normal(torch, SIZE)
    return lambda: torch.sort(x)


@workload("topk", ratio=1.0)
def topk(torch):
    """The 100 largest of 1M floats, and where they were."""
    x = normal(torch, SIZE)
    return lambda: torch.topk(x, 100)
