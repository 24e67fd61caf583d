"""`flambeau.backends.mps`: whether there are Apple's GPUs."""

__all__ = ["is_available", "is_built"]


def is_available():
    """Whether there is an MPS device."""
    return False


def is_built():
    """Whether flambeau can use one."""
    return False
