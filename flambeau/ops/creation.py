"""Making tensors: from data, filled with a value, in steps; and from memory that exists."""

import math
import numbers

import numpy as np

from .. import dtypes
from ..backends.memory import Buffer
from ..recorder import inplace, sync
from ..recorder.handle import CPU, Size, Tensor, contiguous_strides, device, intern, require_device
from ..recorder.trace import new_leaf, record, share
from .api import FUNCTIONS, METHODS, cast_to, function, method
from .core import Op

__all__ = ["from_array", "make_tensor"]


class _Full(Op):
    """A tensor of `shape` filled with operand 0."""

    differentiable = True

    def infer(self, operands, attrs):
        return intern(attrs["shape"], attrs["dtype"])

    def lower(self, build, inputs, operands, attrs, metas):
        """The number, expanded."""
        return build.expand(build.cast(inputs[0], attrs["dtype"]), attrs["shape"])


class _Constant(Op):
    """A tensor of `shape` filled with 0 or 1, which the compiler may know."""

    differentiable = False

    def infer(self, operands, attrs):
        return intern(attrs["shape"], attrs["dtype"])

    def lower(self, build, inputs, operands, attrs, metas):
        """A constant."""
        kind = attrs["dtype"]
        value = attrs["value"]
        value = bool(value) if kind is dtypes.bool_ else value
        value = float(value) if kind.category >= dtypes.FLOAT else value
        return build.const(value, kind, attrs["shape"])


class _Arange(Op):
    """start + i * step for i below `size`."""

    differentiable = False

    def infer(self, operands, attrs):
        return intern((attrs["size"],), attrs["dtype"])

    def lower(self, build, inputs, operands, attrs, metas):
        """An index, scaled and shifted."""
        from .elementwise import add_op, mul_op

        kind, shape = attrs["dtype"], (attrs["size"],)
        wide = dtypes.int64 if all(k is int for k in operands) else dtypes.float64
        start, step = (build.cast(x, wide) for x in inputs)
        steps = build.map(mul_op, (build.cast(build.iota(shape[0]), wide), step), shape, wide)
        return build.cast(build.map(add_op, (steps, start), shape, wide), kind)


full_op, constant_op, arange_op = _Full("full"), _Constant("constant"), _Arange("arange")
full_op.vjp_rule = lambda g, out, x, shape, dtype: g.sum()


def shape_of(size):
    """A shape given as ints or as one sequence."""
    if len(size) == 1 and not isinstance(size[0], (int, np.integer, Tensor)):
        size = tuple(size[0])
    shape = tuple(int(n) for n in size)
    if any(n < 0 for n in shape):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}"
        )
    return shape


def finish(x, requires_grad):
    """The tensor as a leaf that requires a gradient, if asked for."""
    return x.requires_grad_() if requires_grad else x


def _options(dtype, device):
    if device is not None:
        require_device(device)
    if dtype is not None and not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"dtype must be a torch.dtype, not {type(dtype).__name__}")
    return dtype or dtypes.get_default_dtype()


def constant(shape, value, dtype):
    """A tensor filled with 0 or 1."""
    return record(constant_op, (), (("shape", shape), ("value", value), ("dtype", dtype)))


def _filled(name, value):
    def make(
        *size, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
    ):
        if "size" in make_kwargs and not size:
            size = make_kwargs["size"]
        made = constant(shape_of(size), value, _options(dtype, device))
        return into(made, out) if out is not None else finish(made, requires_grad)

    make_kwargs = {}
    make.__name__ = name
    make.__doc__ = f"A tensor of a shape, given as ints or a sequence, filled with {value}s."
    return function(make, methods=False)


def into(made, out):
    """Write a result into `out`."""
    from .api import into_out

    return into_out(made, out)


zeros, ones = _filled("zeros", 0), _filled("ones", 1)


@function(methods=False)
def empty(
    *size,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
    memory_format=None,
):
    """A tensor of a shape with unspecified values (zeros here)."""
    made = constant(shape_of(size), 0, _options(dtype, device))
    return into(made, out) if out is not None else finish(made, requires_grad)


@function(methods=False)
def full(size, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False):
    """A tensor of shape `size` filled with a number."""
    shape = shape_of((size,))
    if isinstance(fill_value, Tensor):
        dtype = dtype or fill_value.dtype
        return finish(cast_to(fill_value, dtype).expand(shape).clone(), requires_grad)
    if dtype is None:
        dtype = dtypes.of_scalar(_number_kind(fill_value))
    _options(dtype, device)
    made = record(full_op, (fill_value,), (("shape", shape), ("dtype", dtype)))
    return finish(made, requires_grad)


def _number_kind(x):
    for kind in (bool, int, float, complex):
        if isinstance(x, kind):
            return kind
    if isinstance(x, np.generic):
        return type(x.item())
    raise TypeError(f"expected a number, got {type(x).__name__}")


def _like(name, make):
    def like(
        input,
        *args,
        dtype=None,
        layout=None,
        device=None,
        requires_grad=False,
        memory_format=None,
        **kwargs,
    ):
        meta = input._meta
        kind = dtype or meta.dtype
        _options(kind, device)
        made = make(input._meta.shape, *args, dtype=kind, **kwargs)
        if not meta.contiguous and meta.is_dense and memory_format is None:
            made = in_layout(made, meta)
        return finish(made, requires_grad)

    like.__name__ = name
    like.__doc__ = f"`{name[:-5]}` with the shape and dtype of `input`."
    return function(like, methods=False, out=False)


def in_layout(x, meta):
    """A copy of a tensor in the dense memory order of `meta`."""
    order = sorted(range(len(meta.shape)), key=lambda d: (-meta.strides[d], d))
    back = [order.index(d) for d in range(len(order))]
    return x.permute(order).contiguous().permute(back)


zeros_like, ones_like = _like("zeros_like", zeros), _like("ones_like", ones)
empty_like, full_like = _like("empty_like", empty), _like("full_like", full)

for _name, _make in (("zeros", zeros), ("ones", ones), ("empty", empty)):

    def _new(
        self,
        *size,
        dtype=None,
        device=None,
        requires_grad=False,
        layout=None,
        _make=_make,
        pin_memory=False,
    ):
        return _make(
            *size, dtype=dtype or self._meta.dtype, device=device, requires_grad=requires_grad
        )

    _new.__doc__ = f"`{_name}` of a shape, with the dtype of this tensor."
    METHODS["new_" + _name] = _new


@method("new_full")
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False):
    """`full`, with the dtype of this tensor."""
    return full(size, fill_value, dtype=dtype or self._meta.dtype, requires_grad=requires_grad)


@method("new_tensor")
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False):
    """`tensor`, with the dtype of this tensor."""
    return make_tensor(data, dtype=dtype or self._meta.dtype, requires_grad=requires_grad)


@function(methods=False)
def arange(start=0, end=None, step=1, *, dtype=None, layout=None, device=None, requires_grad=False):
    """start, start + step, ... below `end`, as int64 or, of floats, the default dtype."""
    if end is None:
        start, end = 0, start
    start, end, step = (x.item() if hasattr(x, "item") else x for x in (start, end, step))
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not all(map(math.isfinite, (start, end))):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) / step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is not None and dtype.category < dtypes.FLOAT:
        start, end, step = int(start), int(end), int(step)
    exact = all(isinstance(x, numbers.Integral) for x in (start, end, step))
    size = math.ceil((end - start) / step)
    if dtype is None:
        dtype = dtypes.int64 if exact else dtypes.get_default_dtype()
    _options(dtype, device)
    if exact:
        start, step = int(start), int(step)
    made = record(arange_op, (start, step), (("size", size), ("dtype", dtype)))
    return finish(made, requires_grad)


@function(methods=False)
def linspace(start, end, steps, *, dtype=None, layout=None, device=None, requires_grad=False):
    """`steps` numbers at equal distances from `start` to `end`, both included."""
    start, end = (x.item() if hasattr(x, "item") else x for x in (start, end))
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    dtype = _options(dtype, device)
    kind = np.float64 if dtype.name in ("float64", "complex128") else np.float32
    if dtype.category < dtypes.FLOAT:
        kind, start, end = np.float64, int(start), int(end)
    step = kind((kind(end) - kind(start)) / (steps - 1)) if steps > 1 else kind(0)
    index = np.arange(steps)
    up, down = (
        kind(start) + step * index.astype(kind),
        kind(end) - step * (steps - 1 - index).astype(kind),
    )
    values = np.where(index < steps // 2, up, down) if steps > 1 else np.full(steps, start, kind)
    return finish(from_array(dtypes.encode(_to_kind(values, dtype), dtype), dtype), requires_grad)


def _to_kind(values, dtype):
    return np.trunc(values) if dtype.category < dtypes.FLOAT else values


@function(methods=False)
def logspace(
    start, end, steps, base=10.0, *, dtype=None, layout=None, device=None, requires_grad=False
):
    """`base` to the powers of `linspace(start, end, steps)`."""
    start, end, base = (x.item() if hasattr(x, "item") else x for x in (start, end, base))
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    dtype = _options(dtype, device)
    if dtype.category < dtypes.FLOAT:
        start, end = int(start), int(end)
    powers = np.linspace(start, end, steps)
    values = np.power(float(base), powers)
    return finish(from_array(dtypes.encode(_to_kind(values, dtype), dtype), dtype), requires_grad)


@function(methods=False)
def eye(n, m=None, *, dtype=None, layout=None, device=None, requires_grad=False):
    """The identity matrix, or its first columns or rows."""
    m = n if m is None else m
    if n < 0 or m < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n} and m {m}")
    dtype = _options(dtype, device)
    made = cast_to(arange(n).unsqueeze(1) == arange(m), dtype)
    return finish(made, requires_grad)


# From data


def from_array(array, dtype=None):
    """A tensor over a contiguous array that nobody else writes to."""
    array = np.ascontiguousarray(array).reshape(np.shape(array))
    dtype = dtype or dtypes.FROM_NUMPY[array.dtype]
    buffer = Buffer.allocate(array.nbytes)
    buffer.numpy(array.dtype, array.size)[...] = array.reshape(-1)
    return new_leaf(intern(array.shape, dtype), buffer)


_NATIVE = {np.dtype(x) for x in ("u2", "u4", "u8")}


def array_of(data, dtype):
    """Nested data as (array of the storage dtype, dtype), as `flambeau.tensor` infers it."""
    if isinstance(data, (np.ndarray, np.generic)):
        found = dtypes.FROM_NUMPY.get(data.dtype.newbyteorder("="))
        if found is None:
            raise TypeError(
                f"can't convert np.ndarray of type {data.dtype}. The only supported types are: "
                "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, "
                "uint8, and bool."
            )
        kind = dtype or found
        if kind is found:
            return np.asarray(data, found.numpy), kind
        from ..backends.numpy.interpret import cast_array

        return dtypes.encode(cast_array(np.asarray(data), found, kind), kind), kind
    data = _plain(data)
    _check_nested(data)
    array = np.asarray(data)
    if array.dtype == object:
        raise _cannot_convert(data)
    inferred = _infer(array, data)
    kind = dtype or inferred
    if kind.category == dtypes.INT and array.dtype.kind in "iu" and array.size:
        info = np.iinfo(kind.numpy)
        if array.max() > info.max or array.min() < info.min:
            raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")
    from ..backends.numpy.interpret import cast_array

    source = dtypes.FROM_NUMPY.get(array.dtype, dtypes.int64)
    return dtypes.encode(cast_array(array, source, kind), kind), kind


def _infer(array, data):
    if array.size == 0:
        return dtypes.get_default_dtype()
    if array.dtype.kind == "f" and not _has_numpy(data):
        return dtypes.get_default_dtype()
    if array.dtype.kind == "c" and not _has_numpy(data):
        return dtypes.get_default_dtype().to_complex()
    return dtypes.FROM_NUMPY.get(array.dtype, dtypes.int64)


def _has_numpy(data):
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic))


def _plain(data):
    """Nested sequences with tensors in them as arrays."""
    if isinstance(data, Tensor):
        return data.detach().numpy() if data.ndim else data.item()
    if isinstance(data, (list, tuple)):
        if any(isinstance(x, (Tensor, list, tuple)) for x in data):
            return [_plain(x) for x in data]
        return data
    if hasattr(data, "__array__") and not isinstance(data, (np.ndarray, np.generic)):
        return np.asarray(data)
    if isinstance(data, range):
        return list(data)
    if (
        hasattr(data, "__len__")
        and hasattr(data, "__getitem__")
        and not isinstance(data, (np.ndarray, str, bytes, dict))
    ):
        return [data[i] for i in range(len(data))]
    return data


def _check_nested(data, path=0):
    """Raise ValueError where sequences of one level differ in length, TypeError for other data."""
    if isinstance(data, (str, bytes, dict, set)) or data is None:
        raise _cannot_convert(data)
    if not isinstance(data, (list, tuple)) or not data:
        return
    nested = isinstance(data[0], (list, tuple))
    if nested:
        length = len(data[0])
        for x in data:
            if not isinstance(x, (list, tuple)):
                raise TypeError(f"must be real number, not {type(x).__name__}")
            if len(x) != length:
                raise ValueError(
                    f"expected sequence of length {length} at dim {path + 1} (got {len(x)})"
                )
            _check_nested(x, path + 1)
    else:
        for x in data:
            if isinstance(x, (str, bytes, dict, set)) or x is None:
                raise _cannot_convert(x)
            if isinstance(x, (list, tuple)):
                raise TypeError(f"not a sequence at dim {path}")


def _cannot_convert(data):
    if isinstance(data, str):
        return TypeError(f"new(): invalid data type '{type(data).__name__}'")
    kind = type(data).__name__
    return RuntimeError(f"Could not infer dtype of {kind}")


def make_tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False):
    """A new tensor with the values of numbers, nested sequences, arrays or tensors: a copy.

    Raises: ValueError for ragged sequences; RuntimeError for data that are not numbers.

    >>> import flambeau as torch
    >>> torch.tensor([[1, 2], [3, 4]]).dtype
    torch.int64
    """
    require_device(device)
    if isinstance(data, Tensor):
        made = data.detach().clone()
        made = cast_to(made, dtype) if dtype else made
    else:
        array, kind = array_of(data, dtype)
        made = from_array(array, kind)
    if requires_grad:
        if made._meta.dtype.category < dtypes.FLOAT:
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        made.requires_grad_()
    return made


make_tensor.__name__ = "tensor"
FUNCTIONS["tensor"] = make_tensor


@function(methods=False, out=False)
def from_numpy(array):
    """A tensor that shares the memory of a NumPy array, both ways."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtype = dtypes.FROM_NUMPY.get(array.dtype)
    if dtype is None:
        raise TypeError(
            f"can't convert np.ndarray of type {array.dtype}. The only supported types are: "
            "float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint8, "
            "and bool."
        )
    if any(s < 0 for s in array.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().)"
        )
    strides = tuple(s // array.itemsize for s in array.strides)
    if any(s % array.itemsize for s in array.strides):
        raise ValueError("given numpy array strides not a multiple of the element byte size.")
    if not array.size:
        return new_leaf(intern(array.shape, dtype), Buffer.allocate(0))
    meta = intern(array.shape, dtype, strides)
    flat = np.lib.stride_tricks.as_strided(array, (meta.span,), (array.itemsize,))
    out = new_leaf(meta, Buffer(flat.view(np.uint8), _address(array), flat.nbytes, array))
    if not meta.is_dense:
        out._meta = intern((meta.span,), dtype)
        storage = share(out)
        out._meta = meta
        out._storage = storage
    return out


def _address(array):
    return array.__array_interface__["data"][0]


@function(methods=False, out=False, aliases=("asarray",))
def as_tensor(data, dtype=None, device=None):
    """A tensor of the data, which shares memory with it where that can be."""
    require_device(device)
    if isinstance(data, Tensor):
        return cast_to(data, dtype) if dtype else data
    if isinstance(data, np.ndarray) and data.dtype in dtypes.FROM_NUMPY:
        if dtype in (None, dtypes.FROM_NUMPY[data.dtype]) and all(s >= 0 for s in data.strides):
            return from_numpy(data)
    return make_tensor(data, dtype=dtype)


@function(methods=False, out=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over the memory of an object with the buffer protocol."""
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    return finish(from_numpy(array) if array.flags.writeable else from_array(array), requires_grad)


def resize_(x, shape):
    """Give a tensor another shape in place; elements beyond its memory are zeros."""
    shape = tuple(shape)
    numel = math.prod(shape)
    fresh = zeros(shape, dtype=x._meta.dtype)
    if numel and x._meta.numel:
        keep = min(numel, x._meta.numel)
        flat = fresh.reshape(-1)
        flat[:keep] = x.detach().reshape(-1)[:keep]
    inplace.adopt(x, fresh)
    return x


METHODS["resize_"] = lambda self, *size, memory_format=None: resize_(self, shape_of(size))
METHODS["resize_as_"] = lambda self, other: resize_(self, other._meta.shape)
_ = (CPU, Size, contiguous_strides, device, sync)
