"""`Tensor` complete: what a user sees of it besides the operations.

The operations become methods from the table `ops.api.METHODS`.
"""

import numpy as np

from . import conversions, dtypes, overriding, printing, sparsify
from .autograd import engine
from .autograd.modes import is_grad_enabled
from .formats import strided
from .ops.api import METHODS, method
from .recorder import inplace, sync
from .recorder.entering import is_inference
from .recorder.handle import CPU, Tensor

__all__ = ["Tensor", "conversions", "install", "overriding", "sparsify"]


def _property(f):
    setattr(Tensor, f.__name__, property(f))
    return f


# What it is


@_property
def shape(self):
    """The size of each dim."""
    return self._meta.shape


@_property
def dtype(self):
    """The type of the elements."""
    return self._meta.dtype


@_property
def device(self):
    """Where the elements are."""
    return CPU


@_property
def ndim(self):
    """The number of dims."""
    return len(self._meta.shape)


@_property
def requires_grad(self):
    """Whether gradients are recorded for it."""
    return self._meta.requires_grad


def _set_requires_grad(self, value):
    if type(value) is not bool:
        raise RuntimeError("requires_grad must be a bool")
    requires_grad_(self, value)


Tensor.requires_grad = Tensor.requires_grad.setter(_set_requires_grad)


@_property
def is_leaf(self):
    """Whether it is not the result of an operation that gradients pass through."""
    return inplace.is_leaf(self)


@_property
def layout(self):
    """How the elements are laid out: strided."""
    return strided


@_property
def itemsize(self):
    """The size of an element in bytes."""
    return self._meta.dtype.itemsize


@_property
def nbytes(self):
    """The size of all elements in bytes."""
    return self._meta.numel * self._meta.dtype.itemsize


@_property
def T(self):
    """The dims in reverse order."""
    return self.permute(*range(self.ndim - 1, -1, -1))


@_property
def mT(self):
    """The last two dims swapped."""
    if self.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self.ndim}-D "
            "tensor."
        )
    return self.transpose(-2, -1)


@_property
def H(self):
    """The conjugate transpose of a matrix."""
    return self.t().conj()


@_property
def mH(self):
    """The conjugate transpose of each matrix."""
    return self.mT.conj()


@_property
def is_cuda(self):
    """Whether it is on a CUDA device."""
    return False


@_property
def is_sparse(self):
    """Whether it is sparse."""
    return False


is_quantized = is_meta = is_mps = is_sparse
for _name in ("is_quantized", "is_meta", "is_mps", "is_xpu"):
    setattr(Tensor, _name, property(is_sparse))


@_property
def _version(self):
    if is_inference(self):
        raise RuntimeError("Inference tensors do not track version counter.")
    base = self if self._view_of is None else self._view_of
    if self._storage is None or base._own_version:
        return base._changes
    return self._storage.version


@_property
def _base(self):
    return self._view_of


@method
def size(self, dim=None):
    """The shape, or the size of one dim."""
    if dim is None:
        return self._meta.shape
    from .ops.reduce import normalize_dim

    if not self._meta.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return self._meta.shape[normalize_dim(dim, self.ndim)]


@method
def dim(self):
    """The number of dims."""
    return len(self._meta.shape)


METHODS["ndimension"] = dim


@method
def numel(self):
    """The number of elements."""
    return self._meta.numel


METHODS["nelement"] = numel


@method
def stride(self, dim=None):
    """The distance of neighbours along each dim, or one dim, in elements."""
    return self._meta.strides if dim is None else self._meta.strides[dim]


@method
def storage_offset(self):
    """Where its first element is in its storage."""
    return self._meta.offset


@method
def element_size(self):
    """The size of an element in bytes."""
    return self._meta.dtype.itemsize


@method
def is_contiguous(self, memory_format=None):
    """Whether elements lie in row-major order without gaps."""
    return self._meta.contiguous


@method
def is_floating_point(self):
    """Whether elements are floating-point numbers."""
    return self._meta.dtype.is_floating_point


@method
def is_complex(self):
    """Whether elements are complex numbers."""
    return self._meta.dtype.is_complex


@method
def is_signed(self):
    """Whether elements can be negative."""
    return self._meta.dtype.is_signed


@method
def data_ptr(self):
    """The address of its first element."""
    buffer, meta = sync.export(self)
    return buffer.ptr + meta.offset * meta.dtype.itemsize


@method
def get_device(self):
    """The index of its device: -1 for the CPU."""
    return -1


# Its values


def _array(self):
    """The elements as an array of the storage dtype that shares memory."""
    return sync.to_array(self)


@method
def item(self):
    """The only element as a Python number. Raises RuntimeError if there are more."""
    meta = self._meta
    if meta.numel != 1:
        raise RuntimeError(f"a Tensor with {meta.numel} elements cannot be converted to Scalar")
    buffer, meta = sync.read(self)
    kind, start = meta.dtype, meta.offset * meta.dtype.itemsize
    element = buffer.array[start : start + kind.itemsize].view(kind.numpy)
    return dtypes.decode(element, kind).item()


@method
def tolist(self):
    """The elements as nested lists of Python numbers."""
    return dtypes.decode(_array(self), self._meta.dtype).tolist()


@method
def numpy(self, *, force=False):
    """The elements as a NumPy array that shares memory.

    Raises: RuntimeError for a tensor that requires grad where gradients are recorded, unless
    `force`.
    """
    if self.requires_grad and not force and is_grad_enabled():
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    meta = self._meta
    if meta.dtype.coded:
        known = {dtypes.bfloat16: "BFloat16", dtypes.complex32: "ComplexHalf"}
        name = known.get(meta.dtype, meta.dtype.name.capitalize())
        raise TypeError(f"Got unsupported ScalarType {name}")
    buffer, meta = sync.export(self)
    if not meta.numel:
        return np.empty(meta.shape, meta.dtype.numpy)
    flat = np.asarray(buffer.share())[: meta.span * meta.dtype.itemsize].view(meta.dtype.numpy)
    strides = [s * meta.dtype.itemsize for s in meta.strides]
    return np.ndarray(meta.shape, meta.dtype.numpy, flat, meta.offset * flat.itemsize, strides)


@method
def __array__(self, dtype=None, copy=None):
    array = numpy(self)
    return array.astype(dtype) if dtype is not None else array


Tensor.__array_priority__ = 1000


@method
def __len__(self):
    if not self._meta.shape:
        raise TypeError("len() of a 0-d tensor")
    return self._meta.shape[0]


@method
def __iter__(self):
    if not self._meta.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@method
def __bool__(self):
    if self._meta.numel == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if self._meta.numel != 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(item(self))


def _number(x):
    if x._meta.numel != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return item(x)


@method
def __float__(self):
    return float(_number(self))


@method
def __int__(self):
    return int(_number(self))


@method
def __complex__(self):
    return complex(_number(self))


@method
def __index__(self):
    value = item(self)
    if self._meta.dtype.category > dtypes.INT:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(value)


@method
def __contains__(self, element):
    return bool((self == element).any())


@method
def __repr__(self):
    return tensor_text(self)


@method
def __format__(self, spec):
    if not self._meta.shape and type(self) is Tensor:
        return item(self).__format__(spec)
    return object.__format__(self, spec) if not spec else repr(self).__format__(spec)


def tensor_text(self):
    """How it prints, as PyTorch prints it."""
    values = dtypes.decode(_array(self), self._meta.dtype)
    node = self.grad_fn
    return printing.format_tensor(
        values,
        self._meta.dtype,
        requires_grad=self.requires_grad,
        grad_fn_name=node.name() if node is not None else None,
    )


# Gradients


def _get_grad(self):
    return self._grad


def _set_grad(self, value):
    if value is not None:
        if not isinstance(value, Tensor):
            raise TypeError(
                f"assigned grad expected to be a Tensor or None but got grad of type "
                f"{type(value).__name__}"
            )
        if value is self:
            raise RuntimeError("can't assign Variable as its own grad")
        if value.shape != self._meta.shape:
            raise RuntimeError(
                f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor "
                f"of size '{list(self._meta.shape)}'. Please ensure that the gradient and the "
                "tensor are the same size"
            )
        if value.dtype is not self._meta.dtype:
            raise RuntimeError(
                f"attempting to assign a gradient with dtype '{value.dtype.name}' to a "
                f"tensor with dtype '{self._meta.dtype.name}'. The gradient must match it"
            )
    self._grad = value


Tensor.grad = property(_get_grad, _set_grad, lambda self: setattr(self, "_grad", None))


@method
def requires_grad_(self, requires_grad=True):
    """Make it a leaf that gradients are recorded for, or not; returns itself."""
    if requires_grad and self._meta.dtype.category < dtypes.FLOAT:
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    if bool(requires_grad) is self._meta.requires_grad:
        return self
    if not requires_grad and not inplace.is_leaf(self):
        raise RuntimeError(
            "you can only change requires_grad flags of leaf variables. If you want to use a "
            "computed variable in a subgraph that doesn't require differentiation use "
            "var_no_grad = var.detach()."
        )
    inplace.mark(self, bool(requires_grad))
    return self


@method
def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Add its gradient to the `.grad` of the leaves it depends on."""
    engine.backward(self, gradient, retain_graph, create_graph, inputs=inputs)


@method
def detach(self):
    """A view of the same memory that takes no part in gradients."""
    return inplace.detached(self)


@method
def detach_(self):
    """Cut it off the graph that made it, in place. Raises RuntimeError for a view."""
    if self._view_of is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    inplace.mark(self, False)
    return self


Tensor.data = property(inplace.data_of, inplace.adopt)


def install():
    """Attach all methods to Tensor."""
    for name, f in METHODS.items():
        if name.startswith("__") and getattr(f, "__name__", name) not in METHODS:
            f.__name__ = name  # it is told to those that `__torch_function__` asks
        setattr(Tensor, name, f)
