"""What is in a file, without reading the elements of tensors or making any object of a class.

Classes and functions that are not plain data are neither imported nor called: an `Unknown` stands
for what they would make, and holds what the file has for it.
"""

import math
import re
from typing import NamedTuple

from . import archive, files, legacy, plain, safe, safetensors, tar, tensors
from .api import read_archive
from .skipping import skip_data
from .unpickler import PlainUnpickler

__all__ = ["Contents", "Entry", "Unknown", "get_unsafe_globals_in_checkpoint", "inspect"]

_CONTAINERS = (dict, list, tuple, set)  # which are not listed where they are empty


class Entry(NamedTuple):
    """A tensor of a file: `seen` are the first element and the end of what it sees of `storage`."""

    name: str
    dtype: str
    shape: tuple
    nbytes: int
    storage: str
    seen: tuple


class Contents(NamedTuple):
    """What `inspect` found.

    kind: of file; entries: its tensors; values: {name: other value}; storages: {key: (location,
    bytes)}; unknown: names of the classes and functions that `load` would refuse, sorted.
    """

    kind: str
    entries: list
    values: dict
    storages: dict
    unknown: list


class Unknown:
    """Stands for an object, a class or a function that is no plain data; `name` tells which."""

    def __init__(self, name, args=()):
        self.name, self.args, self.state, self.items = name, list(args), None, []

    def __repr__(self):
        return f"<{self.name}>"


def inspect(f):
    """The `Contents` of a file that `save`, PyTorch or safetensors wrote.

    Raises RuntimeError or UnpicklingError for a damaged file.

    >>> import io
    >>> import flambeau as torch
    >>> from flambeau.serialization.inspection import inspect
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2, 3), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> found = inspect(file)
    >>> found.entries[0].name, found.entries[0].shape, found.values
    ('weight', (2, 3), {'epoch': 3})
    """
    with files.open_to_read(f) as file, files.named_in_errors(f):
        if archive.is_archive(file):
            reader = archive.Reader(file)
            return _read("zip archive", lambda *args: read_archive(reader, *args))
        if safetensors.is_safetensors(file):
            found = safetensors.read_header(file)
            entries = [
                Entry(name, kind, shape, end - start, name, (0, math.prod(shape)))
                for name, kind, shape, start, end in found.tensors
            ]
            storages = {entry.name: ("", entry.nbytes) for entry in entries}
            return Contents("safetensors", entries, found.metadata, storages, [])
        if tar.is_tar(file):
            return _read("file of before PyTorch 0.2", lambda *args: tar.read(file, *args))
        return _read("file of before PyTorch 1.6", lambda *args: legacy.read(file, *args))


def get_unsafe_globals_in_checkpoint(f):
    """The names of classes and functions in a file that `load` would refuse, as sorted strings."""
    return inspect(f).unknown


def _read(kind, read):
    unknown, storages = set(), {}

    def note(storage, location):
        storages[str(len(storages))] = storage, location
        return storage

    with skip_data():
        found = read(note, lambda *args: _Describer(unknown, *args))
    walk = _Walk({id(storage.shared): key for key, (storage, _) in storages.items()})
    walk.visit(found)
    sizes = {key: (where, storage.array.nbytes) for key, (storage, where) in storages.items()}
    return Contents(kind, walk.entries, walk.values, sizes, sorted(unknown))


class _Describer(PlainUnpickler):
    """Builds plain data and tensors, and an `Unknown` of all else."""

    def __init__(self, unknown, data, load_storage, position=0):
        super().__init__(data, load_storage, position)
        self._unknown = unknown
        self._storage_of = load_storage
        self._load_storage = self._persistent

    def _persistent(self, pid):
        # Files of old name the source of a module's class beside the class.
        if type(pid) is tuple and pid and pid[0] == "module":
            return pid[1]
        if type(pid) is tuple and any(isinstance(part, Unknown) for part in pid):
            return Unknown("storage", pid)
        return self._storage_of(pid)

    def find(self, module, name):
        found = plain.find(module, name)
        if found is None:
            found = Unknown(f"{module}.{name}")
            if safe.find_safe(module, name) is None:
                self._unknown.add(found.name)
        return found

    def call(self, function, args):
        if isinstance(function, Unknown):
            return Unknown(function.name, args)
        if any(isinstance(arg, Unknown) for arg in args):
            return Unknown(function.__name__, args)
        return plain.call(function, args)

    def make(self, cls, args, named):
        return Unknown(getattr(cls, "name", "an object"), [*args, *named.values()])

    def extend(self, items):
        if not self._change(items):
            super().extend(items)

    def add(self, items):
        if not self._change(items):
            super().add(items)

    def update(self, items):
        if any(isinstance(key, Unknown) for key in items[::2]):
            items = [str(x) if isinstance(x, Unknown) else x for x in items]
        if not self._change(items[1::2]):
            super().update(items)

    def _change(self, items):
        """Whether it is an Unknown that was given items."""
        if isinstance(self._stack[-1], Unknown):
            self._stack[-1].items.extend(items)
            return True
        return False

    def set_state(self, obj, state):
        if isinstance(obj, Unknown):
            obj.state = state
        else:
            super().set_state(obj, state)


class _Walk:
    """Goes through nested containers and lists what is in them; `keys` are those of storages."""

    def __init__(self, keys):
        self._keys, self._been_in = keys, set()
        self.entries, self.values = [], {}

    def visit(self, obj):
        """List all that is in `obj`."""
        pending = [(obj, "")]
        while pending:
            obj, name = pending.pop()
            if tensors.is_tensor(obj):
                self.entries.append(self._entry(obj, name))
            elif (entry := _entry_of_unknown(obj, name)) is not None:
                self.entries.append(entry)
            elif parts := list(_parts(obj, name)):
                if id(obj) not in self._been_in:  # nor where it is named once more
                    self._been_in.add(id(obj))
                    pending.extend(reversed(parts))
            elif not isinstance(obj, _CONTAINERS) or not name:
                self.values[name] = obj

    def _entry(self, tensor, name):
        view = tensors.view_of(tensor)
        count = math.prod(view.shape)
        end = view.offset + tensors.span(view.shape, view.strides)
        key = self._keys.get(id(view.key), "")
        size = count * view.dtype.itemsize
        return Entry(name, view.dtype.name, view.shape, size, key, (view.offset, end))


def _parts(obj, name):
    """(part, its name) of what a container has, nothing for other objects."""
    if isinstance(obj, dict):
        for key, value in obj.items():
            yield value, f"{name}[{key!r}]" if name or not isinstance(key, str) else key
    elif isinstance(obj, (list, tuple)):
        yield from ((value, f"{name}[{k}]") for k, value in enumerate(obj))
    elif isinstance(obj, Unknown):
        yield from ((value, f"{name}({k})") for k, value in enumerate(obj.args))
        yield from ((value, f"{name}[{k}]") for k, value in enumerate(obj.items))
        if isinstance(obj.state, dict):
            yield from ((value, f"{name}.{key}") for key, value in obj.state.items())
        elif obj.state is not None:
            yield obj.state, f"{name}.state"


def _entry_of_unknown(obj, name):
    """The entry of a tensor whose dtype flambeau does not have."""
    if not isinstance(obj, Unknown) or obj.name != "rebuild_tensor_v3" or len(obj.args) < 7:
        return None
    shape, dtype = obj.args[2], obj.args[6]
    digits = re.search(r"\d+", getattr(dtype, "name", ""))
    if not digits or not isinstance(shape, tuple) or not all(type(n) is int for n in shape):
        return None
    bits = int(digits[0]) * (2 if dtype.name.endswith("_x2") else 1)
    size = math.prod(shape) * bits // 8
    return Entry(name, dtype.name.removeprefix("torch."), shape, size, "", (0, math.prod(shape)))
