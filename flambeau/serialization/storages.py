"""From the storages of a file to tensors, with every bound checked.

The functions named `rebuild_...` are those that pickles call; PyTorch's names for them are in
`REBUILD`.
"""

import math
import sys
from pickle import UnpicklingError

import numpy as np

from .. import dtypes
from . import tensors
from .names import UNTYPED, StorageType

__all__ = ["REBUILD", "LoadedStorage", "aligned", "check_storage_id", "native"]

MAX_DIMS = 64
MAX_NUMEL = 1 << 62


class LoadedStorage(tensors.TypedStorage):
    """A block of elements from a file; it is what a user gets who has saved a storage.

    Args: array: the elements; is_read: False while they are still to be read into the array.
    `shared` is what its tensors view, None before there is one.
    """

    def __init__(self, array, dtype, is_read=True):
        self.array, self.dtype, self.is_read = array, dtype, is_read
        self.shared = None

    @property
    def _untyped(self):
        return tensors.UntypedStorage(self.view(0, self.array.shape, (1,), False))

    def typed(self, dtype):
        """The same bytes as elements of `dtype`, unless a tensor views them as another already."""
        if dtype is not self.dtype:
            if self.shared is not None or self.array.nbytes % dtype.itemsize:
                raise UnpicklingError(f"a storage of {self.dtype} is viewed as {dtype}")
            self.array, self.dtype = aligned(self.array, dtype), dtype
        return self

    def view(self, offset, size, stride, requires_grad):
        """A tensor over part of the elements. Raises UnpicklingError where it reaches beyond."""
        size, stride, offset = _check_geometry(self.array.size, size, stride, offset)
        if requires_grad and self.dtype.category < dtypes.FLOAT:
            raise UnpicklingError(f"a tensor of {self.dtype} can not require gradients")
        if self.shared is None:
            self.shared = tensors.make_storage(self.array, self.dtype)
        return tensors.make_tensor(self.shared, offset, size, stride, bool(requires_grad))


def aligned(data, dtype):
    """Bytes as an array of the storage dtype, copied only where they are not aligned."""
    if data.ctypes.data % dtype.itemsize:
        data = data.copy()
    return data.view(dtype.numpy)


def native(array, kind, byteorder):
    """The elements of a storage, in place, in the byte order of this machine."""
    if byteorder != sys.byteorder:
        if kind == UNTYPED:
            raise UnpicklingError("a storage without a dtype is in another machine's byte order")
        array.byteswap(inplace=True)
    return array


def check_storage_id(pid, length):
    """(type, key, location, numel) of the persistent id of a storage."""
    if type(pid) is not tuple or len(pid) != length or pid[0] != "storage":
        raise UnpicklingError(f"{pid!r:.200} is not the id of a storage")
    kind, key, location, numel = pid[1:5]
    is_id = isinstance(kind, StorageType) and isinstance(key, str) and isinstance(location, str)
    if not is_id or not _is_count(numel):
        raise UnpicklingError(f"{pid!r:.200} is not the id of a storage")
    return kind, key, location, numel


def _is_count(value):
    return type(value) is int and 0 <= value < MAX_NUMEL


def _check_geometry(available, size, stride, offset):
    numbers = (*size, *stride, offset) if isinstance(size, tuple) else (None,)
    if len(numbers) != 2 * len(size) + 1 or not all(map(_is_count, numbers)):
        raise UnpicklingError(f"{size!r:.200} {stride!r:.200} {offset!r:.200} is no geometry")
    numel = math.prod(size)
    if len(size) > MAX_DIMS or numel >= MAX_NUMEL:
        raise UnpicklingError(f"a tensor of size {list(size)} is too large")
    if numel:
        last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
        if last >= available:
            raise UnpicklingError(
                f"a tensor of size {list(size)}, stride {list(stride)} and offset {offset} reaches "
                f"beyond its storage of {available} elements"
            )
    return size, stride, offset if numel else 0


def _storage(value):
    if not isinstance(value, LoadedStorage):
        raise UnpicklingError(f"expected a storage, got {type(value).__name__}")
    return value


def _tensor(value):
    if not tensors.is_tensor(value):
        raise UnpicklingError(f"expected a tensor, got {type(value).__name__}")
    return value


def rebuild_tensor(storage, offset, size, stride):
    """A tensor of a file from before `requires_grad` was kept."""
    return _storage(storage).view(offset, size, stride, False)


def rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks, metadata=None):
    """A tensor whose storage has its dtype; hooks are not part of it."""
    storage = _resolve(_storage(storage), metadata)
    return storage.view(offset, size, stride, requires_grad)


def rebuild_tensor_v3(storage, offset, size, stride, requires_grad, hooks, dtype, metadata=None):
    """A tensor whose storage is bytes."""
    if not isinstance(dtype, dtypes.dtype):
        raise UnpicklingError(f"expected a dtype, got {type(dtype).__name__}")
    storage = _resolve(_storage(storage).typed(dtype), metadata)
    return storage.view(offset, size, stride, requires_grad)


def _resolve(storage, metadata):
    """The storage, or one of its own for a tensor that is conjugated or negated when read."""
    changes = [name for name, is_set in (metadata or {}).items() if is_set is True]
    if not changes:
        return storage
    if not storage.is_read:
        raise UnpicklingError("a tensor to conjugate or negate stands before its elements")
    array = storage.array
    for name in changes:
        if name not in ("conj", "neg"):
            raise UnpicklingError(f"unknown metadata {name!r} of a tensor")
        array = np.conj(array) if name == "conj" else np.negative(array)
    return LoadedStorage(array, storage.dtype)


def rebuild_parameter(data, requires_grad, hooks):
    """A parameter."""
    return tensors.make_parameter(_tensor(data), bool(requires_grad))


def rebuild_parameter_with_state(data, requires_grad, hooks, state):
    """A parameter that attributes have been set on."""
    return _with_state(rebuild_parameter(data, requires_grad, hooks), state)


def rebuild_from_type_v2(function, cls, args, state):
    """A tensor that attributes have been set on, or of a subclass."""
    known = any(function is f for f in _OF_TENSORS) and isinstance(args, tuple)
    if not known or not tensors.is_tensor_type(cls):
        raise UnpicklingError("a tensor is built in an unknown way")
    return _with_state(tensors.make_subclass(function(*args), cls), state)


def _with_state(tensor, state):
    if isinstance(state, tuple):
        for part in state:
            _with_state(tensor, part)
    elif state:
        tensors.set_attributes(tensor, state)
    return tensor


_OF_TENSORS = (rebuild_tensor, rebuild_tensor_v2, rebuild_tensor_v3)
REBUILD = {
    ("torch._tensor", "_rebuild_from_type_v2"): rebuild_from_type_v2,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter_with_state,
    ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_tensor_v3,
}
