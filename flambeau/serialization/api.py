"""`save` and `load`."""

import io
import os
import pickle
import sys

import numpy as np

from . import archive, files, legacy, tar, trusting
from .locations import locate
from .pickler import TensorPickler
from .skipping import skips_data
from .storages import LoadedStorage, aligned, check_storage_id, native
from .unpickler import PlainUnpickler

__all__ = ["load", "read_archive", "save"]

MAX_VERSION = 10


def save(obj, f, pickle_module=pickle, pickle_protocol=2, _use_new_zipfile_serialization=True):
    """Save an object, with the tensors in it, to a file that PyTorch can load as well.

    Tensors that share memory share it again when they are loaded. Memory that no saved tensor
    sees is left out. A file that exists is replaced only when the new one is complete.

    Args:
        obj: tensors and plain data, such as a `state_dict`; or anything that can be pickled.
        f: a path, or a binary file to write to.
        pickle_module: only Python's own `pickle` is possible.
        pickle_protocol: accepted as in PyTorch; files of all protocols are the same.

    Raises: RuntimeError if the parent directory does not exist, or if tensors see the same memory
    as different dtypes; AttributeError or TypeError for an object that can not be pickled.

    >>> import io
    >>> import flambeau as torch
    >>> from flambeau.serialization import load, save
    >>> file = io.BytesIO()
    >>> save({"weight": torch.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    _check_pickle_module(pickle_module)
    if not isinstance(pickle_protocol, int) or not 0 <= pickle_protocol <= pickle.HIGHEST_PROTOCOL:
        raise ValueError(f"pickle protocol must be <= {pickle.HIGHEST_PROTOCOL}")
    with files.open_to_write(f) as file:
        if _use_new_zipfile_serialization:
            _write_archive(obj, file, _root(f))
        else:
            legacy.write(obj, file)


def load(
    f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args
):
    """Load an object from a file that `save` or PyTorch's `save` wrote.

    Args:
        f: a path, or a binary file that is seekable.
        map_location: where tensors go: a device, a dict from the file's devices to others, or a
            function of (storage, location) that returns the storage to take it to the CPU. By
            default they go where they were.
        pickle_module: only Python's own `pickle` is possible.
        weights_only: True, the default, builds tensors and plain data and never runs code of the
            file. False builds any object; load files that way only if you trust them.
        mmap: whether elements are read from the disk when they are first used. Changes to tensors
            never reach the file.
        pickle_load_args: `encoding`, for the strings in files that Python 2 wrote.

    Raises: RuntimeError for a damaged file, and for a device that is not available;
    UnpicklingError for a damaged pickle, and for one that names what is not allowed.
    """
    _check_pickle_module(pickle_module)
    if mmap and not files.is_path(f):
        raise ValueError("f must be a file path in order to use the mmap argument")
    trusted = weights_only is not None and not weights_only
    make = None if trusted else PlainUnpickler
    with files.open_to_read(f) as file, files.named_in_errors(f):
        if archive.is_archive(file):
            reader = archive.Reader(file, mapped=bool(mmap))
            return read_archive(reader, map_location, make, **pickle_load_args)
        if mmap:
            raise RuntimeError(
                "mmap can only be used with files saved with "
                "`torch.save(_use_new_zipfile_serialization=True), please torch.save your "
                "checkpoint with this option in order to use mmap."
            )
        read = tar.read if tar.is_tar(file) else legacy.read
        return read(file, map_location, make, **pickle_load_args)


def _check_pickle_module(module):
    if module not in (None, pickle):
        raise ValueError("pickle_module can only be Python's own pickle")


def _root(f):
    """The folder inside the archive: the file's name without its suffix."""
    name = os.path.splitext(os.path.basename(os.fspath(f)))[0] if files.is_path(f) else ""
    return name if name.isascii() and name else "archive"


def _write_archive(obj, file, root):
    pickler = TensorPickler()
    content = pickler.dumps(obj)
    writer = archive.Writer(file, root)
    writer.add("data.pkl", content)
    writer.add(".format_version", b"1")
    writer.add(".storage_alignment", str(archive.ALIGNMENT).encode())
    writer.add("byteorder", sys.byteorder.encode())
    for index, storage in enumerate(pickler.storages):
        writer.add(f"data/{index}", storage.data())
    writer.add("version", b"3\n")
    writer.close()


def read_archive(reader, map_location, make, **pickle_load_args):
    """The object of an archive, given as an `archive.Reader`.

    Args: make: the class of what reads the pickle, such as `PlainUnpickler`; None trusts the file.
    """
    _check_version(reader)
    order = reader.read("byteorder").decode("latin1") if "byteorder" in reader else "little"
    if order not in ("little", "big"):
        raise RuntimeError(f"unknown byte order {order!r}")
    loaded = {}

    def load_storage(pid):
        kind, key, location, numel = check_storage_id(pid, 5)
        size = numel * kind.dtype.itemsize
        if key not in loaded:
            name = f"data/{key}"
            if reader.size(name) != size:
                raise RuntimeError(f"record {name} has {reader.size(name)} bytes instead of {size}")
            array = np.zeros(size, np.uint8) if skips_data() else reader.array(name)
            array = native(aligned(array, kind.dtype), kind, order)
            loaded[key] = kind, LoadedStorage(array, kind.dtype)
            locate(map_location, loaded[key][1], location)
        before, storage = loaded[key]
        if before != kind or storage.array.nbytes != size:
            raise pickle.UnpicklingError(f"storage {key} is named in two ways")
        return storage

    content = reader.read("data.pkl")
    if make is None:
        return trusting.unpickle(io.BytesIO(content), load_storage, **pickle_load_args)
    return make(content, load_storage, **pickle_load_args).load()


def _check_version(reader):
    if "constants.pkl" in reader:
        raise RuntimeError("this is a TorchScript archive, which holds a program, not only data")
    if "data.pkl" not in reader:
        raise RuntimeError("a zip archive, but not one that save wrote: it has no data.pkl")
    if "version" in reader:
        text = reader.read("version").strip()
        if not text.isdigit() or not 1 <= int(text[:9]) <= MAX_VERSION:
            raise RuntimeError(f"the file has the unknown format version {text!r:.50}")
