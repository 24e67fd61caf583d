"""Making tensors: from data, filled with a value, in steps; and from memory that exists."""

import importlib
import math
import numbers

import numpy as np

from .. import dtypes
from ..formats import strided
from ..recorder import inplace
from ..recorder.handle import Tensor, intern, require_device
from ..recorder.record import record
from .api import FUNCTIONS, METHODS, cast_to, function, method
from .core import Op
from .from_data import finish, from_array, make_tensor
from .strides import layout_like

__all__ = [
    "arange",
    "arange_op",
    "constant",
    "constant_op",
    "empty",
    "empty_like",
    "eye",
    "full",
    "full_like",
    "full_op",
    "in_layout",
    "into",
    "linspace",
    "logspace",
    "new_full",
    "new_tensor",
    "ones",
    "ones_like",
    "resize_",
    "shape_of",
    "zeros",
    "zeros_like",
]


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


def _options(dtype, device):
    if device is not None:
        require_device(device)
    if dtype is not None and not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"dtype must be a torch.dtype, not {type(dtype).__name__}")
    return dtype or dtypes.get_default_dtype()


def constant(shape, value, dtype):
    """A tensor filled with 0 or 1."""
    return record(constant_op, (), (("shape", shape), ("value", value), ("dtype", dtype)))


def _sparse(shape, value, dtype, layout):
    """A tensor of zeros that stores none of them."""
    if value:
        raise RuntimeError("full(...) is not implemented for sparse layout")
    # It stands above this module, and is loaded by those who use it.
    return importlib.import_module("flambeau.sparse.creation").empty_of(shape, dtype, layout)


def _filled(name, value):
    def make(
        *size, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False
    ):
        if "size" in make_kwargs and not size:
            size = make_kwargs["size"]
        if layout not in (None, strided):
            return _sparse(shape_of(size), value, _options(dtype, device), layout)
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
    if layout not in (None, strided):
        return _sparse(shape_of(size), 0, _options(dtype, device), layout)
    made = constant(shape_of(size), 0, _options(dtype, device))
    return into(made, out) if out is not None else finish(made, requires_grad)


@function(methods=False)
def full(size, fill_value, *, dtype=None, layout=None, device=None, requires_grad=False):
    """A tensor of shape `size` filled with a number."""
    shape = shape_of((size,))
    if layout not in (None, strided):
        raise RuntimeError("full(...) is not implemented for sparse layout")
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
        made = make(input._meta.shape, *args, dtype=kind, layout=layout, **kwargs)
        if layout not in (None, strided):
            return made
        target = layout_like(meta.shape, kind, (meta,))
        if not target.contiguous and memory_format is None:
            made = in_layout(made, target)
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
    if isinstance(start, complex) or isinstance(end, complex):
        dtype = dtype or dtypes.of_scalar(complex)
        ends = [(x.real, x.imag) for x in (start, end)]
        parts = [linspace(a, b, steps, dtype=dtype.to_real()) for a, b in zip(*ends, strict=True)]
        return finish(FUNCTIONS["complex"](*parts), requires_grad)
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
