"""`flambeau.backends.openmp`: OpenMP, which is not in use."""

__all__ = ["is_available"]


def is_available():
    """Whether it is in use."""
    return False
