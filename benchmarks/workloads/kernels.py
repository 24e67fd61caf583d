"""Elementwise chains, reductions, and rows that are normalised."""

from .registry import workload


def normal(torch, *shape, grad=False):
    """Standard normal numbers, the same for both libraries."""
    torch.manual_seed(0)
    return torch.randn(*shape).requires_grad_(grad)


@workload("chain", ratio=6.0)
def chain(torch):
    """12 elementwise operations on 4M floats."""
    x = normal(torch, 2048, 2048)

    def call():
        y = x * 0.5 + 1.0
        y = (y * x - 0.25).abs() + 0.1
        return (y.sqrt() * x + y / 3.0).relu() - y * y

    return call


def backward_of(torch, loss, *leaves):
    """A call that runs `loss()` and its backward pass, and returns the gradients."""

    def call():
        for leaf in leaves:
            leaf.grad = None
        loss().backward()
        return [leaf.grad for leaf in leaves]

    return call


@workload("cross_entropy", ratio=1.3)
def cross_entropy(torch):
    """Cross entropy of 4096 x 1000, forward and backward."""
    x = normal(torch, 4096, 1000, grad=True)
    y = torch.randint(0, 1000, (4096,))
    return backward_of(torch, lambda: torch.nn.functional.cross_entropy(x, y), x)


@workload("softmax", ratio=1.0)
def softmax(torch):
    """Softmax of 2048 x 1024."""
    x = normal(torch, 2048, 1024)
    return lambda: torch.softmax(x, 1)


@workload("layer_norm", ratio=1.0)
def layer_norm(torch):
    """Layer norm of 4096 x 512, forward and backward."""
    x = normal(torch, 4096, 512, grad=True)
    weight = normal(torch, 4096, 512)
    norm = torch.nn.LayerNorm(512)
    return backward_of(torch, lambda: (norm(x) * weight).sum(), x, norm.weight, norm.bias)


@workload("sum_rows", ratio=1.0)
def sum_rows(torch):
    """The sum of each row of 4096 x 1024."""
    x = normal(torch, 4096, 1024)
    return lambda: x.sum(1)


@workload("sum_columns", ratio=1.0)
def sum_columns(torch):
    """The sum of each column of 4096 x 1024."""
    x = normal(torch, 4096, 1024)
    return lambda: x.sum(0)
