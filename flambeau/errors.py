"""Exceptions that PyTorch has a class of its own for."""

import builtins

__all__ = [
    "AcceleratorError",
    "IndexError",
    "IntegerDivisionError",
    "LinAlgError",
    "OutOfMemoryError",
    "SparseOperand",
]


class OutOfMemoryError(RuntimeError):
    """A device has no memory left for a tensor."""


class AcceleratorError(RuntimeError):
    """A device other than the CPU has failed."""


class IndexError(builtins.IndexError, RuntimeError):
    """An index is out of range: PyTorch raises one or the other class, by function."""


class IntegerDivisionError(ZeroDivisionError, RuntimeError):
    """A whole number is divided by zero."""


class SparseOperand(NotImplementedError):
    """What is recorded of a dense tensor was asked of a sparse one, which has another form of it.

    The function that the user called catches it, and returns `instead` what that form gives.
    """

    def __init__(self, tensor):
        super().__init__(f"there is no such operation on tensors of layout {tensor.layout}")
        self.tensor = tensor

    def instead(self, name, args, kwargs):
        """What the function `name` gives for these arguments, of which some are sparse."""
        return self.tensor._form(name, args, kwargs)


class LinAlgError(RuntimeError):
    """A matrix does not have what a function of linear algebra needs, such as an inverse."""
