"""Calls that PyTorch's compiled programs would make at the same time as others."""

from ..futures import Future

__all__ = ["fork", "wait"]


def fork(func, *args, **kwargs):
    """A future of func(*args, **kwargs), which is called at once: its errors come out here.

    What it records is run together with what else is recorded.

    >>> import flambeau as torch
    >>> torch.jit.wait(torch.jit.fork(torch.add, torch.ones(1), 2))
    tensor([3.])
    """
    future = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future):
    """The value of a future."""
    return future.wait()
