"""Memory that processes share: what `Tensor.share_memory_` moves a tensor to.

What others may write is never read later than recorded: the engine treats such memory as that of a
NumPy array of the user's.
"""

import os
import sys
import weakref

import numpy as np

from .backends.memory import Buffer
from .recorder import sync
from .recorder.entering import memory_of, share
from .recorder.handle import Storage, Tensor, intern
from .recorder.inplace import join

__all__ = [
    "DESCRIPTOR",
    "FILE",
    "ONE_DESCRIPTOR",
    "SharedBuffer",
    "family",
    "is_shared",
    "new_path",
    "opened",
    "share_memory_",
    "shared_storage",
    "tensor_over",
]

# How memory is passed on: by a descriptor of a file without a name, or by the name of a file.
DESCRIPTOR, FILE = "file_descriptor", "file_system"
_FOLDER = "/dev/shm"
# For `mmap.mmap`: from Python 3.13 on it need not keep a descriptor of its own open.
ONE_DESCRIPTOR = {"trackfd": False} if sys.version_info >= (3, 13) else {}
_known = weakref.WeakValueDictionary()  # the shared memory of this process, by device and inode


class SharedBuffer(Buffer):
    """Memory that a file gives, mapped: `descriptor` is the file, open; or `path` is its name."""

    __slots__ = ("creator", "descriptor", "path")

    def __init__(self, descriptor, path=None):
        import mmap

        memory = mmap.mmap(descriptor, 0, **ONE_DESCRIPTOR)
        array = np.frombuffer(memory, np.uint8)
        super().__init__(array, array.__array_interface__["data"][0], array.size, memory)
        self.descriptor, self.path, self.creator = descriptor, path, os.getpid()
        _known[_identity(descriptor)] = self
        if path is not None:
            os.close(descriptor)
            self.descriptor = None

    @classmethod
    def new(cls, nbytes, strategy):
        """Fresh memory of `nbytes` bytes."""
        path = None
        if strategy == DESCRIPTOR:
            descriptor = os.memfd_create("flambeau", os.MFD_CLOEXEC)
        else:
            path = new_path()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.ftruncate(descriptor, max(nbytes, 1))  # nothing can not be mapped
        return cls(descriptor, path)

    def __del__(self):
        creator = getattr(self, "creator", None)  # there is none where no file could be made
        if creator is not None and self.descriptor is not None:
            os.close(self.descriptor)
        if creator == os.getpid() and self.path is not None and os.path.exists(self.path):
            os.unlink(self.path)  # a forked process leaves it to the one that made it


def opened(descriptor, path=None):
    """The memory of an open file, which is closed or kept; the same for the same file."""
    found = _known.get(_identity(descriptor))
    if found is None:
        return SharedBuffer(descriptor, path)
    os.close(descriptor)
    if path is not None:
        os.unlink(path)
    return found


def _identity(descriptor):
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def new_path():
    """The name of a file in memory, which tells the family of processes that it belongs to."""
    if os.path.isdir(_FOLDER):
        folder = _FOLDER
    else:
        import tempfile

        folder = tempfile.gettempdir()
    return os.path.join(folder, f"{family()}-{os.urandom(8).hex()}")


def family():
    """How the names of the files start that this process and its relatives share."""
    import hashlib
    from multiprocessing import current_process

    # Children are given the key of their parents.
    key = hashlib.blake2b(current_process().authkey, digest_size=8).hexdigest()
    return f"flambeau-{key}"


def share_memory_(tensor):
    """Move a tensor, and all that view its storage, to memory that other processes can see.

    Does nothing where it is there already. Returns the tensor. A process that is given the tensor,
    or is forked later, sees what others write to it.

    >>> import flambeau as torch
    >>> x = torch.zeros(2)
    >>> x.is_shared(), x.share_memory_().is_shared()
    (False, True)
    """
    shared_storage(tensor, DESCRIPTOR if sys.platform == "linux" else FILE)
    return tensor


def shared_storage(tensor, strategy):
    """The storage of a tensor, once its memory is a `SharedBuffer`."""
    sync.export(tensor)
    storage = share(tensor)
    if not isinstance(storage.buffer, SharedBuffer):
        old = storage.buffer
        storage.buffer = SharedBuffer.new(old.nbytes, strategy)
        storage.buffer.array[: old.nbytes] = old.array[: old.nbytes]
    return storage


def is_shared(tensor):
    """Whether a tensor is in memory that other processes can see."""
    sync.realize(tensor)
    return isinstance(memory_of(tensor), SharedBuffer)


def tensor_over(buffer, numel, dtype, shape, strides, offset, requires_grad):
    """A leaf over shared memory that holds `numel` elements."""
    out = Tensor.__new__(Tensor)
    out._segment, out._pos = None, 0
    out._meta = intern(shape, dtype, strides, offset, requires_grad)
    join(out, Storage(intern((numel,), dtype), None, 0, buffer))
    return out
