"""How operations become functions and methods.

`function` puts a Python function into the public namespace and, unless told otherwise, among the
methods of `Tensor`; `elementwise` derives the function, the method, the in-place method and the
`out=` form of an `Elementwise` op. Both tables are read by `flambeau/__init__.py` and `tensor.py`.
"""

import functools
import inspect

from .. import dtypes
from ..errors import SparseOperand
from ..recorder import inplace
from ..recorder.entering import new_leaf
from ..recorder.handle import Tensor, intern
from ..recorder.record import NUMBERS, record
from ..recorder.states import LEAF, VIEW, Scalar
from ..recorder.trace import grad_enabled, local

__all__ = [
    "FUNCTIONS",
    "METHODS",
    "cast_to",
    "elementwise",
    "function",
    "into_out",
    "method",
    "require_tensors",
    "strict",
    "takes_out",
]

FUNCTIONS = {}
METHODS = {}
_new = Tensor.__new__


def method(name):
    """Make a function a method of Tensor only: a decorator, with another name or without."""
    if callable(name):
        METHODS[name.__name__] = name
        return name

    def decorate(f):
        METHODS[name] = f
        return f

    return decorate


def function(f=None, *, name=None, methods=True, inplace_too=False, out=True, aliases=()):
    """Make `f` public under its name (and `aliases`), and a method unless `methods` is False.

    `inplace_too` derives the method `name_`; `out` lets the function take `out=`, with "exact" only
    one of the result's dtype that shares no memory with an argument.
    """
    if f is None:
        return functools.partial(
            function,
            name=name,
            methods=methods,
            inplace_too=inplace_too,
            out=out,
            aliases=aliases,
        )
    parameters = _parameters(f)
    names = {} if "axis" in parameters else _names(parameters)
    called = _also_called(f, names) if names else f
    public = called
    if out and "out" not in parameters:
        public = takes_out(f, names, out == "exact", name)
    elif parameters[:1] == ("input",):
        public = _of_any_layout(called, name or f.__name__)
    for n in (name or f.__name__, *aliases):
        FUNCTIONS[n] = public
        if methods:
            METHODS[n] = called
        if inplace_too:
            METHODS[n + "_"] = in_place_method(f, n + "_")
    return f


def _parameters(f):
    """The names of the parameters of a function; quicker than its signature, and import waits."""
    code = inspect.unwrap(f).__code__
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _names(parameters):
    """{NumPy's name: ours} of what PyTorch knows by both names."""
    both = (("axis", "dim"), ("keepdims", "keepdim"))
    return {numpy: ours for numpy, ours in both if ours in parameters}


def _also_called(f, names):
    """`f` whose arguments may be called by other names as well."""

    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        if not kwargs:
            return f(*args)
        return f(*args, **{names.get(n, n): value for n, value in kwargs.items()})

    return wrapper


def _of_any_layout(f, name):
    """`f` that also takes sparse tensors, for which `name` has another form."""

    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        try:
            return f(*args, **kwargs)
        except SparseOperand as sparse:
            found = sparse.with_traceback(None)
        except (AttributeError, TypeError):
            others = ask_others(name, args, kwargs)
            if not others:
                raise
            return others[0]
        return found.instead(name, args, kwargs)

    return wrapper


# Set by flambeau.overriding: what classes besides Tensor make of a function, in a tuple, if any do.
ask_others = None


def takes_out(f, names=None, exact=False, name=None):
    """`f` with the argument `out`, which its result is written into.

    names: as from `_names`. exact: whether `out` must have the dtype of the result and memory of
    its own. name: that of the function, if it is another than that of `f`.
    """
    name = name or f.__name__

    @functools.wraps(f)
    def wrapper(*args, out=None, **kwargs):
        if names and kwargs:
            kwargs = {names.get(n, n): value for n, value in kwargs.items()}
        try:
            result = f(*args, **kwargs)
        except SparseOperand as sparse:
            result = sparse.with_traceback(None)
        except (AttributeError, TypeError):
            others = ask_others(name, args, kwargs)
            if not others:
                raise
            return others[0]
        if result.__class__ is SparseOperand:
            result = result.instead(name, args, kwargs)
        if out is not None and exact:
            _check_exact(f.__name__, result, out, (*args, *kwargs.values()))
        return result if out is None else into_out(result, out)

    return wrapper


def _check_exact(name, result, out, args):
    """Raise RuntimeError unless `out` has the dtype of the result and shares no memory."""
    results, outs = (x if isinstance(x, (list, tuple)) else (x,) for x in (result, out))
    for r, o in zip(results, outs, strict=True):
        if r._meta.dtype is not o._meta.dtype:
            raise RuntimeError(
                f"{name}(): Expected out tensor to have dtype {r.dtype}, but got {o.dtype} instead"
            )
        if any(isinstance(x, Tensor) and _overlap(x, o) for x in args):
            raise RuntimeError(
                f"{name}(): unsupported operation: some elements of the input tensor and the "
                "written-to tensor refer to a single memory location. Please clone() the tensor "
                "before performing the operation."
            )


def _overlap(x, y):
    """Whether tensors reach over common memory."""
    if x is y:
        return True
    if x._storage is None or x._storage is not y._storage:
        return False
    a, b = x._meta, y._meta
    return a.offset < b.span and b.offset < a.span


def into_out(result, out):
    """Write a result (or a tuple of them) into `out`, resized to fit; returns `out`."""
    if isinstance(result, tuple):
        for r, o in zip(result, out, strict=True):
            into_out(r, o)
        return type(result)(*out) if hasattr(result, "_fields") else tuple(out)
    meta = out._meta
    if not _can_cast(result._meta.dtype, meta.dtype):
        raise RuntimeError(
            f"result type {result._meta.dtype.name} can't be cast to the desired output type "
            f"{meta.dtype.name}"
        )
    if grad_enabled() and (out.requires_grad or result._meta.requires_grad):
        raise RuntimeError(
            "functions with out=... arguments don't support automatic differentiation, but one of "
            "the arguments requires grad."
        )
    inplace.check_writable(out, "out=")
    if meta.shape != result._meta.shape:
        from .creation import resize_

        resize_(out, result._meta.shape)
    inplace.write(out, cast_to(result, out._meta.dtype))
    return out


def _can_cast(source, target):
    return source.category <= target.category


cast_op = None  # set by ops.elementwise


def cast_to(x, dtype):
    """A tensor with elements of `dtype`: itself if it has them."""
    return x if x._meta.dtype is dtype else cast_op(x, dtype=dtype)


def in_place_method(f, name):
    """The method that writes f(self, ...) into self."""

    def method(self, *args, **kwargs):
        inplace.check_writable(self, name)
        try:
            return store(self, f(self, *args, **kwargs), name)
        except SparseOperand as sparse:
            found = sparse.with_traceback(None)
        return found.instead(name, (self, *args), kwargs)

    method.__name__ = name
    method.__doc__ = f"In-place version of `{name[:-1]}`."
    return method


def store(target, result, name):
    """Write the result of an in-place operation, which must fit its target; returns the target."""
    meta, made = target._meta, result._meta
    if made.shape != meta.shape:
        raise RuntimeError(
            f"output with shape {list(meta.shape)} doesn't match the broadcast shape "
            f"{list(made.shape)} (in {name})"
        )
    if made.dtype is not meta.dtype:
        if not _can_cast(made.dtype, meta.dtype):
            raise RuntimeError(
                f"result type {made.dtype.name} can't be cast to the desired output type "
                f"{meta.dtype.name} (in {name})"
            )
        result = cast_to(result, meta.dtype)
    inplace.write(target, result)
    return target


def unary(op):
    """The quick function of one tensor that records `op`."""

    def f(input):
        try:
            out = _new(Tensor)
            segment = local.trace.segment
            if input._segment is segment and not segment.slow:
                state = segment.node.next[op, input._pos]
                segment.node = state
                out._segment = segment
                out._pos = state.first
                out._meta = state.meta
                out._storage = None
                segment.handles.append(out)
                return out
        except KeyError:
            pass
        except SparseOperand as sparse:
            return sparse.instead(op.name, (input,), {})
        except AttributeError:
            if not isinstance(input, Tensor):
                raise bad_operand(op.name, 1, input) from None
            raise
        return record(op, (input,))

    return f


def binary(op, slow=None, name=None, first=None):
    """The quick function of two tensors, or a tensor and a number, that records `op`.

    slow(input, other): what to do with operands that were not recorded before. name: that of the
    function that users call, if it is another than that of `op`. first(input, other): called
    before `slow`; what it returns is the result, unless that is None.
    """

    def f(input, other):
        out = _new(Tensor)
        segment = local.trace.segment
        try:
            kind = other.__class__
            if input._segment is segment and not segment.slow:
                if kind is float or kind is int:
                    state = segment.node.next[op, input._pos, kind]
                    segment.node = state
                    segment.scalars.append(other)
                elif other._segment is segment:
                    state = segment.node.next[op, input._pos, other._pos]
                    segment.node = state
                else:
                    raise KeyError
                out._segment = segment
                out._pos = state.first
                out._meta = state.meta
                out._storage = None
                segment.handles.append(out)
                return out
        except (KeyError, AttributeError, SparseOperand):
            pass
        try:
            if first is not None and (found := first(input, other)) is not None:
                return found
            if slow is not None:
                return slow(input, other)
            check_operands(op.name, input, other)
            return record(op, (input, other))
        except SparseOperand as sparse:
            found = sparse.with_traceback(None)
        return found.instead(name or op.name, (input, other), {})

    f.preceded_by = functools.partial(binary, op, slow, name)
    return f


def bad_operand(name, index, value):
    """The TypeError for an argument that should be a tensor."""
    return TypeError(
        f"{name}(): argument 'input' (position {index}) must be Tensor, not {type(value).__name__}"
    )


_OPERANDS = (Tensor, *NUMBERS, Scalar)


def is_operand(x):
    """Whether `x` can be an operand: a tensor, a number or a NumPy scalar."""
    if isinstance(x, _OPERANDS):
        return True
    return getattr(x, "ndim", None) == 0 and hasattr(x, "item")


def check_operands(name, *operands):
    """Raise TypeError for operands that are neither tensors nor numbers."""
    for index, x in enumerate(operands, 1):
        if not is_operand(x):
            raise TypeError(
                f"{name}(): argument {index} must be Tensor or number, not {type(x).__name__}"
            )


def require_tensors(name, *operands):
    """Raise TypeError unless all operands are tensors."""
    for index, (x, called) in enumerate(zip(operands, ("input", "other"), strict=False), 1):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{name}(): argument '{called}' (position {index}) must be Tensor, not "
                f"{type(x).__name__}"
            )


def strict(f, name, tensors):
    """`f` for two operands, of which the first `tensors` must be tensors, and with `out`."""

    def public(input, other, *, out=None):
        try:
            if not isinstance(input, Tensor) and (tensors or not isinstance(other, Tensor)):
                require_tensors(name, input)
            if tensors == 2 and not isinstance(other, Tensor):
                require_tensors(name, input, other)
            result = f(input, other)
        except SparseOperand as sparse:
            result = sparse.with_traceback(None)
        except (AttributeError, TypeError):
            others = ask_others(name, (input, other), {})
            if not others:
                raise
            return others[0]
        if result.__class__ is SparseOperand:
            result = result.instead(name, (input, other), {})
        return result if out is None else into_out(result, out)

    public.__name__ = public.__qualname__ = name
    public.__doc__, public.__wrapped__ = f.__doc__, f
    return public


def elementwise(
    op, *, doc="", names=None, out=True, inplace_too=True, methods=True, arity=1, tensors=1
):
    """Publish an `Elementwise` op under `names`; returns its quick function.

    tensors: of two operands, how many must be tensors: none, the first or both.
    """
    f = unary(op) if arity == 1 else binary(op)
    f.__name__ = f.__qualname__ = op.name
    f.__doc__ = doc
    for name in names or (op.name,):
        if arity == 2:
            FUNCTIONS[name] = strict(f, name, tensors)
        else:
            FUNCTIONS[name] = takes_out(f) if out else f
        if methods:
            METHODS[name] = FUNCTIONS[name] if tensors == 2 else f
            if inplace_too:
                METHODS[name + "_"] = in_place_method(f, name + "_")
    return f


def refuse(input, other):
    """What an operator returns at once: NotImplemented for an operand it does not know."""
    return None if is_operand(other) else NotImplemented


def operator(f, first=refuse):
    """The dunder method of a binary function. first(self, other): as of `binary`."""
    if hasattr(f, "preceded_by"):
        return f.preceded_by(first)

    def dunder(self, other):
        found = None if other.__class__ is Tensor else first(self, other)
        return f(self, other) if found is None else found

    return dunder


def reflected(f):
    """The dunder method for the operand on the right."""

    def dunder(self, other):
        if self.__class__ is not Tensor and not isinstance(self, Tensor):
            raise TypeError(f"a method of Tensor does not apply to '{type(self).__name__}'")
        if not is_operand(other):
            return NotImplemented
        return f(other, self)

    return dunder


__all__ += ["LEAF", "VIEW", "dtypes", "intern", "new_leaf"]
