"""`flambeau.utils.dlpack`: memory shared with other libraries."""

from ..ops.layouts import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
