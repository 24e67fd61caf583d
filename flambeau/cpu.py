"""`torch.cpu`: the CPU as a device, which is always there and has nothing to wait for."""

import contextlib

from .recorder.trace import flush

__all__ = [
    "Stream",
    "StreamContext",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


class Stream:
    """The order in which a device works: on the CPU that of the program."""

    def __init__(self, priority=-1):
        pass

    def wait_stream(self, stream):
        """Does nothing."""

    def record_event(self):
        """Does nothing."""

    def wait_event(self, event):
        """Does nothing."""


StreamContext = contextlib.nullcontext


def is_available():
    """True."""
    return True


def is_initialized():
    """True."""
    return True


def synchronize(device=None):
    """Run what was recorded, so that every result is in memory."""
    flush()


def current_stream(device=None):
    """The one stream."""
    return Stream()


def stream(stream):
    """A context in which nothing changes."""
    return StreamContext(stream)


def device_count():
    """1."""
    return 1


def set_device(device):
    """Does nothing: there is one CPU."""


def current_device():
    """The name of the device."""
    return "cpu"
