"""Files of before PyTorch 0.2: a tar archive of `storages`, `tensors` and the `pickle` of it all.

The first two are pickles in a row, each followed by the numbers that it describes.
"""

import io
import struct
import tarfile
from pickle import UnpicklingError

import numpy as np

from ..recorder.handle import Tensor
from . import trusting
from .locations import locate
from .names import StorageType
from .skipping import skips_data
from .storages import LoadedStorage, native
from .unpickler import PlainUnpickler

__all__ = ["is_tar", "read"]

_MAGIC_AT, _MAGIC = 257, b"ustar"
MAX_DIMS = 64


def is_tar(file):
    """Whether a tar archive starts at the file's position, which stays where it is."""
    start = file.tell()
    head = file.read(_MAGIC_AT + len(_MAGIC))
    file.seek(start)
    return head[_MAGIC_AT:] == _MAGIC


def read(file, map_location, make, **pickle_load_args):
    """The object of a tar archive.

    Args: make: the class of what reads its pickles, such as `PlainUnpickler`; None trusts the file.
    Raises RuntimeError or UnpicklingError where the file is damaged or names what is not allowed.
    """
    members = _members(file)
    storages = _read_storages(_Part(members["storages"]), map_location)
    tensors = _read_tensors(_Part(members["tensors"]), storages)

    def persistent(pid):
        if isinstance(pid, tuple):
            return pid[0]  # a class, beside its source
        if str(pid) not in tensors:
            raise UnpicklingError(f"there is no tensor or storage {pid!r:.100}")
        return tensors[str(pid)]

    if make is None:
        return trusting.unpickle(io.BytesIO(members["pickle"]), persistent, **pickle_load_args)
    return make(members["pickle"], persistent, **pickle_load_args).load()


def _members(file):
    """The three members, as bytes."""
    data, found = file.read(), {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as container:
            for name in ("storages", "tensors", "pickle"):
                member = container.getmember(name)
                if not member.isreg() or member.issparse() or member.size > len(data):
                    raise RuntimeError(f"member {name} of the tar archive is damaged")
                found[name] = container.extractfile(member).read()
    except KeyError as error:
        raise RuntimeError(f"a tar archive, but not one of PyTorch: {error.args[0]}") from None
    except (tarfile.TarError, OSError, EOFError, ValueError, OverflowError) as error:
        raise RuntimeError(f"the tar archive is damaged: {error}") from None
    return found


class _Part:
    """Reads pickles and numbers that follow each other."""

    def __init__(self, data):
        self._data, self._position = data, 0

    def pickle(self):
        """The plain data of the next pickle."""
        unpickler = _PartUnpickler(self._data, _refuse, self._position)
        found = unpickler.load()
        self._position = unpickler.position
        return found

    def take(self, count):
        """The next bytes."""
        start, self._position = self._position, self._position + count
        if not 0 <= count <= len(self._data) - start:
            raise UnpicklingError("the tar archive is cut off or damaged")
        return self._data[start : self._position]

    def numbers(self, form):
        """The next numbers, by their form for `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))


class _PartUnpickler(PlainUnpickler):
    """Knows classes of tensors, too, and those of a GPU: only the dtype of a storage matters."""

    def find(self, module, name):
        if module in ("torch", "torch.cuda") and name.endswith("Tensor"):
            return Tensor
        return super().find("torch" if module == "torch.cuda" else module, name)


def _refuse(pid):
    raise UnpicklingError("a storage where there is none")


def _fields(value, *classes):
    """A tuple or list from a pickle whose items have these classes."""
    right = isinstance(value, (tuple, list)) and len(value) == len(classes)
    if not right or not all(map(isinstance, value, classes)):
        raise UnpicklingError(f"{value!r:.200} is not what should be in the tar archive")
    return value


def _count(part):
    (count,) = _fields([part.pickle()], int)
    return range(count)


def _read_storages(part, map_location):
    found, key_types = {}, (int, str)
    for _ in _count(part):
        key, location, kind = _fields(part.pickle(), key_types, str, StorageType)
        (numel,) = part.numbers("<q")
        data = part.take(numel * kind.dtype.itemsize)
        array = np.frombuffer(bytearray(data), kind.dtype.numpy)
        if skips_data():
            array[...] = 0
        storage = LoadedStorage(native(array, kind, "little"), kind.dtype)
        locate(map_location, storage, location)
        found[str(key)] = storage
    views = part.pickle()
    for view in views if isinstance(views, list) else [None]:
        key, root, offset, numel = _fields(view, key_types, key_types, int, int)
        whole = found.get(str(root))
        if whole is None or not 0 <= offset <= offset + numel <= whole.array.size:
            raise UnpicklingError(f"storage {key!r:.100} reaches beyond another")
        found[str(key)] = LoadedStorage(whole.array[offset : offset + numel], whole.dtype)
    return found


def _read_tensors(part, storages):
    """The storages and the tensors by key: the object names both."""
    found = dict(storages)
    for _ in _count(part):
        key, storage, _ = _fields(part.pickle(), (int, str), (int, str), object)
        ndim, _ = part.numbers("<2i")
        if not 0 <= ndim <= MAX_DIMS:
            raise UnpicklingError(f"a tensor has {ndim} dims")
        numbers = part.numbers(f"<{2 * ndim + 1}q")
        size, stride, offset = numbers[:ndim], numbers[ndim:-1], numbers[-1]
        if str(storage) not in storages:
            raise UnpicklingError(f"there is no storage {storage!r:.100}")
        found[str(key)] = storages[str(storage)].view(offset, size, stride, False)
    return found
