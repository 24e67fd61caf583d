"""How a tensor is pickled for another process: as a handle of its memory, which both then see.

By the strategy "file_descriptor" the memory has no name: nothing is left behind whatever process
is killed when, but each storage keeps a descriptor open. By "file_system" it has one, in a folder
of files in memory; what a process did not fetch is removed when the first process of all ends.
"""

import atexit
import contextlib
import glob
import os
import sys
from multiprocessing import parent_process
from multiprocessing.reduction import DupFd, ForkingPickler

from .. import dtypes
from ..recorder.handle import Tensor
from ..sharing import (
    DESCRIPTOR,
    FILE,
    SharedBuffer,
    family,
    new_path,
    opened,
    shared_storage,
    tensor_over,
)

__all__ = [
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "init_reductions",
    "set_sharing_strategy",
]

_strategies = {DESCRIPTOR, FILE} if sys.platform == "linux" else {FILE}
_strategy = DESCRIPTOR if DESCRIPTOR in _strategies else FILE


def get_all_sharing_strategies():
    """The set of ways to share memory that this system has."""
    return set(_strategies)


def get_sharing_strategy():
    """The way in which memory is shared: "file_descriptor" or "file_system".

    >>> from flambeau.multiprocessing import get_sharing_strategy
    >>> get_sharing_strategy()
    'file_descriptor'
    """
    return _strategy


def set_sharing_strategy(new_strategy):
    """Set the way in which memory that is not shared yet will be.

    Raises ValueError for one that this system does not have.
    """
    global _strategy
    if new_strategy not in _strategies:
        raise ValueError(f"no sharing strategy {new_strategy!r}: there are {sorted(_strategies)}")
    _strategy = new_strategy


def init_reductions():
    """Have tensors pickled as handles wherever `multiprocessing` pickles."""
    ForkingPickler.register(Tensor, _reduce_tensor)
    if parent_process() is None:
        atexit.register(_remove_files, os.getpid())


def _reduce_tensor(tensor):
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd "
            "does not support crossing process boundaries. If you just want to transfer the data, "
            "call detach() on the tensor before serializing (e.g., putting it on the queue)."
        )
    buffer = shared_storage(tensor, _strategy).buffer
    meta = tensor._meta
    numel = tensor._storage.meta.numel
    name, shape = meta.dtype.name, tuple(meta.shape)
    described = (numel, name, shape, meta.strides, meta.offset, meta.requires_grad)
    if buffer.path is None:
        return _from_descriptor, (DupFd(buffer.descriptor), *described)
    # A name of its own, which whoever receives it takes over.
    path = new_path()
    os.link(buffer.path, path)
    return _from_file, (path, *described)


def _from_descriptor(handle, *described):
    return _tensor(opened(handle.detach()), *described)


def _from_file(path, *described):
    return _tensor(opened(os.open(path, os.O_RDWR), path), *described)


def _tensor(buffer: SharedBuffer, numel, name, *geometry):
    return tensor_over(buffer, numel, dtypes.BY_NAME[name], *geometry)


def _remove_files(owner):
    """Remove what nobody fetched, at the end of the process that all others come from."""
    if os.getpid() == owner:
        for path in glob.glob(os.path.join(os.path.dirname(new_path()), f"{family()}-*")):
            with contextlib.suppress(OSError):
                os.unlink(path)
