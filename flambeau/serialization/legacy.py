"""Files of before PyTorch 1.6: five pickles in a row, then the elements of each storage."""

import io
import pickle
import sys
from pickle import UnpicklingError

import numpy as np

from . import trusting
from .locations import locate
from .pickler import PROTOCOL, TensorPickler
from .skipping import skips_data
from .storages import LoadedStorage, check_storage_id, native
from .unpickler import PlainUnpickler

__all__ = ["read", "write"]

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
_SYSTEM = {
    "protocol_version": VERSION,
    "little_endian": sys.byteorder == "little",
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


def write(obj, file):
    """Write an object to a binary file."""
    pickler = TensorPickler(tail=(None,))
    content = pickler.dumps(obj)
    for part in (MAGIC, VERSION, _SYSTEM):
        file.write(pickle.dumps(part, PROTOCOL))
    file.write(content)
    file.write(pickle.dumps([storage.id[2] for storage in pickler.storages], PROTOCOL))
    for storage in pickler.storages:
        file.write(storage.numel.to_bytes(8, "little"))
        file.write(memoryview(storage.data()))


def read(file, map_location, make, **pickle_load_args):
    """The object that starts at the position of a binary file, which is behind it then.

    Args: make: the class of what reads the object, such as `PlainUnpickler`; None trusts the file.

    Raises UnpicklingError where the file is damaged or names what is not allowed.
    """
    start = file.tell()
    data = file.read()
    if not data:
        raise RuntimeError("the file is empty")
    position = 0

    def plain():
        nonlocal position
        unpickler = PlainUnpickler(data, _refuse_storage, position)
        found = unpickler.load()
        position = unpickler.position
        return found

    try:
        magic = plain()
    except UnpicklingError:
        magic = None
    if magic != MAGIC:
        raise UnpicklingError("neither a zip archive nor an older file of PyTorch")
    version, system = plain(), plain()
    if version != VERSION or not isinstance(system, dict):
        raise UnpicklingError(f"unknown protocol version {version!r:.100}")
    order = "little" if system.get("little_endian", True) else "big"

    storages = _Storages(len(data), map_location)
    if make is not None:
        unpickler = make(data, storages.load, position, **pickle_load_args)
        result = unpickler.load()
        position = unpickler.position
    else:
        buffer = io.BytesIO(data)
        buffer.seek(position)
        result = trusting.unpickle(buffer, storages.load, **pickle_load_args)
        position = buffer.tell()
    keys = plain()
    position = storages.fill(data, position, keys, order)
    file.seek(start + position)
    return result


def _refuse_storage(pid):
    raise UnpicklingError("a storage where there is none")


class _Storages:
    """The storages of a file, whose elements stand behind the object that views them.

    Args: limit: the size of the file, which all of them together do not exceed.
    """

    def __init__(self, limit, map_location):
        self._left, self._map_location = limit, map_location
        self._loaded, self._kinds, self._views = {}, {}, {}

    def load(self, pid):
        """The storage that a persistent id means, still to be filled."""
        kind, key, location, numel = check_storage_id(pid, 6)
        found = self._loaded.get(key)
        if found is None:
            self._left -= numel * kind.dtype.itemsize
            if self._left < 0:
                raise UnpicklingError(f"storage {key} is larger than the file")
            array = np.zeros(numel, kind.dtype.numpy)
            found = self._loaded[key] = LoadedStorage(array, kind.dtype, is_read=False)
            self._kinds[key] = kind, numel
            locate(self._map_location, found, location)
        if self._kinds[key] != (kind, numel):
            raise UnpicklingError(f"storage {key} is named in two ways")
        return found if pid[5] is None else self._view(found, pid[5])

    def _view(self, storage, pid):
        """Part of a storage as one of its own, as files of before PyTorch 0.4 have them."""
        if type(pid) is not tuple or len(pid) != 3 or not isinstance(pid[0], str):
            raise UnpicklingError(f"{pid!r:.200} is not the id of a view of a storage")
        key, offset, size = pid
        if not all(type(n) is int and n >= 0 for n in (offset, size)):
            raise UnpicklingError(f"{pid!r:.200} is not the id of a view of a storage")
        if offset + size > storage.array.size:
            raise UnpicklingError(f"view {key} reaches beyond its storage")
        if key not in self._views:
            part = storage.array[offset : offset + size]
            self._views[key] = LoadedStorage(part, storage.dtype, is_read=False)
        return self._views[key]

    def fill(self, data, position, keys, order):
        """Read the elements of all storages; returns where they end."""
        if not isinstance(keys, list) or {*map(str, keys)} != self._loaded.keys():
            raise UnpicklingError("the storages of the file are not those of its tensors")
        for key in keys:
            array, (kind, expected) = self._loaded[key].array, self._kinds[key]
            end = position + 8 + array.nbytes
            numel = int.from_bytes(data[position : position + 8], "little")
            if end > len(data) or numel != expected:
                raise UnpicklingError(f"storage {key} is cut off or has another size")
            if not skips_data():
                array[...] = np.frombuffer(data, array.dtype, array.size, position + 8)
            native(array, kind, order)
            position = end
        return position
