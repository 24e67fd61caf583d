"""How a tensor becomes another: copies, other dtypes, subclasses, pickles, storages."""

import numpy as np

from . import dtypes, ops, sharing
from .autograd import modes
from .formats import strided
from .ops.api import METHODS, cast_to, method
from .ops.creation import shape_of
from .ops.from_data import from_array, make_tensor
from .recorder import inplace, sync
from .recorder.entering import is_inference, share
from .recorder.handle import Size, Tensor, require_device

__all__ = []


@method
def copy_(self, src, non_blocking=False):
    """Write the values of `src`, which broadcasts, into it; returns itself."""
    if src is self:
        return self
    inplace.check_writable(self, "copy_")
    value = src if isinstance(src, Tensor) else make_tensor(src)
    if value.layout is not strided:
        raise RuntimeError(
            "copy_() between dense and sparse Tensors is not implemented! Found self layout "
            f"{self.layout} and src layout {value.layout}"
        )
    value = cast_to(value, self._meta.dtype)
    if value._meta.shape != self._meta.shape:
        value = value.expand(self._meta.shape)
    inplace.write(self, value)
    return self


@method
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
    elif isinstance(value, complex) and not self._meta.dtype.is_complex:
        raise RuntimeError(f"a complex value cannot be converted to {self._meta.dtype.name}")
    else:
        filled = ops.creation.full(tuple(self._meta.shape), value, dtype=self._meta.dtype)
    inplace.write(self, filled)
    return self


@method
def zero_(self):
    """Fill it with zeros; returns itself."""
    inplace.check_writable(self, "zero_", overlap=True)
    inplace.write(self, ops.creation.constant(tuple(self._meta.shape), 0, self._meta.dtype))
    return self


def _require_layout(x, like):
    if like.layout is not x.layout:
        raise RuntimeError(
            "to(options) doesn't support converting to a different layout, but got self.layout "
            f"being {x.layout} and options.layout set as {like.layout}"
        )


@method
def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, memory_format=None):
    """The tensor with another dtype or on another device; itself if it has both."""
    for arg in args:
        if isinstance(arg, dtypes.dtype):
            dtype = arg
        elif isinstance(arg, Tensor):
            _require_layout(self, arg)
            dtype = arg.dtype
        elif arg is not None and not isinstance(arg, bool):
            device = arg
    require_device(device)
    if dtype is not None and dtype is not self._meta.dtype:
        return cast_to(self, dtype)
    return self.clone() if copy else self


METHODS["cpu"] = lambda self, memory_format=None: self
METHODS["type_as"] = lambda self, other: to(self, other)
METHODS["pin_memory"] = lambda self, device=None: self
METHODS["is_pinned"] = lambda self, device=None: False
METHODS["share_memory_"] = sharing.share_memory_
METHODS["is_shared"] = sharing.is_shared


@method
def cuda(self, device=None, non_blocking=False):
    """The tensor on a CUDA device. Raises RuntimeError where there is none."""
    require_device("cuda" if device is None else device)


def _type(self, dtype=None, non_blocking=False):
    """The name of its type, or the tensor cast to a type.

    A type is a dtype, a class such as `torch.FloatTensor`, or the name of one of these classes.
    """
    if dtype is None:
        return _type_name(self._meta.dtype)
    if isinstance(dtype, dtypes.dtype):
        return cast_to(self, dtype)
    if dtype is Tensor:
        return cast_to(self, dtypes.get_default_dtype())
    return cast_to(self, _of_type(dtype))


def _type_name(kind):
    name = kind.name
    unsigned = name.startswith("u")
    other = f"U{name[1:].capitalize()}Tensor" if unsigned else f"{name.capitalize()}Tensor"
    return "torch." + _LEGACY.get(name, other)


def _of_type(kind):
    """The dtype of a class of tensors, or of its name.

    Raises: ValueError for what is none; RuntimeError for tensors of a device that is not there.
    """
    if isinstance(kind, type):
        home = kind.__module__
        name = kind.__name__ if home == "builtins" else f"{home}.{kind.__name__}"
    elif isinstance(kind, str):
        name = kind
    else:
        raise TypeError("dtype must be a type, str, or dtype object")
    if name.startswith("torch.cuda."):
        require_device("cuda")
    known = {_type_name(d): d for d in dtypes.ALL}
    found = known.get(name.replace("torch.sparse.", "torch."))
    if found is None:
        raise ValueError(f"invalid type: {name!r}")
    return found


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
    ("chalf", dtypes.complex32),
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
    if is_inference(data):
        inplace.check_trackable(data, requires_grad)
        out._inference = True
    return out


Tensor._make_subclass = staticmethod(_make_subclass)
Tensor._new = staticmethod(_new)


@method
def as_subclass(self, cls):
    """The same tensor as an instance of a subclass."""
    if not self.requires_grad:
        return _make_subclass(cls, self)
    out = self.view(self._meta.shape)  # gradients pass through it
    out.__class__ = cls
    return out


@method
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


@method
def __reduce_ex__(self, protocol):
    array = np.ascontiguousarray(sync.to_array(self)).reshape(self._meta.shape).copy()
    return _rebuild, (array, self._meta.dtype.name, self.requires_grad, self.__class__)


@method
def untyped_storage(self):
    """Its storage, which other tensors may view too."""
    from .storage import UntypedStorage

    return UntypedStorage(self)


@method
def storage(self):
    """Its storage, seen as elements of its dtype."""
    from .storage import TypedStorage

    return TypedStorage(wrap_storage=untyped_storage(self), dtype=self._meta.dtype)


METHODS["_typed_storage"] = storage
