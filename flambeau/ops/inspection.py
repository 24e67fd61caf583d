"""Methods that tell what a tensor is, or do a small thing to it in Python."""

import numpy as np

from ..recorder import entering, inplace
from ..recorder.handle import Tensor
from .api import METHODS, function, method
from .creation import zeros
from .from_data import make_tensor

__all__ = []


def _false(self):
    return False


for _name in ("is_nested", "is_sparse_csr", "is_mkldnn", "is_xla", "is_vulkan", "is_ipu", "is_hpu"):
    METHODS[_name] = property(_false)
METHODS["is_cpu"] = property(lambda self: True)
METHODS["output_nr"] = property(lambda self: 0)
METHODS["name"] = property(lambda self: None)
METHODS["names"] = property(lambda self: (None,) * self.ndim)
METHODS["volatile"] = property(_false)


def _cuda_array_interface(self):
    raise AttributeError(
        f"Can't get __cuda_array_interface__ on non-CUDA tensor type: {self.type()} If CUDA data "
        "is required use tensor.cuda() to copy tensor to device memory."
    )


METHODS["__cuda_array_interface__"] = property(_cuda_array_interface)


@method
def to_padded_tensor(self, padding, output_size=None):
    """Refused: only nested tensors are padded. Raises NotImplementedError."""
    raise NotImplementedError(
        "Could not run 'aten::to_padded_tensor' with arguments from the 'CPU' backend: the tensor "
        "is not nested"
    )


@function(out=False)
def is_inference(input):
    """Whether a tensor was made in `inference_mode`."""
    return entering.is_inference(input)


@method("is_nonzero")
def is_nonzero(self):
    """Whether the only element is not zero."""
    return bool(self)


@method("is_same_size")
def is_same_size(self, other):
    """Whether another tensor has the same shape."""
    return self._meta.shape == other._meta.shape


@method("is_set_to")
def is_set_to(self, tensor):
    """Whether another tensor sees the same memory in the same way."""
    a, b = self._meta, tensor._meta
    same = (a.shape, a.strides, a.offset) == (b.shape, b.strides, b.offset)
    return same and self.data_ptr() == tensor.data_ptr()


@method("dim_order")
def dim_order(self, ambiguity_check=False):
    """The dims in the order in which they lie in memory."""
    strides, shape = self._meta.strides, self._meta.shape
    return tuple(sorted(range(len(shape)), key=lambda d: (-strides[d], shape[d] == 1, d)))


@method("const_data_ptr")
def const_data_ptr(self):
    """The address of its first element."""
    return self.data_ptr()


@method("new")
def new(self, *args, device=None):
    """A tensor of this dtype: of sizes, with unspecified values, or with the given data."""
    if args and not isinstance(args[0], (int, np.integer)) and len(args) == 1:
        if isinstance(args[0], tuple) and type(args[0]) is not tuple:
            return zeros(args[0], dtype=self._meta.dtype)  # a Size
        return make_tensor(args[0], dtype=self._meta.dtype)
    return zeros(*(args or (0,)), dtype=self._meta.dtype)


def _each(name, count):
    def method(self, *rest):
        *others, function = rest
        inplace.check_writable(self, name)
        columns = [x.expand(self._meta.shape).reshape(-1).tolist() for x in (self, *others)]
        made = [function(*row) for row in zip(*columns, strict=True)]
        kind = self._meta.dtype
        inplace.write(self, make_tensor(made, dtype=kind).reshape(self._meta.shape))
        return self

    method.__name__ = name
    method.__doc__ = (
        f"Replace each element by what a Python function makes of it{' and others' * (count > 1)}."
    )
    METHODS[name] = method


_each("apply_", 1)
_each("map_", 2)
_each("map2_", 3)


@method("set_")
def set_(self, source=None, *geometry):
    """Make it see the memory of `source`."""
    if source is None:
        source = zeros(0, dtype=self._meta.dtype)
    if not isinstance(source, Tensor):
        raise TypeError(f"set_(): expected a Tensor, not {type(source).__name__}")
    if geometry:
        offset, size, *stride = geometry
        base = zeros(size)
        source = source.as_strided(size, stride[0] if stride else base.stride(), offset)
    inplace.adopt(self, source)
    return self


METHODS["__rdiv__"] = lambda self, other: self.reciprocal() * other


@method("record_stream")
def record_stream(self, stream):
    """Has no effect: there are no streams."""


@method("__reversed__")
def reversed_(self):
    """The elements of dim 0 from the last to the first."""
    return self.flip(0) if self.ndim else self


@method("__array_wrap__")
def array_wrap(self, array, context=None, return_scalar=False):
    """The tensor of what a NumPy function made of this one."""
    if array.dtype == bool:
        array = array.astype(np.uint8)
    return make_tensor(np.asarray(array))


@method("to_dense")
def to_dense(self, dtype=None, masked_grad=True):
    """The tensor itself, which is dense, cast to `dtype` if that is given."""
    return self if dtype is None else self.to(dtype)


@method("module_load")
def module_load(self, other, assign=False):
    """What becomes of a parameter when `other` is loaded into it."""
    return other.detach() if assign else self.detach().copy_(other)


@method("__setstate__")
def setstate(self, state):
    """Restore what pickling kept besides the elements."""
    self.__dict__.update(state if isinstance(state, dict) else {})
