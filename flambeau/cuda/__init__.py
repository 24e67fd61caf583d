"""`flambeau.cuda`: NVIDIA's GPUs, of which there are none; scripts that ask run on the CPU.

Questions are answered, seeds and cleaning up are accepted; what needs a device raises PyTorch's
AssertionError.
"""

import collections
import contextlib

from ..errors import OutOfMemoryError
from ..lazy import submodules

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CUDAGraph",
    "CharTensor",
    "DoubleTensor",
    "Event",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "OutOfMemoryError",
    "ShortTensor",
    "Stream",
    "StreamContext",
    "can_device_access_peer",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "get_sync_debug_mode",
    "graph",
    "graph_pool_handle",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "make_graphed_callables",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_cached",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_cached",
    "memory_reserved",
    "memory_snapshot",
    "memory_stats",
    "memory_summary",
    "power_draw",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "set_sync_debug_mode",
    "stream",
    "synchronize",
    "temperature",
    "utilization",
]

MISSING = "flambeau runs on the CPU: there is no CUDA device"

__getattr__ = submodules(__name__)  # amp, nvtx


def is_available():
    """Whether there is a CUDA device."""
    return False


def device_count():
    """The number of CUDA devices."""
    return 0


def is_initialized():
    """Whether CUDA is in use."""
    return False


def is_bf16_supported(including_emulation=True):
    """Whether the device computes with bfloat16."""
    return False


def is_current_stream_capturing():
    """Whether work is being captured into a graph."""
    return False


def get_arch_list():
    """The architectures that the library was compiled for."""
    return []


def get_rng_state_all():
    """The states of the generators of all devices."""
    return []


def memory_stats(device=None):
    """The statistics of the memory allocator."""
    return collections.OrderedDict()


def memory_snapshot(mempool_id=None):
    """The blocks of the memory allocator: none."""
    return []


def memory_summary(device=None, abbreviated=False):
    """The statistics of the memory allocator as a text."""
    return MISSING


def _accept(name, doc, result=None):
    def function(*args, **kwargs):
        return result

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


manual_seed = _accept("manual_seed", "Has no effect: there is no generator to seed.")
manual_seed_all = _accept("manual_seed_all", manual_seed.__doc__)
seed = _accept("seed", manual_seed.__doc__)
seed_all = _accept("seed_all", manual_seed.__doc__)
set_rng_state_all = _accept("set_rng_state_all", "Accepts the states of no generators.")
empty_cache = _accept("empty_cache", "Has no effect: no memory is in use.")
reset_peak_memory_stats = _accept("reset_peak_memory_stats", empty_cache.__doc__)
reset_max_memory_allocated = _accept("reset_max_memory_allocated", empty_cache.__doc__)
reset_accumulated_memory_stats = _accept("reset_accumulated_memory_stats", empty_cache.__doc__)
memory_allocated = _accept("memory_allocated", "Bytes in use by tensors.", 0)
max_memory_allocated = _accept("max_memory_allocated", "The most bytes in use by tensors.", 0)
memory_reserved = memory_cached = _accept("memory_reserved", "Bytes held by the allocator.", 0)
max_memory_reserved = _accept("max_memory_reserved", "The most bytes held by the allocator.", 0)
max_memory_cached = max_memory_reserved


def _refuse(name, doc):
    def function(*args, **kwargs):
        raise AssertionError(f"cuda.{name}(): {MISSING}")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc} Raises AssertionError: there is none."
    return function


can_device_access_peer = _refuse("can_device_access_peer", "Whether two devices see each other.")
current_device = _refuse("current_device", "The index of the device in use.")
current_stream = _refuse("current_stream", "The stream in use.")
default_stream = _refuse("default_stream", "The stream used by default.")
get_device_capability = _refuse("get_device_capability", "The version of a device's hardware.")
get_device_name = _refuse("get_device_name", "The name of a device.")
get_device_properties = _refuse("get_device_properties", "The properties of a device.")
get_rng_state = _refuse("get_rng_state", "The state of a device's generator.")
init = _refuse("init", "Begin to use CUDA.")
get_sync_debug_mode = _refuse("get_sync_debug_mode", "What is done about waiting for a device.")
initial_seed = _refuse("initial_seed", "The seed of a device's generator.")
ipc_collect = _refuse("ipc_collect", "Give back memory shared with other processes.")
mem_get_info = _refuse("mem_get_info", "Free and all memory of a device.")
power_draw = _refuse("power_draw", "The power that a device draws, in milliwatts.")
set_per_process_memory_fraction = _refuse(
    "set_per_process_memory_fraction", "Limit the memory of a device."
)
set_rng_state = _refuse("set_rng_state", "Set the state of a device's generator.")
set_sync_debug_mode = _refuse("set_sync_debug_mode", "Say what is done about waiting for a device.")
synchronize = _refuse("synchronize", "Wait for a device.")
temperature = _refuse("temperature", "The temperature of a device, in degrees Celsius.")
utilization = _refuse("utilization", "The part of the time in which a device is busy.")


def set_device(device):
    """Use a device. Raises AssertionError unless its index is negative, which means none."""
    if _index(device) >= 0:
        raise AssertionError(f"cuda.set_device(): {MISSING}")


def _index(device):
    if device is None:
        return -1
    if isinstance(device, int):
        return device
    index = getattr(device, "index", None)
    return 0 if index is None or callable(index) else index


class device(contextlib.AbstractContextManager):
    """Use a device within a `with` block; None or a negative index means none."""

    def __init__(self, device):
        self.idx = _index(device)

    def __enter__(self):
        set_device(self.idx)
        return self

    def __exit__(self, *_):
        return None


class device_of(device):
    """Use the device of a tensor within a `with` block; there is no effect for the CPU's."""

    def __init__(self, obj):
        super().__init__(obj.get_device() if obj.is_cuda else -1)


class _Absent:
    def __init__(self, *args, **kwargs):
        raise RuntimeError(f"cuda.{type(self).__name__}: {MISSING}")


class Stream(_Absent):
    """A queue of work for a device. Raises RuntimeError: there is none."""


class Event(_Absent):
    """A mark in a queue of work. Raises RuntimeError: there is none."""


class CUDAGraph(_Absent):
    """Captured work of a device. Raises RuntimeError: there is none."""


class graph(_Absent):
    """Capture work into a graph within a `with` block. Raises RuntimeError: there is no device."""


class graph_pool_handle(_Absent):
    """The memory that graphs share. Raises RuntimeError: there is no device."""


def make_graphed_callables(callables, sample_args, *args, **kwargs):
    """Functions that replay graphs. Raises RuntimeError: there is no device.

    Here nothing is to be gained: what a program repeats is compiled and replayed anyway.
    """
    raise RuntimeError(f"cuda.make_graphed_callables(): {MISSING}")


def set_stream(stream):
    """Use a stream; None means no change."""
    if stream is not None:
        raise AssertionError(f"cuda.set_stream(): {MISSING}")


class StreamContext(contextlib.AbstractContextManager):
    """Use a stream within a `with` block; None means no change."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        set_stream(self.stream)

    def __exit__(self, *_):
        return None


def stream(stream):
    """The context in which a stream is used; None means no change."""
    return StreamContext(stream)


class _AbsentType(type):
    """The class of `FloatTensor` and the others: there are no such tensors."""

    def __call__(cls, *args, **kwargs):
        raise TypeError(f"type torch.cuda.{cls.__name__} not available: {MISSING}")

    def __instancecheck__(cls, obj):
        return False

    def __repr__(cls):
        return f"<class 'torch.cuda.{cls.__name__}'>"


def _tensor_type(name):
    doc = f"`{name}`s on a CUDA device. Raises TypeError: there is none."
    return _AbsentType(name, (), {"__doc__": doc, "__module__": "torch.cuda", "is_cuda": True})


BFloat16Tensor = _tensor_type("BFloat16Tensor")
BoolTensor = _tensor_type("BoolTensor")
ByteTensor = _tensor_type("ByteTensor")
CharTensor = _tensor_type("CharTensor")
DoubleTensor = _tensor_type("DoubleTensor")
FloatTensor = _tensor_type("FloatTensor")
HalfTensor = _tensor_type("HalfTensor")
IntTensor = _tensor_type("IntTensor")
LongTensor = _tensor_type("LongTensor")
ShortTensor = _tensor_type("ShortTensor")
