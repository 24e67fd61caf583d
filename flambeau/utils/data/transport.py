"""How a batch goes from a worker process to the loader: pickled, with its arrays in shared memory.

The arrays of a large batch are written to an anonymous file in memory whose descriptor is sent
along, and the receiver maps it. No name is left behind whatever process is killed when. Small
batches, and all where descriptors can not be sent, go through the pipe.
"""

import io
import os
import pickle
import sys

import numpy as np

import flambeau

from ... import dtypes
from ...backends.memory import Buffer
from ...ops.from_data import from_array
from ...recorder import sync
from ...recorder.entering import new_leaf
from ...recorder.handle import intern
from ...sharing import ONE_DESCRIPTOR

__all__ = ["receive", "send"]

# Up to so many bytes, a file costs more than it saves.
INLINE = 32768
ALIGNMENT = 64
CAN_SEND_FILES = sys.platform != "win32"


def send(connection, obj):
    """Send `obj` through a `multiprocessing` connection.

    Nothing has been sent yet where pickling it, or making the file, raises.
    """
    parts = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=lambda part: parts.append(part.raw())).dump(obj)
    parts.insert(0, stream.getbuffer())
    sizes = [part.nbytes for part in parts]
    if sum(sizes) <= INLINE or not CAN_SEND_FILES:
        connection.send_bytes(pickle.dumps((sizes, b"".join(parts))))
        return
    descriptor = _anonymous_file()
    try:
        with open(descriptor, "wb", closefd=False) as file:
            for part, offset in zip(parts, _offsets(sizes, ALIGNMENT), strict=False):
                file.seek(offset)
                file.write(part)
        from multiprocessing.reduction import send_handle

        connection.send_bytes(pickle.dumps((sizes, None)))
        send_handle(connection, descriptor, os.getppid())
    finally:
        os.close(descriptor)


def receive(connection):
    """The next object sent. Raises EOFError or OSError where the sender is gone."""
    sizes, inline = pickle.loads(connection.recv_bytes())
    if inline is None:
        memory, offsets = memoryview(_map_received(connection)), _offsets(sizes, ALIGNMENT)
    else:
        # A bytearray, since arrays made on it must be writable.
        memory, offsets = memoryview(bytearray(inline)), _offsets(sizes, 1)
    parts = [memory[start : start + size] for start, size in zip(offsets, sizes, strict=False)]
    return pickle.loads(parts[0], buffers=parts[1:])


def _map_received(connection):
    import mmap
    from multiprocessing.reduction import recv_handle

    descriptor = recv_handle(connection)
    try:
        return mmap.mmap(descriptor, 0, **ONE_DESCRIPTOR)
    finally:
        os.close(descriptor)


def _anonymous_file():
    if hasattr(os, "memfd_create"):
        return os.memfd_create("flambeau-batch", os.MFD_CLOEXEC)
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _offsets(sizes, alignment):
    """Where parts of these sizes start, and one more: where the last ends."""
    offsets = [0]
    for size in sizes:
        offsets.append(-(-(offsets[-1] + size) // alignment) * alignment)
    return offsets


class _Pickler(pickle.Pickler):
    """Pickles tensors as NumPy arrays, whose memory protocol 5 keeps out of the stream."""

    def reducer_override(self, obj):
        if not isinstance(obj, flambeau.Tensor):
            return NotImplemented
        if obj.requires_grad and not obj.is_leaf:
            raise RuntimeError(
                "a batch holds a tensor that requires grad and is not a leaf, which can not be "
                "sent from a worker process: detach() it"
            )
        buffer, meta = sync.realize(obj if obj.is_contiguous() else obj.contiguous())
        array = buffer.numpy(meta.dtype.numpy, meta.span)[meta.offset :].reshape(meta.shape)
        return _make_tensor, (array, meta.dtype.name, obj.requires_grad)


def _make_tensor(array, name, requires_grad):
    """A tensor over an array that was received: nobody else has that memory."""
    dtype, flat = dtypes.BY_NAME[name], array.reshape(-1).view(np.uint8)
    address = flat.__array_interface__["data"][0]
    if address % ALIGNMENT:
        tensor = from_array(array, dtype)
    else:
        tensor = new_leaf(intern(array.shape, dtype), Buffer(flat, address, flat.size))
    return tensor.requires_grad_() if requires_grad else tensor
