"""What one small operation costs, whatever it computes."""

from .registry import workload

LENGTH = 1000


def adds(torch, requires_grad):
    """1000 dependent sums of 4 elements, and the number that they end in."""
    x = torch.ones(4, requires_grad=requires_grad)

    def call():
        y = x
        for _ in range(LENGTH):
            y = y + x
        return y.sum().item()

    return call


@workload("record", per=LENGTH, ratio=2.0, seconds=0.5e-6)
def record(torch):
    """One `a + b` on 4 elements, of 1000 in a row."""
    return adds(torch, False)


@workload("record_grad", per=LENGTH, ratio=1.0, seconds=0.5e-6)
def record_grad(torch):
    """The same where gradients are tracked."""
    return adds(torch, True)


@workload("record_backward", per=LENGTH, ratio=2.0)
def record_backward(torch):
    """One `a + b` on 4 elements and its backward pass, of 1000 in a row."""
    x = torch.ones(4, requires_grad=True)

    def call():
        x.grad = None
        y = x
        for _ in range(LENGTH):
            y = y + x
        y.sum().backward()
        return x.grad.sum().item()

    return call
