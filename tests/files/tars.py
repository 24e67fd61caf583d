"""Writes the oldest files of PyTorch: tar archives."""

import io
import pickle
import struct
import tarfile
from collections import OrderedDict

import numpy as np


class Named:
    """Pickled by its persistent id."""

    def __init__(self, pid):
        self.pid = pid


class OldPickler(pickle._Pickler):
    """Knows the names of PyTorch's classes, without PyTorch."""

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, Named) else None

    def save_class(self, obj):
        module, _, name = obj.name.rpartition(".")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())


class Class:
    """Pickled as a class of PyTorch's."""

    def __init__(self, name):
        self.name = name


OldPickler.dispatch = {**pickle._Pickler.dispatch, Class: OldPickler.save_class}


def pickled(obj):
    """A pickle of an object, with the names of PyTorch's classes."""
    file = io.BytesIO()
    OldPickler(file, 2).dump(obj)
    return file.getvalue()


def old_file(obj, storages=None, tensors=None, views=()):
    """A tar archive with some storages, tensors, views of storages, and an object."""
    data = np.arange(12, dtype=np.float32)
    if storages is None:
        storages = [(7, "cpu", Class("torch.FloatStorage"), data)]
        storages += [(8, "cpu", Class("torch.LongStorage"), np.arange(3))]
    if tensors is None:
        tensors = [(1, 7, (3, 4), (4, 1), 0), (2, 7, (2, 2), (1, 4), 5), (3, 8, (3,), (1,), 0)]
    first = pickled(len(storages))
    for key, location, kind, array in storages:
        first += pickled((key, location, kind)) + struct.pack("<q", array.size) + array.tobytes()
    first += pickled(list(views))
    second = pickled(len(tensors))
    for key, storage, size, stride, offset in tensors:
        second += pickled((key, storage, Class("torch.FloatTensor")))
        second += struct.pack(f"<2i{2 * len(size) + 1}q", len(size), 0, *size, *stride, offset)
    members = {"storages": first, "tensors": second, "pickle": pickled(obj)}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as container:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            container.addfile(info, io.BytesIO(content))
    file.seek(0)
    return file


STATE = OrderedDict(a=Named("1"), b=Named("2"), c=[Named("3"), 2.5])
