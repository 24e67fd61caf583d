"""Exceptions that PyTorch has a class of its own for."""

__all__ = ["AcceleratorError", "LinAlgError", "OutOfMemoryError"]


class OutOfMemoryError(RuntimeError):
    """A device has no memory left for a tensor."""


class AcceleratorError(RuntimeError):
    """A device other than the CPU has failed."""


class LinAlgError(RuntimeError):
    """A matrix does not have what a function of linear algebra needs, such as an inverse."""
