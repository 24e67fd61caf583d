"""Making tensors with a given order of memory, and exchanging memory with other libraries."""

import math

import numpy as np

from .. import dtypes
from ..recorder.handle import Tensor
from . import movement as mv
from .api import FUNCTIONS, METHODS, cast_to, function, method
from .from_data import finish, from_numpy

__all__ = ["empty_permuted", "empty_strided", "from_dlpack", "range", "scalar_tensor", "to_dlpack"]


@function(methods=False, out=False)
def scalar_tensor(s, *, dtype=None, layout=None, device=None, requires_grad=False):
    """A 0-dim tensor of a number, of the default dtype unless told."""
    dtype = dtype or dtypes.get_default_dtype()
    return finish(FUNCTIONS["full"]((), s, dtype=dtype, device=device), requires_grad)


def range_(start=0, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False):
    """start, start + step, ... up to and including `end`."""
    if end is None:
        start, end = 0, start
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) / step < 0:
        raise RuntimeError("upper bound and larger bound inconsistent with step sign")
    count = math.floor((end - start) / step) + 1
    steps = FUNCTIONS["arange"](count, dtype=dtypes.float64) * step + start
    return finish(steps.to(dtype or dtypes.get_default_dtype()), requires_grad)


range_.__name__ = range_.__qualname__ = "range"
range = function(range_, methods=False)


@function(methods=False, out=False)
def empty_strided(
    size,
    stride,
    *,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
):
    """A tensor of unspecified values with the given sizes and strides."""
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(
            f"mismatch in length of strides and shape: got sizes {size} and strides {stride}"
        )
    span = 0 if 0 in size else 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    flat = FUNCTIONS["empty"](span, dtype=dtype, device=device)
    return finish(mv.as_strided(flat, size, stride), requires_grad)


@method("new_empty_strided")
def new_empty_strided(self, size, stride, *, dtype=None, device=None, requires_grad=False):
    """`empty_strided`, with the dtype of this tensor."""
    dtype = dtype or self._meta.dtype
    return empty_strided(size, stride, dtype=dtype, device=device, requires_grad=requires_grad)


@function(methods=False, out=False)
def empty_permuted(
    size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """A tensor of unspecified values whose dims lie in memory in the order `physical_layout`."""
    size, order = tuple(size), tuple(physical_layout)
    if sorted(order) != list(np.arange(len(size))):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(order)}, or dims "
            "are missing from it"
        )
    made = FUNCTIONS["empty"]([size[d] for d in order], dtype=dtype, device=device)
    back = [order.index(d) for d in np.arange(len(order))]
    return finish(mv.permute(made, back), requires_grad)


@function(methods=False, out=False)
def fill(input, value):
    """A copy of `input` with all elements replaced by a number or a 0-dim tensor."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                "fill only supports 0-dimension value tensor but got tensor with "
                f"{value.ndim} dimensions."
            )
    everywhere = FUNCTIONS["ones"]((), dtype=dtypes.bool_)
    return cast_to(FUNCTIONS["where"](everywhere, value, input), input._meta.dtype)


# DLPack


@method("__dlpack__")
def dlpack(self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """The capsule by which other libraries share the memory."""
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if self.is_conj():
        raise BufferError("Can't export tensors with the conjugate bit set")
    options = {} if max_version is None else {"max_version": max_version}
    return self.numpy().__dlpack__(**options)


METHODS["__dlpack_device__"] = lambda self: (1, 0)


@function(methods=False, out=False)
def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor that shares the memory of an array of another library."""
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    array = np.from_dlpack(ext_tensor)
    if not array.flags.writeable:
        array = array.copy()
    return from_numpy(array.copy() if copy else array)


class _Capsule:
    """What `np.from_dlpack` asks, of a capsule that is there already."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack__(self, **options):
        return self.capsule

    def __dlpack_device__(self):
        return 1, 0


@function(methods=False, out=False)
def to_dlpack(tensor):
    """The capsule by which another library shares the memory of a tensor."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"to_dlpack(): expected a Tensor, not {type(tensor).__name__}")
    return tensor.__dlpack__()
