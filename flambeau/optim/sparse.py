"""Gradients that are given for some rows of a parameter only."""

__all__ = ["rows"]


def rows(g):
    """(indices, values) of a sparse gradient: `dense[indices]` are the rows that it is about.

    indices: a tuple of integer tensors, without repetition; values: of shape (rows, ...).
    """
    g = g.coalesce()
    return tuple(g.indices()), g.values()
