"""A writer of pickles in which tensors, and whatever else is flambeau's, have PyTorch's names.

Where a tensor lies in its storage is known only when all tensors have been seen, for the storage
is cut down to what they use: those numbers are written last, into the places kept for them.
"""

import collections
import io
import pickle
import struct
import types

import numpy as np

from .. import dtypes, formats
from ..overriding import Overridable
from . import tensors
from .locations import tag_of
from .names import STORAGE_TYPES, UNTYPED, StorageType, file_name_of
from .skipping import skips_data
from .storages import (
    REBUILD,
    rebuild_from_type_v2,
    rebuild_parameter,
    rebuild_parameter_with_state,
    rebuild_tensor_v2,
    rebuild_tensor_v3,
)

__all__ = ["SavedStorage", "TensorPickler"]

PROTOCOL = 2
_REBUILD_NAMES = {function: name for name, function in REBUILD.items()}
_BUILTIN = frozenset((bool, int, float, str, bytes, tuple, list, dict, types.FunctionType))
_LAYOUT = ("torch.serialization", "_get_layout")


class SavedStorage:
    """A storage that is being saved: elements `start` to `stop` of `array`.

    It is bytes to PyTorch where there is no class for its dtype; the tensors then name it.
    """

    def __init__(self, index, view):
        self.key, self.array, self.dtype = view.key, view.array, view.dtype
        self.kind = STORAGE_TYPES.get(self.dtype, UNTYPED)
        self.id = ("storage", self.kind, str(index), tag_of(view))
        self.start = self.stop = None

    def include(self, view):
        """Keep what a tensor sees."""
        if 0 in view.shape:
            return
        stop = view.offset + tensors.span(view.shape, view.strides)
        self.start = view.offset if self.start is None else min(self.start, view.offset)
        self.stop = stop if self.stop is None else max(self.stop, stop)

    @property
    def numel(self):
        """The number of elements that are kept, as PyTorch counts them."""
        kept = (self.stop or 0) - (self.start or 0)
        return kept * self.array.itemsize // self.kind.dtype.itemsize

    def data(self):
        """The elements that are kept, as an array of bytes."""
        kept = self.array[self.start or 0 : self.stop or 0].view("u1")
        return np.zeros_like(kept) if skips_data() else kept


class _Later:
    """A number that is known when all tensors have been seen."""

    def __init__(self, get):
        self.get = get


class _Data:
    """A tensor without what makes it more than its elements."""

    def __init__(self, tensor, requires_grad):
        self.tensor, self.requires_grad = tensor, requires_grad


class _Global:
    """A class or function that is written under a given name."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self):
        """Never called: pickle insists that what it writes a call of can be called."""


class TensorPickler(pickle._Pickler):
    """Writes one pickle; `storages` are then those it names, in the order of their keys.

    Args: tail: what the persistent id of a storage has after its number of elements.
    """

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, tail=()):
        self._file = io.BytesIO()
        super().__init__(self._file, PROTOCOL)
        self._tail, self._later, self._by_key = tail, [], {}

    @property
    def storages(self):
        """The `SavedStorage`s that the pickle names."""
        return list(self._by_key.values())

    def dumps(self, obj):
        """The pickle of an object, as bytes."""
        self.dump(obj)
        data = self._file.getbuffer()
        for position, get in self._later:
            struct.pack_into("<q", data, position, get())
        return data.tobytes()

    def persistent_id(self, obj):
        """The id of a storage, which is no part of the pickle; None for any other object."""
        if tensors.is_storage(obj):
            obj = self._include(tensors.view_of_storage(obj))
        if type(obj) is not SavedStorage:
            return None
        return (*obj.id, _Later(lambda: obj.numel), *self._tail)

    def reducer_override(self, obj):
        """How to build what is flambeau's, as PyTorch does."""
        if type(obj) in _BUILTIN:
            return NotImplemented
        if tensors.is_tensor(obj):
            return self._reduce_tensor(obj)
        if isinstance(obj, _Data):
            return self._reduce_data(obj.tensor, obj.requires_grad)
        if isinstance(obj, StorageType):
            return obj.name
        if isinstance(obj, (dtypes.dtype, formats.memory_format)):
            return obj.name
        if isinstance(obj, formats.layout):
            return _Global(*_LAYOUT), (repr(obj),)
        return NotImplemented

    def _reduce_tensor(self, tensor):
        attributes = tensors.attributes_of(tensor)
        cls = type(tensor)
        if tensors.is_parameter(tensor):
            args = (_Data(tensor, False), tensor.requires_grad, collections.OrderedDict())
            if attributes:
                return rebuild_parameter_with_state, (*args, attributes)
            return rebuild_parameter, args
        function, args = self._reduce_data(tensor, tensor.requires_grad)
        if attributes or not tensors.is_plain(tensor):
            return rebuild_from_type_v2, (function, cls, args, attributes)
        return function, args

    def _reduce_data(self, tensor, requires_grad):
        view = tensors.view_of(tensor)
        storage = self._include(view)
        is_empty = 0 in view.shape
        offset = _Later(lambda: 0 if is_empty else view.offset - storage.start)
        hooks = collections.OrderedDict()
        args = (storage, offset, view.shape, view.strides, requires_grad, hooks)
        if storage.kind is UNTYPED:
            return rebuild_tensor_v3, (*args, view.dtype)
        return rebuild_tensor_v2, args

    def _include(self, view):
        """The storage of a view, which from now on includes what it sees."""
        storage = self._by_key.get(id(view.key))
        if storage is None:
            storage = self._by_key[id(view.key)] = SavedStorage(len(self._by_key), view)
        if storage.dtype is not view.dtype:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                "types"
            )
        storage.include(view)
        return storage

    def save_global(self, obj, name=None):
        """Write a class or function, under the name PyTorch has for it."""
        known = self._known_name(obj, name)
        if known is None:
            super().save_global(obj, name)
            return
        self.write(pickle.GLOBAL + "{}\n{}\n".format(*known).encode())
        self.memoize(obj)

    def _known_name(self, obj, name):
        if isinstance(obj, _Global):
            return obj.module, obj.name
        if isinstance(obj, StorageType):
            return obj.module, obj.name
        if isinstance(obj, (dtypes.dtype, formats.memory_format)):
            return "torch", name
        return _REBUILD_NAMES.get(obj) or file_name_of(obj, name)

    def save_later(self, obj):
        """Keep a place for a number."""
        self.write(pickle.LONG1 + b"\x08")
        self._later.append((self._file.tell(), obj.get))
        self.write(bytes(8))

    def save_overridable(self, obj):
        """Write the function that asks as the function itself."""
        self.save(obj.function)

    dispatch[Overridable] = save_overridable
    dispatch[_Later] = save_later
    dispatch[_Global] = save_global
    dispatch[types.FunctionType] = save_global
