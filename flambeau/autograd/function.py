"""Operations whose derivative the user writes: `Function`.

`forward` runs without recording gradients. Its tensors then go through one record, an identity
whose operands are the raw results and the tensor arguments. In the backward pass the engine finds,
at the position of that record, the `_Context` that calls the user's `backward`.
"""

import contextlib
import functools
import inspect

from .. import dtypes
from ..ops.core import Op
from ..ops.reduce import sum_to
from ..recorder import inplace
from ..recorder.handle import Tensor, intern
from ..recorder.record import record
from ..recorder.trace import flush, grad_enabled, local
from .kept import keep
from .modes import no_grad
from .rules import FREED, zeros_of

__all__ = ["Function", "FunctionCtx", "InplaceFunction", "once_differentiable"]


VIEW = (
    "Output {index} of {name} is a view and is being modified inplace. This view was created "
    "inside a custom Function (or because an input was returned as-is) and the autograd logic to "
    "handle view+inplace would override the custom backward associated with the custom Function, "
    "leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the "
    "output of the custom Function."
)
VIEWS = (
    "Output {index} of {name} is a view and is being modified inplace. This view is the output of "
    "a function that returns multiple views. Such functions do not allow the output views to be "
    "modified inplace. You should replace the inplace operation by an out-of-place one."
)


class CustomResults(Op):
    """The first `outputs` operands; the gradient of the others is up to a `_Context`."""

    multi = True

    def infer(self, operands, attrs):
        outputs = operands[: attrs["outputs"]]
        return tuple(intern(m.shape, m.dtype, m.strides if m.is_dense else None) for m in outputs)

    def lower(self, build, inputs, operands, attrs, metas):
        """The operands themselves."""
        return tuple(inputs[: attrs["outputs"]])


identity = CustomResults("function")
lifted = CustomResults("lifted_function")  # its results are known for all samples within vmap


@lifted.vjp
@identity.vjp
def _(gs, outs, *operands, outputs):
    # Asked only which values the rules use, never for a gradient: what matters is that the
    # cotangents of the arguments depend on those of all results.
    total = sum((g.sum() for g in gs[1:]), gs[0].sum())
    rest = operands[outputs:]
    return (None,) * outputs + tuple(total.expand(x._meta.shape) for x in rest)


class FunctionCtx:
    """What `forward` leaves for `backward`; further attributes may be set freely.

    Attribute `needs_input_grad`: for each argument whether its gradient is asked for.
    """

    needs_input_grad = ()
    to_save = saved_for_forward = dirty_tensors = non_differentiable = ()
    materialize_grads = True
    _saved = ()
    _given = None  # tensors that stand in for those that were saved

    def save_for_backward(self, *tensors):
        """Keep arguments or results (or None) for `backward`, which reads `saved_tensors`."""
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors (or None) for `jvp`, which reads `saved_tensors`.

        Raises: AssertionError for what is no tensor.
        """
        for x in tensors:
            if x is not None and not isinstance(x, Tensor):
                raise AssertionError(
                    "save_for_forward expects all arguments to be tensors; you should save "
                    "non-tensors as attributes on ctx."
                )
        self.saved_for_forward = tensors

    def mark_dirty(self, *args):
        """Say that these arguments were changed in place; they must be returned, too."""
        self.dirty_tensors = args

    def mark_non_differentiable(self, *args):
        """Say that these results have no gradient."""
        self.non_differentiable = args

    def set_materialize_grads(self, value):
        """Whether `backward` gets zeros, rather than None, for results that nobody used."""
        if type(value) is not bool:
            raise TypeError(
                "set_materialize_grads received an invalid combination of arguments - got "
                f"({type(value).__name__}), but expected (bool)"
            )
        self.materialize_grads = value

    def mark_shared_storage(self, *pairs):
        """Accepted for the sake of old programs: tensors that share memory are known."""

    @property
    def saved_tensors(self):
        """The tensors that `save_for_backward` was given.

        Raises: RuntimeError if they were changed in place since, or if the graph was freed.
        """
        if self._given is not None:
            return self._given
        if self._saved is None:
            raise RuntimeError(FREED)
        return tuple(None if kept is None else kept.unpack() for kept in self._saved)

    saved_variables = saved_tensors

    @contextlib.contextmanager
    def for_jvp(self):
        """Within, `saved_tensors` are those that `save_for_forward` was given, if any were."""
        self._given = self.saved_for_forward or None
        try:
            yield
        finally:
            self._given = None


transposed = None  # set by autograd.transposing: what passes for forward derivatives give
mapped = None  # set by func.custom: what a function with a rule for vmap gives within one


class _Context:
    """Calls the user's `backward`: what the engine finds at the position of the record.

    skip: the number of results in the record; results: the index of each among all that
    `forward` returned; metas: of all these, None for what is no tensor; arguments: for each
    argument its meta, None for what is no tensor.
    """

    __slots__ = ("arguments", "cls", "ctx", "metas", "name", "results", "skip")

    def __init__(self, cls, ctx, results, metas, arguments):
        self.cls, self.ctx, self.results, self.metas = cls, ctx, results, metas
        self.arguments, self.skip, self.name = arguments, len(results), cls.__name__ + "Backward"

    def __call__(self, gs, source, first):
        """The cotangents of the operands of the record at position `first`."""
        for kept in self.ctx._saved or ():
            if kept is not None:
                kept.found_in(source, first, self.skip)
        full = [None] * len(self.metas)
        for k, g in zip(self.results, gs, strict=True):
            full[k] = g
        if self.ctx.materialize_grads:
            full = [
                zeros_of(m) if g is None and m is not None else g
                for g, m in zip(full, self.metas, strict=True)
            ]
        if transposed is not None and self.cls.jvp is not Function.jvp:
            grads = transposed(self, full)
            if grads is not None:
                return (None,) * self.skip + grads
        grads = self.cls._derivative()(self.ctx, *full)
        return (None,) * self.skip + tuple(self._checked(grads))

    def _checked(self, grads):
        grads = grads if isinstance(grads, tuple) else (grads,)
        expected = len(self.arguments)
        while len(grads) > expected and grads[-1] is None:
            grads = grads[:-1]
        if len(grads) != expected:
            raise RuntimeError(
                f"function {self.name} returned an incorrect number of gradients "
                f"(expected {expected}, got {len(grads)})"
            )
        for k, (g, meta) in enumerate(zip(grads, self.arguments, strict=True)):
            if meta is not None:
                yield self._fitting(k, g, meta)
            elif g is not None:
                raise RuntimeError(
                    f"function {self.name} returned a gradient different than None at position "
                    f"{k + 1}, but the corresponding forward input was not a Variable"
                )

    def _fitting(self, k, g, meta):
        if g is None:
            return None
        if not isinstance(g, Tensor):
            raise RuntimeError(f"expected Variable or None (got {type(g).__name__})")
        if g.dtype.is_complex and not meta.dtype.is_complex and meta.requires_grad:
            raise RuntimeError(
                f"Function {self.name} returned an invalid gradient at index {k} - got a complex "
                "one, but the argument is real"
            )
        if g.shape == meta.shape or not meta.requires_grad:
            return g
        lead = len(g._meta.shape) - len(meta.shape)
        pairs = zip(g._meta.shape[max(lead, 0) :], meta.shape, strict=False)
        if lead < 0 or any(n not in (1, have) for have, n in pairs):
            raise RuntimeError(
                f"Function {self.name} returned an invalid gradient at index {k} - got "
                f"{list(g._meta.shape)} but expected shape compatible with {list(meta.shape)}"
            )
        return sum_to(g, meta.shape)

    def release(self):
        """Give up the saved tensors."""
        self.ctx._saved = None


class Function(FunctionCtx):
    """An operation with a derivative of its own.

    A subclass defines static methods `forward(ctx, *args)` and `backward(ctx, *grads)`, which
    returns a gradient, or None, per argument; it is called by `apply`. Instead of using `ctx`,
    `forward(*args)` may leave that to `setup_context(ctx, inputs, output)`.

    >>> import flambeau as torch
    >>> class Exp(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         result = x.exp()
    ...         ctx.save_for_backward(result)
    ...         return result
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (result,) = ctx.saved_tensors
    ...         return g * result
    >>> x = torch.zeros(2, requires_grad=True)
    >>> Exp.apply(x).sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """

    generate_vmap_rule = False
    _record = identity

    @staticmethod
    def forward(*args, **kwargs):
        """The result, a tensor or a tuple; to be defined by subclasses."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Fill `ctx`, where `forward` does not take one."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """The gradient of each argument; to be defined by subclasses (or as `vjp`)."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """The tangents of the results for those of the arguments; to be defined by subclasses."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD."
        )

    @staticmethod
    def vmap(info, in_dims, *args):
        """(results, out_dims) for a batch of arguments; to be defined by subclasses."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod "
            "or set generate_vmap_rule=True."
        )

    @classmethod
    def _derivative(cls):
        if cls.vjp is Function.vjp:
            return cls.backward
        if cls.backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You "
                "should only implement one of them."
            )
        return cls.vjp

    def __call__(self, *args, **kwargs):
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method. "
            "(Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @classmethod
    def apply(cls, *args, **kwargs):
        """What `forward` returns for the arguments, tied to `backward`."""
        ctx = FunctionCtx()
        separate = cls.setup_context is not Function.setup_context
        if separate:
            bound = inspect.signature(cls.forward).bind(*args, **kwargs)
            bound.apply_defaults()
            args = bound.args
        elif kwargs:
            bound = inspect.signature(cls.forward).bind(ctx, *args, **kwargs)
            if bound.kwargs:
                name = next(iter(bound.kwargs))
                raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
            args = bound.args[1:]
        if mapped is not None and local.trace.sampling:
            found = mapped(cls, args)
            if found is not None:
                return found
        tensors = [x for x in args if isinstance(x, Tensor)]
        ctx.needs_input_grad = tuple(isinstance(x, Tensor) and x.requires_grad for x in args)
        tracked = grad_enabled() and any(ctx.needs_input_grad)
        with no_grad():
            if separate:
                output = cls.forward(*args)
                cls.setup_context(ctx, args, output)
            else:
                output = cls.forward(ctx, *args)
        single = not isinstance(output, tuple)
        outputs = [output] if single else list(output)
        _check_marked(ctx, outputs)
        outputs = (_tie if tracked else _untied)(cls, ctx, args, tensors, outputs)
        return outputs[0] if single else tuple(outputs)


def _holds(tensors, x):
    return any(t is x for t in tensors)


def _sees(x, tensors):
    """Whether a tensor is one of some others, or shares memory with one."""
    storages = [t._storage for t in tensors if t._storage is not None]
    return _holds(tensors, x) or any(x._storage is s for s in storages)


def _check_marked(ctx, outputs):
    for marked, text in (
        (ctx.dirty_tensors, "mark_dirty can only accept variables, but argument"),
        (ctx.non_differentiable, "mark_non_differentiable only accepts variable arguments, but"),
    ):
        for k, x in enumerate(marked):
            if not isinstance(x, Tensor):
                raise RuntimeError(f"{text} {k} is of type {type(x).__name__}")
    for x in ctx.dirty_tensors:
        if not _holds(outputs, x):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )


def _untied(cls, ctx, args, tensors, outputs):
    """Results that no gradient passes: an argument that is returned comes back as a view."""
    with no_grad():
        return [
            inplace.detached(x)
            if isinstance(x, Tensor) and _holds(tensors, x) and not _holds(ctx.dirty_tensors, x)
            else x
            for x in outputs
        ]


def _tie(cls, ctx, args, tensors, outputs):
    """The results as those of a record whose derivative is `cls.backward`."""
    chosen = [
        k
        for k, x in enumerate(outputs)
        if isinstance(x, Tensor)
        and x._meta.dtype.category >= dtypes.FLOAT
        and not _holds(ctx.non_differentiable, x)
    ]
    for x in ctx.dirty_tensors:
        if x._meta.requires_grad and inplace.is_leaf(x):
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place operation."
            )
    raw = list(outputs)
    metas = [x._meta.with_grad(False) if isinstance(x, Tensor) else None for x in raw]
    described = [x._meta if isinstance(x, Tensor) else None for x in args]
    outputs = _untied(cls, ctx, args, tensors, outputs)
    if not chosen:
        return outputs
    views = [k for k in chosen if not _holds(ctx.dirty_tensors, raw[k]) and _sees(raw[k], tensors)]
    context = _Context(cls, ctx, chosen, metas, described)
    trace = local.trace
    trace.hold += 1  # nothing may run before the context is in its place
    try:
        operands = (*(raw[k] for k in chosen), *tensors)
        results = record(cls._record, operands, (("outputs", len(chosen)),))
        segment = results[0]._segment
        segment.contexts[results[0]._pos] = context
        last = {id(raw[k]): made for k, made in zip(chosen, results, strict=True)}
        for k in chosen:  # what `forward` returned twice is handed out twice
            outputs[k] = last[id(raw[k])]
        for k, x in enumerate(raw):
            if k in chosen and _holds(ctx.dirty_tensors, x):
                inplace.write(x, outputs[k])
                outputs[k] = x
    finally:
        trace.hold -= 1
    for k in views:
        outputs[k]._refuses_writes = (VIEWS if len(views) > 1 else VIEW).format(
            index=k, name=cls.__name__
        )
    results = {chosen[k]: k for k in range(len(chosen))}
    ctx._saved = tuple(
        keep(k, x, tensors, raw, outputs, results, ctx.dirty_tensors)
        for k, x in enumerate(ctx.to_save)
    )
    ctx.to_save = ()
    if segment.eager and not trace.hold and trace.root is None:
        flush()
    return outputs


class InplaceFunction(Function):
    """A `Function` with an attribute `inplace`, as older programs use it."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


class _Refuse(Function):
    """The identity, whose derivative is an error."""

    @staticmethod
    def forward(ctx, witness, *tensors):
        """The tensors."""
        return tuple(inplace.detached(x) for x in tensors)

    @staticmethod
    def backward(ctx, *grads):
        """Raises RuntimeError."""
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )


def once_differentiable(backward):
    """Decorator of a `backward` that can not be differentiated itself: a second pass raises."""

    @functools.wraps(backward)
    def wrapper(ctx, *args):
        with no_grad():
            grads = backward(ctx, *args)
        witness = next((x for x in args if isinstance(x, Tensor) and x.requires_grad), None)
        if witness is None or not grad_enabled():
            return grads
        single = not isinstance(grads, tuple)
        grads = [grads] if single else list(grads)
        places = [k for k, g in enumerate(grads) if isinstance(g, Tensor)]
        made = _Refuse.apply(witness, *(grads[k] for k in places))
        for k, g in zip(places, made, strict=True):
            grads[k] = g
        return grads[0] if single else tuple(grads)

    return wrapper
