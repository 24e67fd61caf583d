"""Linear algebra."""

from .ops.factor import qr

__all__ = ["qr"]
