"""`flambeau.accelerator`: the device besides the CPU, of which there is none."""

import contextlib

__all__ = [
    "current_accelerator",
    "current_device_index",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "get_memory_info",
    "is_available",
    "max_memory_allocated",
    "memory_allocated",
    "reset_peak_memory_stats",
    "set_device_index",
    "synchronize",
]


def is_available():
    """Whether there is an accelerator."""
    return False


def device_count():
    """The number of accelerators."""
    return 0


def current_accelerator(check_available=False):
    """The accelerator's device, or None."""


def _absent(name, doc):
    def function(*args, **kwargs):
        raise RuntimeError(f"accelerator.{name}(): there is no accelerator; available devices: cpu")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc} Raises RuntimeError: there is no accelerator."
    return function


current_device_index = _absent("current_device_index", "The index of the device in use.")
current_stream = _absent("current_stream", "The stream in use.")
empty_cache = _absent("empty_cache", "Give back memory that is not in use.")
get_memory_info = _absent("get_memory_info", "Free and all memory of a device.")
max_memory_allocated = _absent("max_memory_allocated", "The most bytes in use by tensors.")
memory_allocated = _absent("memory_allocated", "Bytes in use by tensors.")
reset_peak_memory_stats = _absent("reset_peak_memory_stats", "Forget the most bytes in use.")
set_device_index = _absent("set_device_index", "Use a device.")
synchronize = _absent("synchronize", "Wait for a device.")


class device_index(contextlib.AbstractContextManager):
    """Use a device within a `with` block; None means no change.

    Raises RuntimeError for any other: there is no accelerator.
    """

    def __init__(self, device):
        self.idx = device

    def __enter__(self):
        if self.idx is not None:
            set_device_index(self.idx)

    def __exit__(self, *_):
        return None
