"""`Tensor` complete: what a user sees of it besides the operations.

The operations become methods from the table `ops.api.METHODS`.
"""

import numpy as np

from . import dtypes, ops, printing
from .autograd import engine, modes
from .backends.memory import Buffer
from .ops.api import METHODS, cast_to, in_place_method
from .ops.creation import shape_of
from .ops.from_data import from_array, make_tensor
from .recorder import inplace, sync
from .recorder.handle import CPU, Size, Tensor, intern, require_device
from .recorder.trace import new_leaf, share

__all__ = ["Tensor"]


def _property(f):
    setattr(Tensor, f.__name__, property(f))
    return f


def _method(f):
    METHODS[f.__name__] = f
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
    requires_grad_(self, value)


Tensor.requires_grad = Tensor.requires_grad.setter(_set_requires_grad)


@_property
def is_leaf(self):
    """Whether it is not the result of an operation that gradients pass through."""
    return inplace.is_leaf(self)


@_property
def layout(self):
    """How the elements are laid out: strided."""
    from . import strided

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
    base = self if self._view_of is None else self._view_of
    if self._storage is None or base._own_version:
        return base._changes
    return self._storage.version


@_property
def _base(self):
    return self._view_of


@_method
def size(self, dim=None):
    """The shape, or the size of one dim."""
    if dim is None:
        return self._meta.shape
    from .ops.reduce import normalize_dim

    if not self._meta.shape:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return self._meta.shape[normalize_dim(dim, self.ndim)]


@_method
def dim(self):
    """The number of dims."""
    return len(self._meta.shape)


METHODS["ndimension"] = dim


@_method
def numel(self):
    """The number of elements."""
    return self._meta.numel


METHODS["nelement"] = numel


@_method
def stride(self, dim=None):
    """The distance of neighbours along each dim, or one dim, in elements."""
    return self._meta.strides if dim is None else self._meta.strides[dim]


@_method
def storage_offset(self):
    """Where its first element is in its storage."""
    return self._meta.offset


@_method
def element_size(self):
    """The size of an element in bytes."""
    return self._meta.dtype.itemsize


@_method
def is_contiguous(self, memory_format=None):
    """Whether elements lie in row-major order without gaps."""
    return self._meta.contiguous


@_method
def is_floating_point(self):
    """Whether elements are floating-point numbers."""
    return self._meta.dtype.is_floating_point


@_method
def is_complex(self):
    """Whether elements are complex numbers."""
    return self._meta.dtype.is_complex


@_method
def is_signed(self):
    """Whether elements can be negative."""
    return self._meta.dtype.is_signed


@_method
def data_ptr(self):
    """The address of its first element."""
    buffer, meta = sync.export(self)
    return buffer.ptr + meta.offset * meta.dtype.itemsize


@_method
def get_device(self):
    """The index of its device: -1 for the CPU."""
    return -1


# Its values


def _array(self):
    """The elements as an array of the storage dtype that shares memory."""
    return sync.to_array(self)


@_method
def item(self):
    """The only element as a Python number. Raises RuntimeError if there are more."""
    meta = self._meta
    if meta.numel != 1:
        raise RuntimeError(f"a Tensor with {meta.numel} elements cannot be converted to Scalar")
    buffer, meta = sync.realize(self)
    kind, start = meta.dtype, meta.offset * meta.dtype.itemsize
    element = buffer.array[start : start + kind.itemsize].view(kind.numpy)
    return dtypes.decode(element, kind).item()


@_method
def tolist(self):
    """The elements as nested lists of Python numbers."""
    return dtypes.decode(_array(self), self._meta.dtype).tolist()


@_method
def numpy(self, *, force=False):
    """The elements as a NumPy array that shares memory.

    Raises: RuntimeError for a tensor that requires grad, unless `force`.
    """
    if self.requires_grad and not force:
        raise RuntimeError(
            "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    meta = self._meta
    if meta.dtype is dtypes.bfloat16:
        raise TypeError("Got unsupported ScalarType BFloat16")
    buffer, meta = sync.export(self)
    if not meta.numel:
        return np.empty(meta.shape, meta.dtype.numpy)
    flat = np.asarray(buffer.share())[: meta.span * meta.dtype.itemsize].view(meta.dtype.numpy)
    strides = [s * meta.dtype.itemsize for s in meta.strides]
    return np.ndarray(meta.shape, meta.dtype.numpy, flat, meta.offset * flat.itemsize, strides)


@_method
def __array__(self, dtype=None, copy=None):
    array = numpy(self)
    return array.astype(dtype) if dtype is not None else array


Tensor.__array_priority__ = 1000


@_method
def __len__(self):
    if not self._meta.shape:
        raise TypeError("len() of a 0-d tensor")
    return self._meta.shape[0]


@_method
def __iter__(self):
    if not self._meta.shape:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@_method
def __bool__(self):
    if self._meta.numel == 0:
        raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
    if self._meta.numel != 1:
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
    return bool(item(self))


@_method
def __float__(self):
    return float(item(self))


@_method
def __int__(self):
    return int(item(self))


@_method
def __complex__(self):
    return complex(item(self))


@_method
def __index__(self):
    value = item(self)
    if self._meta.dtype.category > dtypes.INT:
        raise TypeError("only integer tensors of a single element can be converted to an index")
    return int(value)


@_method
def __contains__(self, element):
    return bool((self == element).any())


@_method
def __repr__(self):
    return tensor_text(self)


@_method
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
        if value._meta.shape != self._meta.shape:
            raise RuntimeError(
                f"assigned grad has data of a different size: {list(value._meta.shape)} instead "
                f"of {list(self._meta.shape)}"
            )
        if value._meta.dtype is not self._meta.dtype:
            raise RuntimeError("assigned grad has data of a different type")
    self._grad = value


Tensor.grad = property(_get_grad, _set_grad, lambda self: setattr(self, "_grad", None))


@_method
def requires_grad_(self, requires_grad=True):
    """Make it a leaf that gradients are recorded for, or not; returns itself."""
    if requires_grad and self._meta.dtype.category < dtypes.FLOAT:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
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


@_method
def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Add its gradient to the `.grad` of the leaves it depends on."""
    engine.backward(self, gradient, retain_graph, create_graph, inputs)


@_method
def detach(self):
    """A view of the same memory that takes no part in gradients."""
    return inplace.detached(self)


@_method
def detach_(self):
    """Cut it off the graph that made it, in place. Raises RuntimeError for a view."""
    if self._view_of is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    inplace.mark(self, False)
    return self


Tensor.data = property(inplace.data_of, inplace.adopt)


# Copies and conversions


@_method
def copy_(self, src, non_blocking=False):
    """Write the values of `src`, which broadcasts, into it; returns itself."""
    if src is self:
        return self
    inplace.check_writable(self, "copy_")
    value = src if isinstance(src, Tensor) else make_tensor(src)
    value = cast_to(value, self._meta.dtype)
    if value._meta.shape != self._meta.shape:
        value = value.expand(self._meta.shape)
    inplace.write(self, value)
    return self


@_method
def fill_(self, value):
    """Fill it with a number; returns itself."""
    inplace.check_writable(self, "fill_", overlap=True)
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} "
                "dimensions."
            )
        filled = cast_to(value, self._meta.dtype).expand(self._meta.shape)
    else:
        filled = ops.creation.full(tuple(self._meta.shape), value, dtype=self._meta.dtype)
    inplace.write(self, filled)
    return self


@_method
def zero_(self):
    """Fill it with zeros; returns itself."""
    inplace.check_writable(self, "zero_", overlap=True)
    inplace.write(self, ops.creation.constant(tuple(self._meta.shape), 0, self._meta.dtype))
    return self


@_method
def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """The tensor with another dtype or on another device; itself if it has both."""
    for arg in args:
        if isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, Tensor):
            dtype = arg._meta.dtype
        elif arg is not None and not isinstance(arg, bool):
            device = arg
    require_device(device)
    if dtype is not None and dtype is not self._meta.dtype:
        return cast_to(self, dtype)
    return self.clone() if copy else self


METHODS["cpu"] = lambda self, memory_format=None: self
METHODS["type_as"] = lambda self, other: cast_to(self, other._meta.dtype)
METHODS["pin_memory"] = lambda self, device=None: self
METHODS["is_pinned"] = lambda self, device=None: False
METHODS["share_memory_"] = lambda self: self
METHODS["is_shared"] = lambda self: False


@_method
def cuda(self, device=None, non_blocking=False):
    """The tensor on a CUDA device. Raises RuntimeError where there is none."""
    require_device("cuda" if device is None else device)


def _type(self, dtype=None, non_blocking=False):
    """The name of its type, or the tensor cast to a type."""
    if dtype is None:
        return "torch." + _LEGACY.get(self._meta.dtype.name, "Tensor")
    if isinstance(dtype, str):
        names = {f"torch.{v}": k for k, v in _LEGACY.items()}
        dtype = dtypes.BY_NAME[names.get(dtype, dtype.removeprefix("torch."))]
    return cast_to(self, dtype)


METHODS["type"] = _type
_LEGACY = {
    "float32": "FloatTensor",
    "float64": "DoubleTensor",
    "float16": "HalfTensor",
    "bfloat16": "BFloat16Tensor",
    "uint8": "ByteTensor",
    "int8": "CharTensor",
    "int16": "ShortTensor",
    "int32": "IntTensor",
    "int64": "LongTensor",
    "bool": "BoolTensor",
}


def _caster(name, kind):
    def cast(self, memory_format=None):
        return cast_to(self, kind)

    cast.__name__ = name
    cast.__doc__ = f"The tensor as {kind.name}."
    METHODS[name] = cast


for _name, _kind in (
    ("float", dtypes.float32),
    ("double", dtypes.float64),
    ("half", dtypes.float16),
    ("bfloat16", dtypes.bfloat16),
    ("long", dtypes.int64),
    ("int", dtypes.int32),
    ("short", dtypes.int16),
    ("char", dtypes.int8),
    ("byte", dtypes.uint8),
    ("bool", dtypes.bool_),
    ("cfloat", dtypes.complex64),
    ("cdouble", dtypes.complex128),
):
    _caster(_name, _kind)


# Making, copying and pickling


def _new(cls, *args, device=None):
    if not args:
        return _subclass(cls, ops.creation.zeros(0))
    if len(args) == 1 and isinstance(args[0], Tensor):
        return _subclass(cls, args[0].detach())
    if len(args) == 1 and not isinstance(args[0], (int, Size)):
        return _subclass(cls, make_tensor(args[0], dtype=dtypes.get_default_dtype()))
    return _subclass(cls, ops.creation.zeros(*shape_of(args)))


def _subclass(cls, made):
    if cls is Tensor:
        return made
    return _make_subclass(cls, made, made._meta.requires_grad)


def _make_subclass(cls, data, requires_grad=False):
    """A leaf of a subclass of Tensor that views the memory of `data`."""
    out = object.__new__(cls)
    out._segment, out._pos, out._storage = None, 0, None
    out._meta = data._meta.with_grad(bool(requires_grad))
    sync.realize(data)
    inplace.join(out, share(data))
    return out


Tensor._make_subclass = staticmethod(_make_subclass)
Tensor._new = staticmethod(_new)


@_method
def as_subclass(self, cls):
    """The same tensor as an instance of a subclass."""
    return _make_subclass(cls, self, self.requires_grad)


@_method
def __deepcopy__(self, memo):
    if not inplace.is_leaf(self):
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment."
        )
    if id(self) in memo:
        return memo[id(self)]
    with modes.no_grad():
        made = self.detach().clone()
    made = made if self.__class__ is Tensor else _make_subclass(self.__class__, made)
    made.requires_grad_(self.requires_grad)
    if self._grad is not None:
        made._grad = self._grad.__deepcopy__(memo)
    memo[id(self)] = made
    return made


def _rebuild(array, name, requires_grad, cls):
    made = from_array(array, dtypes.BY_NAME[name])
    made = made if cls is Tensor else _make_subclass(cls, made)
    return made.requires_grad_(requires_grad)


@_method
def __reduce_ex__(self, protocol):
    array = np.ascontiguousarray(_array(self)).reshape(self._meta.shape).copy()
    return _rebuild, (array, self._meta.dtype.name, self.requires_grad, self.__class__)


@_method
def untyped_storage(self):
    """Its storage, which other tensors may view too."""
    from .storage import UntypedStorage

    return UntypedStorage(self)


@_method
def storage(self):
    """Its storage, seen as elements of its dtype."""
    from .storage import TypedStorage

    return TypedStorage(wrap_storage=untyped_storage(self), dtype=self._meta.dtype)


METHODS["_typed_storage"] = storage


def install():
    """Attach all methods to Tensor."""
    for name, f in METHODS.items():
        setattr(Tensor, name, f)


_ = (Buffer, intern, new_leaf, in_place_method)
