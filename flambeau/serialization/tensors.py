"""All that reading and writing files needs to know of tensors."""

from typing import NamedTuple

import numpy as np

import flambeau

from .. import dtypes
from ..backends.memory import Buffer
from ..recorder import inplace, sync
from ..recorder.handle import Storage, Tensor, device, intern
from ..storage import TypedStorage, UntypedStorage

__all__ = [
    "TypedStorage",
    "UntypedStorage",
    "View",
    "attributes_of",
    "is_device",
    "is_parameter",
    "is_plain",
    "is_storage",
    "is_tensor",
    "is_tensor_type",
    "make_parameter",
    "make_storage",
    "make_subclass",
    "make_tensor",
    "set_attributes",
    "span",
    "storage_of",
    "view_of",
    "view_of_storage",
]


class View(NamedTuple):
    """A tensor as what it sees of a storage.

    key: tells storages apart; the same object for all tensors that view one.
    array: the elements of the storage, as a flat NumPy array of the storage dtype.
    dtype: of the elements; None for a storage that is just bytes.
    """

    key: object
    array: object
    dtype: object
    offset: int
    shape: tuple
    strides: tuple


def is_tensor(x):
    """Whether `x` is a tensor."""
    return isinstance(x, Tensor)


def is_tensor_type(cls):
    """Whether `cls` is Tensor or a subclass of it."""
    return isinstance(cls, type) and issubclass(cls, Tensor)


def view_of(tensor):
    """The `View` that a tensor is; it is computed if it was not yet."""
    buffer, meta = sync.realize(tensor)
    key = tensor if tensor._storage is None else tensor._storage
    array = buffer.numpy(meta.dtype.numpy, buffer.nbytes // meta.dtype.itemsize)
    return View(key, array, meta.dtype, meta.offset, tuple(meta.shape), tuple(meta.strides))


def is_storage(x):
    """Whether `x` is a storage as an object that users hold."""
    return isinstance(x, (TypedStorage, UntypedStorage))


def view_of_storage(storage):
    """The `View` of the whole of such a storage."""
    dtype = getattr(storage, "dtype", None)
    view = view_of(storage.untyped()._view)
    array = view.array.view(np.uint8 if dtype is None else dtype.numpy)
    return View(view.key, array, dtype, 0, array.shape, (1,))


def span(shape, strides):
    """The number of elements from the first that a tensor sees to the last, both included."""
    if 0 in shape:
        return 0
    return 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))


def make_storage(array, dtype):
    """A storage over a flat array of the storage dtype, whose memory it takes over."""
    return Storage(intern((array.size,), dtype), None, 0, Buffer.adopt(array))


def make_tensor(storage, offset, shape, strides, requires_grad):
    """A leaf that views a storage, as all others made from the same storage do."""
    out = Tensor.__new__(Tensor)
    out._segment, out._pos = None, 0
    out._meta = intern(shape, storage.meta.dtype, strides, offset, requires_grad)
    inplace.join(out, storage)
    return out


def make_parameter(data, requires_grad):
    """A `Parameter` over the memory of a tensor."""
    return flambeau.nn.Parameter(data, requires_grad)


def make_subclass(tensor, cls):
    """The tensor as an instance of `cls`, Tensor or a subclass of it."""
    return tensor if type(tensor) is cls else tensor.as_subclass(cls)


def is_parameter(tensor):
    """Whether a tensor is a `Parameter`."""
    return type(tensor) is not Tensor and isinstance(tensor, flambeau.nn.Parameter)


def is_plain(tensor):
    """Whether the class of a tensor need not be kept: a `Buffer` is one by its module's word."""
    return type(tensor) is Tensor or type(tensor) is flambeau.nn.Buffer


def attributes_of(tensor):
    """What a user has set on a tensor, by name."""
    kept = {k: v for k, v in vars(tensor).items() if not hasattr(Tensor, k)}
    if type(tensor) is not Tensor and isinstance(tensor, flambeau.nn.Buffer):
        del kept["persistent"]
    return kept


def set_attributes(tensor, attributes):
    """Set attributes that `attributes_of` gave. Raises ValueError for any that Tensor defines."""
    for name, value in attributes.items():
        if not isinstance(name, str) or hasattr(Tensor, name) or name in Tensor.__slots__:
            raise ValueError(f"a tensor can not be given an attribute {name!r}")
        vars(tensor)[name] = value


def is_device(where):
    """Whether tensors can be made on the device called `where`, False if it names no device.

    Raises RuntimeError for a device that is not there.
    """
    kind = where.partition(":")[0]
    if kind not in device.KNOWN:
        return False
    if kind != "cpu":
        raise RuntimeError(
            f"Attempting to deserialize object on a {kind.upper()} device but there is none. "
            "Please use load with map_location=torch.device('cpu') to map your storages to the CPU."
        )
    return True


def storage_of(view):
    """A storage as an object that users hold, over the memory of a `View`."""
    storage = make_storage(view.array, view.dtype or dtypes.uint8)
    return UntypedStorage(make_tensor(storage, 0, view.array.shape, (1,), False))
