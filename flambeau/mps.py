"""`flambeau.mps`: Apple's GPUs, of which there are none."""

import types

__all__ = [
    "Event",
    "compile_shader",
    "current_allocated_memory",
    "device_count",
    "driver_allocated_memory",
    "empty_cache",
    "get_rng_state",
    "is_available",
    "manual_seed",
    "profiler",
    "recommended_max_memory",
    "seed",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "synchronize",
]


def is_available():
    """Whether there is an MPS device."""
    return False


def device_count():
    """The number of MPS devices."""
    return 0


def manual_seed(seed):
    """Has no effect: there is no device whose generator could be seeded."""


def _absent(name, doc):
    def function(*args, **kwargs):
        raise RuntimeError(f"mps.{name}(): device mps is not available; available devices: cpu")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc} Raises RuntimeError: there is no MPS device."
    return function


compile_shader = _absent("compile_shader", "Compile a program for the device.")
current_allocated_memory = _absent("current_allocated_memory", "Bytes in use by tensors.")
driver_allocated_memory = _absent("driver_allocated_memory", "Bytes in use by the process.")
empty_cache = _absent("empty_cache", "Give back memory that is not in use.")
get_rng_state = _absent("get_rng_state", "The state of the device's generator.")
recommended_max_memory = _absent("recommended_max_memory", "Bytes that should suffice.")
seed = _absent("seed", "Seed the device's generator at random.")
set_per_process_memory_fraction = _absent("set_per_process_memory_fraction", "Limit the memory.")
set_rng_state = _absent("set_rng_state", "Set the state of the device's generator.")
synchronize = _absent("synchronize", "Wait for the device.")

profiler = types.SimpleNamespace(
    profile=_absent("profiler.profile", "Trace the device within a `with` block."),
    start=_absent("profiler.start", "Begin to trace the device."),
    stop=_absent("profiler.stop", "End the trace."),
    is_capturing_metal=lambda: False,
    is_metal_capture_enabled=lambda: False,
)


class Event:
    """A mark in the work of the device. Raises RuntimeError: there is no MPS device."""

    def __init__(self, enable_timing=False):
        raise RuntimeError("mps.Event: device mps is not available; available devices: cpu")
