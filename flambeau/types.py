"""Types for annotations, as programs written for PyTorch import them."""

import builtins
import os
from collections.abc import Sequence

from .dtypes import dtype
from .recorder.handle import Size, Tensor, device
from .storage import UntypedStorage as Storage

__all__ = ["Device", "FileLike", "Number", "Storage", "Tensor"]

_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_dtype, _device = dtype, device
_size = Size | list[int] | tuple[int, ...]
_symsize = _size
_dispatchkey = str
_TensorOrTensors = Tensor | Sequence[Tensor]
_TensorOrOptionalTensors = Tensor | None | Sequence[Tensor | None]

Device = device | str | int | None
FileLike = str | os.PathLike
Number = int | float | bool
