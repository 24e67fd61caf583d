"""Storages as objects: the memory that tensors view.

They are looked at for the address and the size of memory, and to find out which tensors share it.
"""

import os

import numpy as np

from . import dtypes
from .ops.api import METHODS
from .ops.from_data import from_array, from_numpy
from .recorder import inplace, sync
from .recorder.entering import share
from .recorder.handle import CPU, Tensor
from .sharing import is_shared, share_memory_

__all__ = ["TypedStorage", "UntypedStorage"]


class UntypedStorage:
    """The bytes of a tensor's memory, or `nbytes` fresh ones.

    >>> import flambeau as torch
    >>> x = torch.zeros(2, 3)
    >>> x[1].untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    True
    """

    is_cuda = is_sparse = False
    device = CPU

    def __init__(self, source=0):
        if not isinstance(source, Tensor):
            source = from_array(np.zeros(int(source), np.uint8), dtypes.uint8)
        self._view = inplace.detached(source)  # keeps the memory, wherever the tensor goes

    @property
    def _memory(self):
        return share(self._view)

    @property
    def _cdata(self):
        return id(self._memory)

    def data_ptr(self):
        """The address of its first byte."""
        return sync.realize(self._view)[0].ptr

    def nbytes(self):
        """Its size in bytes."""
        meta = self._memory.meta
        return meta.numel * meta.dtype.itemsize

    size = __len__ = nbytes

    def element_size(self):
        """The size of an element: a byte."""
        return 1

    def _bytes(self):
        return sync.realize(self._view)[0].numpy(np.dtype(np.uint8), self.nbytes())

    def tolist(self):
        """The bytes as a list of ints."""
        return self._bytes().tolist()

    @classmethod
    def from_file(cls, filename, shared=False, nbytes=0):
        """The first `nbytes` bytes of a file, mapped into memory.

        What is written goes to the file if it is `shared`, which then grows as needed.
        Raises: RuntimeError if the file can not be opened, or has fewer bytes.
        """
        try:
            if shared:
                with open(filename, "ab") as file:
                    file.truncate(max(file.tell(), nbytes))
            length = os.path.getsize(filename)
        except OSError as error:
            raise RuntimeError(f"unable to open file <{filename}>: {error}") from error
        if length < nbytes:
            raise RuntimeError(
                f"file <{filename}> size <{length}> is smaller than the required mapping size "
                f"<{nbytes}>"
            )
        if not nbytes:
            return cls()
        mapped = np.memmap(filename, np.uint8, "r+" if shared else "c", shape=(nbytes,))
        return cls(from_numpy(mapped))

    def _exposed(self):
        """The bytes as an array that may be kept and written to."""
        seen = inplace.detached(self._view)
        whole = seen.as_strided((share(seen).meta.numel,), (1,), 0)
        return whole.view(dtypes.uint8).numpy()

    def __array__(self, dtype=None, copy=None):
        return np.array(self._exposed(), dtype, copy=copy)

    def __getitem__(self, index):
        if not isinstance(index, slice):
            return int(self._bytes()[index])
        if index.step not in (None, 1):
            raise RuntimeError(
                f"Trying to slice with a step of {index.step}, but only a step of 1 is supported"
            )
        return UntypedStorage(from_numpy(self._exposed()[index]))

    def __iter__(self):
        return iter(self.tolist())

    def clone(self):
        """A copy with memory of its own."""
        return UntypedStorage(from_array(self._bytes(), dtypes.uint8))

    def cpu(self):
        """The storage itself: it is on the CPU."""
        return self

    def untyped(self):
        """The storage itself."""
        return self

    def share_memory_(self):
        """Move it to memory that other processes can see, with all tensors that view it."""
        share_memory_(self._view)
        return self

    def is_shared(self):
        """Whether other processes can see it."""
        return is_shared(self._view)

    def is_pinned(self, device=None):
        """Whether it is page-locked for a device."""
        return False

    def __eq__(self, other):
        return isinstance(other, UntypedStorage) and self._memory is other._memory

    def __hash__(self):
        return hash(self._cdata)

    def __repr__(self):
        values = "\n".join(f" {b}" for b in self.tolist())
        return f"{values}\n[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


class TypedStorage:
    """A storage seen as elements of a dtype, as `Tensor.storage()` gives it."""

    is_cuda = is_sparse = False
    device = CPU

    def __init__(self, *, wrap_storage, dtype):
        self._untyped, self.dtype = wrap_storage, dtype

    def untyped(self):
        """The bytes."""
        return self._untyped

    def data_ptr(self):
        """The address of its first element."""
        return self._untyped.data_ptr()

    def nbytes(self):
        """Its size in bytes."""
        return self._untyped.nbytes()

    def element_size(self):
        """The size of an element in bytes."""
        return self.dtype.itemsize

    def size(self):
        """The number of elements."""
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def _elements(self):
        return dtypes.decode(self._untyped._bytes().view(self.dtype.numpy), self.dtype)

    def tolist(self):
        """The elements as a list of numbers."""
        return self._elements().tolist()

    def __getitem__(self, index):
        return self._elements()[index].tolist()

    def __setitem__(self, index, value):
        if type(index) is int and not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of bounds for {len(self)} elements")
        seen = inplace.detached(self._untyped._view)
        whole = seen.as_strided((share(seen).meta.numel,), (1,), 0)
        METHODS["__setitem__"](whole.view(self.dtype), index, value)

    def __iter__(self):
        return iter(self.tolist())

    def share_memory_(self):
        """As `UntypedStorage.share_memory_`."""
        self._untyped.share_memory_()
        return self

    def is_shared(self):
        """Whether other processes can see it."""
        return self._untyped.is_shared()

    def __eq__(self, other):
        if not isinstance(other, TypedStorage):
            return False
        return self._untyped == other._untyped and self.dtype is other.dtype

    def __hash__(self):
        return hash((self._untyped, self.dtype))

    def __repr__(self):
        values = "\n".join(f" {x}" for x in self.tolist())
        return (
            f"{values}\n[torch.storage.TypedStorage(dtype={self.dtype}, device=cpu) of size "
            f"{self.size()}]"
        )
