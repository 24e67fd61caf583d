"""`flambeau.backends.opt_einsum`: opt_einsum, which is not in use."""

__all__ = ["is_available"]

enabled = False


def is_available():
    """Whether it is in use."""
    return False
