"""What an operation is: one record with its rules side by side.

`Op` is an operation on tensors. Its families are in the other modules of this folder:

- `Elementwise` maps scalars to a scalar over broadcast tensors,
- `Reduce` folds dims away, `View` sees the same memory differently,
- `Host` calls a NumPy function on whole arrays,
- `Composite` is written with other operations.

A derivative rule `vjp(g, out, *inputs, **attrs)` gets the cotangent of the result, the result and
the operands, all tensors (or numbers), and returns a cotangent, or None, per operand. It is
written with operations, so that it can be differentiated again. Broadcast dims are summed away and
dtypes cast back by the caller.
"""

import functools

from .. import dtypes
from ..recorder.entering import enter
from ..recorder.handle import Meta, Tensor, contiguous_strides, intern
from ..recorder.record import record
from ..recorder.states import LEAF, State
from ..recorder.trace import Trace, local
from .strides import layout_like

__all__ = [
    "COMPLEX",
    "OPS",
    "Composite",
    "Elementwise",
    "Host",
    "Op",
    "View",
    "composite",
    "number",
]

OPS = {}


class Op:
    """An operation on tensors, recorded by calling it: `op(*tensors_and_numbers, **attributes)`.

    Attributes are hashable and decide structure; numbers among the operands are run-time scalars.
    `at_run_time`, called in place of the op, records the same with its index as such a scalar.
    `displacement` is where a view begins that is not known from its attributes alone.
    """

    composite = view = multi = False
    differentiable = True
    vjp_rule = None
    at_run_time = displacement = None
    autocast = None  # "lower" or "float32": the precision that `autocast` chooses for it
    for_limited = (
        None  # dtypes without arithmetic that it is defined for: "all", "integers" or None
    )
    derivative = None  # its name in that of `grad_fn`, or a function of the state, if it is another

    def __init__(self, name):
        self.name = name
        OPS[name] = self

    def __call__(self, *operands, **attrs):
        return record(self, operands, tuple(attrs.items()))

    def infer_all(self, operands, attrs):
        """(metas of the results, expansion or None) for operands given as metas, or as types."""
        metas = self.infer(operands, attrs)
        return (metas if self.multi else (metas,)), None

    def infer(self, operands, attrs):
        """The meta of the result (a tuple of them if `multi`); raises what the call should."""
        raise TypeError(f"{self.name} has no rule for shapes")  # pragma: no cover

    def check_limited(self, operands):
        """Raise NotImplementedError for operands of a dtype that it is not defined for.

        It is called for dtypes with hardly any arithmetic.
        """
        for x in operands:
            if isinstance(x, Meta) and x.dtype.limited:
                self._check_limited(x.dtype)

    def _check_limited(self, kind):
        known = self.composite or self.view or self.for_limited == "all"
        if not known and (kind.category > dtypes.INT or self.for_limited != "integers"):
            raise NotImplementedError(f'"{self.name}" not implemented for {kind.name} tensors')

    def autocast_form(self, dtype):
        """The operation that is recorded in its place where `autocast` computes in `dtype`."""
        return self if self.autocast is None else _autocast_form(self, dtype)

    def vjp(self, rule):
        """Attach the derivative rule; a decorator."""
        self.vjp_rule = rule
        return rule

    @property
    def grad_name(self):
        """What `grad_fn` of a result is called, as in PyTorch."""
        words = self.name.strip("_").split("_")
        return "".join(map(_capital, words)) + "Backward0"

    def __repr__(self):
        return self.name


def _capital(word):
    """A word with a capital in front and behind digits, as PyTorch writes `C2R`."""
    before = " " + word
    return "".join(
        c.upper() if b == " " or b.isdigit() else c for b, c in zip(before, word, strict=False)
    )


def operand_dtype(x):
    """(category, dtype, priority) of an operand for promotion: dimension > 0-dim > number."""
    if isinstance(x, Meta):
        if x.wrapped:
            return x.dtype, 2
        return x.dtype, (0 if x.shape else 1)
    return dtypes.of_scalar(x), 2


def result_dtype(operands):
    """PyTorch's promotion: a lower priority matters only through a higher category."""
    best = [None, None, None]
    for x in operands:
        if x is None:
            continue
        kind, priority = operand_dtype(x)
        if priority == 2 and kind.category >= dtypes.FLOAT:
            kind = dtypes.of_scalar(float if kind.category == dtypes.FLOAT else complex)
        seen = best[priority]
        best[priority] = kind if seen is None else dtypes.promote_types(seen, kind)
    return _combine(best[0], _combine(best[1], best[2]))


def _combine(higher, lower):
    if higher is None or lower is None:
        return higher or lower
    if higher.category == dtypes.FLOAT and lower.is_complex:
        return higher.to_complex()
    if higher.category >= lower.category:
        return higher
    return dtypes.promote_types(higher, lower)


def broadcast_shapes(name, shapes):
    """The shape that all `shapes` broadcast to. Raises RuntimeError naming the dims that differ."""
    if len(shapes) == 1:
        return shapes[0]
    first = shapes[0]
    if all(s == first for s in shapes[1:]):
        return first
    ndim = max(map(len, shapes))
    result = [1] * ndim
    for shape in shapes:
        for i, size in enumerate(shape, ndim - len(shape)):
            if size != 1:
                if result[i] not in (1, size):
                    described = " and ".join(str(list(s)) for s in shapes)
                    raise RuntimeError(
                        f"The size of tensor a ({result[i]}) must match the size of tensor b "
                        f"({size}) at non-singleton dimension {i}; {name}() got shapes {described}"
                    )
                result[i] = size
    return tuple(result)


COMPLEX = ("complex64", "complex128")

# What PyTorch checks before it looks for a kernel; where it finds none the class is another.
_CHECKED = frozenset(("fmax", "fmin", "heaviside", "maximum", "minimum", "neg", "sub"))


class Elementwise(Op):
    """A function of scalars, mapped over operands that broadcast.

    promotion: "default" promotes the operands; "float" also makes ints floats; "bool" promotes
        for the computation, the result is bool; "first" takes the dtype of operand 0.
    numpy: the function on NumPy arrays of one dtype (float32 for bfloat16).
    loops: whether kernels know the function by this name.
    refuse: the names of dtypes that it is not defined for.
    """

    def __init__(self, name, numpy, promotion="default", vjp=None, loops=True, refuse=()):
        super().__init__(name)
        self.numpy, self.promotion, self.vjp_rule, self.loops = numpy, promotion, vjp, loops
        self.refuse = refuse
        self.differentiable = promotion != "bool"

    def check_limited(self, operands):
        """As for any operation, but it is the dtype of the computation that counts."""
        kind = self.dtypes_for(operands)[0]
        if kind.limited:
            self._check_limited(kind)

    def dtypes_for(self, operands):
        """(the dtype to compute in, the dtype of the result)."""
        if self.name == "where":
            kind = result_dtype(operands[1:])
            return kind, kind
        kind = result_dtype(operands)
        if self.promotion == "float" and kind.category < dtypes.FLOAT:
            kind = dtypes.get_default_dtype()
        if kind.name in self.refuse:
            error = RuntimeError if self.name in _CHECKED else NotImplementedError
            raise error(f'"{self.name}" not implemented for {kind.name} tensors')
        if self.promotion == "real" and kind.is_complex:
            return kind, kind.to_real()
        return kind, (dtypes.bool_ if self.promotion == "bool" else kind)

    def infer(self, operands, attrs):
        metas = [x for x in operands if isinstance(x, Meta)]
        shape = broadcast_shapes(self.name, [m.shape for m in metas]) if metas else ()
        kind = self.dtypes_for(operands)[1]
        meta = layout_like(shape, kind, metas)
        if metas and all(m.wrapped for m in metas):
            wide = {dtypes.FLOAT: dtypes.float64, dtypes.COMPLEX: dtypes.complex128}
            kind = wide.get(kind.category, kind)
            return intern((), kind, wrapped=True)
        return meta

    def lower(self, build, inputs, operands, attrs, metas):
        """The node that computes it: operands cast to the dtype of the computation."""
        compute, result = self.dtypes_for(operands)
        if metas[0].wrapped:
            result = metas[0].dtype
            compute = result if self.promotion != "bool" else inputs[0].dtype
        if self.name == "where":
            condition = build.cast(inputs[0], dtypes.bool_)
            rest = [build.cast(x, compute) for x in inputs[1:]]
            return build.map(self, (condition, *rest), metas[0].shape, result)
        inputs = [build.cast(x, compute) for x in inputs]
        return build.map(self, inputs, metas[0].shape, result)


class View(Op):
    """The same memory seen with another shape, strides and offset.

    geometry(meta, **attrs) gives (shape, strides, offset), or None where no view can show it.
    lower(build, node, attrs, meta) gives the node.
    """

    view = True

    def __init__(self, name, geometry, lower, vjp=None):
        super().__init__(name)
        self.geometry, self.lower_view, self.vjp_rule = geometry, lower, vjp

    def infer(self, operands, attrs):
        meta = operands[0]
        shape, strides, offset = self.geometry(meta, **attrs)
        return intern(shape, meta.dtype, tuple(strides), offset)

    def lower(self, build, inputs, operands, attrs, metas):
        """The node that sees its operand so."""
        return self.lower_view(build, inputs[0], attrs, metas[0])


class Host(Op):
    """A function on whole NumPy arrays, called by the runtime between native kernels.

    infer(operands, attrs) gives the meta (or metas); numpy(*arrays, **attrs) the array (or
    arrays). None operands arrive as None. Arrays of bfloat16 arrive and leave as float32.
    """

    def __init__(self, name, infer, numpy, vjp=None, multi=False, differentiable=True):
        super().__init__(name)
        self.infer_rule, self.numpy, self.vjp_rule = infer, numpy, vjp
        self.multi, self.differentiable = multi, differentiable

    def infer(self, operands, attrs):
        return self.infer_rule(operands, attrs)

    def lower(self, build, inputs, operands, attrs, metas):
        """The node, or nodes, that call it."""
        return build.host(self, inputs, attrs, metas)


class Expansion:
    """How a composite is computed: a trace of its own whose first leaves are its operands.

    path: the states; outputs: the positions of the results; scalars: the numbers in its slots.
    """

    __slots__ = ("outputs", "path", "scalars")

    def __init__(self, path, outputs, scalars):
        self.path, self.outputs, self.scalars = path, outputs, scalars


class private_trace:
    """Record into a trace of its own, with the grad mode given, and restore this thread's."""

    def __init__(self, grad_mode=False):
        root = State(None, None, None, (), {}, ())
        root.grad_mode = grad_mode
        self.trace = Trace(root)

    def __enter__(self):
        self.outer = local.trace
        local.trace = self.trace
        return self.trace.segment

    def __exit__(self, *_):
        local.trace = self.outer


_WRAPPED = {float: dtypes.float64, int: dtypes.int64, bool: dtypes.bool_}
_WRAPPED[complex] = dtypes.complex128


def symbol(segment, described):
    """A tensor without memory that stands for an operand in a private trace."""
    if not isinstance(described, Meta):
        described = intern((), _WRAPPED[described], wrapped=True)
    out = Tensor.__new__(Tensor)
    out._meta, out._storage, out._buffer, out._pos, out._segment = described, None, None, 0, None
    state = State(segment.node, None, LEAF, (), {}, (described,))
    state.leaves_end += 1
    if described.requires_grad:
        state.grad = "leaf"
    segment.node.next[len(segment.handles)] = state
    segment.node = state
    segment.handles.append(out)
    out._segment, out._pos = segment, state.first
    return out


KNOWN = 256  # expansions that a composite remembers


class Composite(Op):
    """An operation written as a function of tensors with other operations."""

    composite = True

    def __init__(self, name, function):
        super().__init__(name)
        self.function = function
        self.known = {}
        functools.update_wrapper(self, function)

    def infer_all(self, operands, attrs):
        key = (tuple(operands), tuple(attrs.items()), dtypes.get_default_dtype())
        found = self.known.get(key)
        if found is None:
            if len(self.known) > KNOWN:
                self.known.clear()
            found = self.known[key] = self._expand(operands, attrs)
        return found

    def _expand(self, operands, attrs):
        with private_trace() as segment:
            plain = [
                m.with_grad(False) if isinstance(m, Meta) and m.requires_grad else m
                for m in operands
            ]
            symbols = [None if m is None else symbol(segment, m) for m in plain]
            results = self.function(*symbols, **attrs)
            results = results if isinstance(results, tuple) else (results,)
            outputs = [enter(r, segment) for r in results]
            path = segment.node.path()
        metas = tuple(_fresh(r._meta) for r in results)
        return metas, Expansion(path, outputs, segment.scalars)


def _fresh(meta):
    """The geometry of a result that has memory of its own."""
    if meta.is_dense:
        return meta if not meta.wrapped else intern((), meta.dtype)
    return intern(meta.shape, meta.dtype, contiguous_strides(meta.shape))


class _Autocast(Composite):
    """An operation on operands that are cast first."""

    def __init__(self, op, dtype):
        self.name, self.op, self.dtype, self.known = op.name, op, dtype, {}
        self.multi, self.differentiable = op.multi, op.differentiable
        self.derivative = op.derivative

    def function(self, *operands, **attrs):
        """The operation itself; float64 stays."""
        return self.op(*[cast_floats(x, self.dtype) for x in operands], **attrs)

    @property
    def grad_name(self):
        return self.op.grad_name


def cast_floats(x, dtype):
    """A tensor of float16, bfloat16 or float32 as one of `dtype`; anything else as it is."""
    if not isinstance(x, Tensor) or x._meta.wrapped:
        return x
    kind = x._meta.dtype
    return x.to(dtype) if kind.is_floating_point and kind.itemsize <= 4 else x


@functools.cache
def _autocast_form(op, dtype):
    return _Autocast(op, dtypes.float32 if op.autocast == "float32" else dtype)


class _Number(Op):
    """A run-time number as a 0-dim tensor that promotes as the number does."""

    differentiable = False

    def infer(self, operands, attrs):
        return intern((), _WRAPPED[operands[0]], wrapped=True)

    def lower(self, build, inputs, operands, attrs, metas):
        """The number itself."""
        return build.cast(inputs[0], metas[0].dtype)


number = _Number("number")


def composite(
    function=None,
    *,
    name=None,
    multi=False,
    differentiable=True,
    autocast=None,
    derivative=None,
):
    """Make a function of tensors an operation of its own: a decorator.

    Positional parameters are tensors, numbers or None; keyword-only ones static attributes.
    `multi` says that it returns a tuple. Its gradient is that of its body, unless a rule is
    attached with `@function.vjp`. `autocast` and `derivative`: see `Op`.
    """
    if function is None:
        return functools.partial(
            composite,
            name=name,
            multi=multi,
            differentiable=differentiable,
            autocast=autocast,
            derivative=derivative,
        )
    op = Composite(name or function.__name__, function)
    op.multi, op.differentiable, op.autocast = multi, differentiable, autocast
    op.derivative = derivative
    return op
