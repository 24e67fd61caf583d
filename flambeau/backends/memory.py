"""Blocks of memory that tensors and programs live in, kept for reuse.

A fresh large block costs more in page faults than the arithmetic on it, so a block that nobody
uses any more waits in a pool for the next one of its size class.
"""

import functools
import sys
import weakref

import numpy as np

__all__ = ["Buffer", "Part", "pool_bytes", "release_pool"]

ALIGNMENT = 64
SMALL = 1 << 12
_pool = {}
_pooled = 0
MAX_POOLED = 1 << 31
_OWNER_REFS = 3  # of the array whose memory was adopted, if only the buffer knows it
_BASE_REFS = 2  # of the array that it is a view of, if only that view knows it


class Buffer:
    """A block of memory: its address, its size in bytes and the NumPy array that owns it.

    A buffer made by `allocate` goes back to the pool when nothing refers to it or to an array
    made from it. One made by `adopt` belongs to whoever made the array.
    """

    __slots__ = ("__weakref__", "array", "nbytes", "outside", "owner", "ptr")

    def __init__(self, array, ptr, nbytes, owner=None):
        self.array, self.ptr, self.nbytes = array, ptr, nbytes
        self.outside, self.owner = None, owner

    @classmethod
    def allocate(cls, nbytes):
        """A buffer of at least `nbytes` bytes, its contents undefined."""
        size = _size_class(nbytes)
        free = _pool.get(size)
        if free:
            global _pooled
            _pooled -= size
            array, ptr = free.pop()
        else:
            raw = np.empty(size + ALIGNMENT, np.uint8)
            start = -raw.__array_interface__["data"][0] % ALIGNMENT
            array = raw[start : start + size]
            ptr = array.__array_interface__["data"][0]
        return _Pooled(array, ptr, nbytes)

    @classmethod
    def adopt(cls, array):
        """A buffer over the memory of a contiguous NumPy array, which may be in use elsewhere."""
        flat = array.reshape(-1).view(np.uint8) if array.size else np.empty(0, np.uint8)
        return cls(flat, flat.__array_interface__["data"][0], flat.size, flat.base)

    def numpy(self, kind, count, offset=0):
        """The elements as a flat NumPy array of `kind`, sharing the memory."""
        return self.array[: count * kind.itemsize].view(kind)

    def share(self):
        """Note that somebody outside may hold this memory from now on: returns a token for them.

        While the token, or an array whose base it is, lives, `is_shared` is true.
        """
        token = self.outside() if self.outside is not None else None
        if token is None:
            token = _Token(self)
            self.outside = weakref.ref(token)
        return token

    @property
    def is_shared(self):
        """Whether an array outside may still read or write this memory."""
        if self.outside is not None and self.outside() is not None:
            return True
        owner = self.owner
        if owner is None:
            return False
        if type(owner) is not np.ndarray:
            return True
        del owner
        if sys.getrefcount(self.owner) > _OWNER_REFS:
            return True
        if self.owner.base is None:
            return False
        return (
            type(self.owner.base) is not np.ndarray
            or type(self.owner.base.base) is _Token  # the memory of another tensor
            or sys.getrefcount(self.owner.base) > _BASE_REFS
        )


class Part(Buffer):
    """A stretch of another buffer, from a byte on; writes to the other one go elsewhere meanwhile.

    That holds because a buffer with more references than its tensor's is not written in place.
    """

    __slots__ = ("whole",)

    def __init__(self, whole, start):
        super().__init__(whole.array[start:], whole.ptr + start, whole.nbytes - start)
        self.whole = whole
        if whole.owner is not None or whole.outside is not None:
            self.owner = whole

    def share(self):
        """As `Buffer.share`, of the whole."""
        return self.whole.share()

    @property
    def is_shared(self):
        """Whether an array outside may use the whole."""
        return self.whole.is_shared


class _Token:
    """What an exported array holds on to: it keeps the buffer alive, and tells that it is used."""

    __slots__ = ("__array_interface__", "__weakref__", "buffer")

    def __init__(self, buffer):
        self.buffer = buffer
        self.__array_interface__ = {
            "data": (buffer.ptr, False),
            "shape": (buffer.nbytes,),
            "typestr": "|u1",
            "version": 3,
        }


class _Pooled(Buffer):
    __slots__ = ()

    def __del__(self):
        global _pooled
        size = self.array.size
        if _pooled + size <= MAX_POOLED and self.outside is None:
            _pool.setdefault(size, []).append((self.array, self.ptr))
            _pooled += size


@functools.lru_cache(4096)
def _size_class(nbytes):
    if nbytes <= SMALL:
        return max(64, 1 << (nbytes - 1).bit_length()) if nbytes else 64
    step = 1 << ((nbytes - 1).bit_length() - 3)
    return -(-nbytes // step) * step


def pool_bytes():
    """Bytes of free blocks that wait for reuse."""
    return _pooled


def release_pool():
    """Give all free blocks back to the system."""
    global _pooled
    _pool.clear()
    _pooled = 0
