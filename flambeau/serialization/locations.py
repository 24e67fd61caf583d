"""Where storages are, as files name it, and how they get there again.

A package of a device registers a tagger, which names the location of a storage, and a
deserializer, which takes a storage to a location. They are asked in the order of their priority.
"""

from collections.abc import Callable

from ..recorder.handle import device
from . import tensors

__all__ = [
    "MAP_LOCATION",
    "default_restore_location",
    "locate",
    "location_tag",
    "register_package",
    "tag_of",
]

MAP_LOCATION = Callable | device | str | dict[str, str] | None  # what `load` takes as such

_packages = []


def register_package(priority, tagger, deserializer):
    """Add functions for the storages of a device; those of a lower `priority` are asked first.

    Args:
        tagger: from a storage to the name of its location, or None if it is not of that device.
        deserializer: from a storage on the CPU and a location to the storage there, or None if the
            location is not of that device.

    PyTorch has "cpu" at priority 10 and "cuda" at 20.

    >>> from flambeau.serialization import location_tag, register_package
    >>> register_package(15, lambda storage: None, lambda storage, location: None)
    >>> import flambeau as torch
    >>> location_tag(torch.ones(2).untyped_storage())
    'cpu'
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def location_tag(storage):
    """The name of the location of a storage, such as "cpu".

    Raises RuntimeError if no package knows it.
    """
    for _, tagger, _ in _packages:
        location = tagger(storage)
        if location:
            return location
    raise RuntimeError(f"don't know how to determine data location of {type(storage).__name__}")


def default_restore_location(storage, location):
    """A storage that was read to the CPU, taken to a location.

    Raises RuntimeError if no package knows the location, or if its device is not there.
    """
    for _, _, deserializer in _packages:
        result = deserializer(storage, location)
        if result is not None:
            return result
    raise RuntimeError(
        f"don't know how to restore data location of {type(storage).__name__} (tagged with "
        f"{location})"
    )


def tag_of(view):
    """The location that a file gets for the storage of a `View`."""
    if len(_packages) == _BUILT_IN:
        return "cpu"  # the only one there is
    return location_tag(tensors.storage_of(view))


def locate(map_location, storage, location):
    """Take a storage that was read to where the file, as `map_location` changes it, wants it.

    Raises RuntimeError if that device is not available.
    """
    if callable(map_location):
        result = map_location(storage, location)
        return default_restore_location(storage, location) if result is None else result
    if isinstance(map_location, dict):
        location = map_location.get(location, location)
    elif map_location is not None:
        location = map_location
    return default_restore_location(storage, str(location))


def _cpu_tag(storage):
    return "cpu" if storage.device.type == "cpu" else None


def _to_cpu(storage, location):
    return storage if location == "cpu" else None


def _other_tag(storage):
    return None


def _to_other(storage, location):
    # Raises for a device that is known, but not there.
    return storage if tensors.is_device(location) else None


register_package(10, _cpu_tag, _to_cpu)
register_package(1000, _other_tag, _to_other)
_BUILT_IN = len(_packages)
