"""Borders around the last dims: `pad`."""

from ...ops.padding import pad

__all__ = ["pad"]
