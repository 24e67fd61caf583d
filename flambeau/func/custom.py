"""`vmap` of custom functions: by the rule that the user wrote, or by one that is made from theirs.

While a function of one sample is recorded, a custom `Function` with a rule is not called with the
sample. What was recorded so far is replayed, so that its arguments are known for all samples; the
rule is called with those, and one sample of what it gives goes on in the record (`_Lifted`).
"""

from typing import NamedTuple

from ..autograd import engine, function, modes
from ..autograd.function import Function, FunctionCtx, lifted
from ..recorder.handle import Tensor
from .batching import Batch
from .vmapping import is_recording, outside_of_recording, vmap

__all__: list[str] = []


class VmapInfo(NamedTuple):
    """What a rule is told: the number of samples, and what `vmap` was asked about randomness."""

    batch_size: int
    randomness: str


def _mapped(cls, args):
    """What `cls.apply(*args)` gives for one sample; None if it is to be recorded as any other."""
    own = cls.vmap is not Function.vmap
    if own and cls.generate_vmap_rule:
        raise RuntimeError(
            f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and "
            "an overriden vmap staticmethod. Please set generate_vmap_rule=False or delete the "
            "overriden vmap staticmethod to avoid ambiguity."
        )
    if not is_recording() or not (own or cls.generate_vmap_rule):
        return None
    tensors = [x for x in args if isinstance(x, Tensor)]
    with outside_of_recording() as recording:
        if not any(isinstance(recording.so_far(x), Batch) for x in tensors):
            return None
    single = []

    def of_all(info, dims, *values):
        values, dims = iter(values), iter(dims)
        full = [next(values) if isinstance(x, Tensor) else x for x in args]
        dims = tuple(next(dims) if isinstance(x, Tensor) else None for x in args)
        if own:
            results, places = cls.vmap(info, dims, *full)
        else:
            results, places = _Mapped.apply(cls, dims, *full), 0
        single[:] = [not isinstance(results, tuple)]
        results = results if isinstance(results, tuple) else (results,)
        places = places if isinstance(places, (tuple, list)) else (places,) * len(results)
        return [
            y.expand((info.batch_size, *y.shape)) if d is None else y.movedim(d, 0)
            for y, d in zip(results, places, strict=True)
        ]

    made = _Lifted.apply(of_all, *tensors)
    return made[0] if single[0] else made


class _Lifted(Function):
    """One sample of a function of all samples: function(info, dims, *tensors)."""

    _record = lifted

    @staticmethod
    def forward(ctx, function, *samples):
        """One sample of each result."""
        ctx.function = function
        ctx.save_for_backward(*samples)
        with outside_of_recording() as recording, modes.enable_grad():
            values = [_for_all(recording, x) for x in samples]
            dims = [0 if isinstance(x, Batch) else None for x in values]
            values = [x.tensor if isinstance(x, Batch) else x for x in values]
            info = VmapInfo(recording.size, recording.randomness)
            results = function(info, dims, *values)
            with modes.no_grad():
                return tuple(recording.sample_of(y) for y in results)

    @staticmethod
    def backward(ctx, *gs):
        """One sample of the gradients, which are those of the function of all samples."""
        samples = ctx.saved_tensors
        wanted = [k for k, x in enumerate(samples) if x.requires_grad]

        def gradients(info, dims, *values):
            values, gs = list(values[: len(samples)]), values[len(samples) :]
            for k in wanted:
                if not values[k].requires_grad:
                    values[k] = values[k].detach().requires_grad_()
            results = ctx.function(info, dims[: len(samples)], *values)
            pairs = [(y, g) for y, g in zip(results, gs, strict=True) if y.requires_grad]
            return engine.grad(
                [y for y, _ in pairs],
                [values[k] for k in wanted],
                [g.expand(y.shape) for y, g in pairs],
                create_graph=True,
                materialize_grads=True,
            )

        made = iter(_Lifted.apply(gradients, *samples, *gs))
        return None, *(next(made) if x.requires_grad else None for x in samples)


def _for_all(recording, sample):
    """What a tensor is for all samples; a batch too if it has a gradient for each of them."""
    value = recording.so_far(sample)
    if isinstance(value, Batch) or not sample.requires_grad:
        return value
    return Batch(value.expand((recording.size, *value.shape)))


class _Mapped(Function):
    """A custom function of one sample for all samples: its parts are mapped one by one."""

    @staticmethod
    def forward(ctx, cls, dims, *args):
        """What `cls.forward` gives, for all samples."""
        if cls.setup_context is Function.setup_context:
            raise RuntimeError(
                f"{cls.__name__}: generate_vmap_rule=True needs setup_context besides a forward "
                "that takes no ctx"
            )
        results = vmap(cls.forward, in_dims=dims, randomness="same")(*args)
        outputs = results if isinstance(results, tuple) else (results,)
        ctx.cls, ctx.dims, ctx.single = cls, dims, not isinstance(results, tuple)
        ctx.fixed = [None if isinstance(x, Tensor) else x for x in args]
        ctx.tensors = [k for k, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.save_for_backward(*(args[k] for k in ctx.tensors), *outputs)
        return results

    @staticmethod
    def backward(ctx, *gs):
        """What the derivative of one sample gives, for all samples; shared arguments get sums."""
        count, found = len(ctx.tensors), []
        saved = ctx.saved_tensors

        def of_one(tensors, outputs, gs):
            inner, args = FunctionCtx(), list(ctx.fixed)
            for k, x in zip(ctx.tensors, tensors, strict=True):
                args[k] = x
            inner.needs_input_grad = ctx.needs_input_grad[2:]
            ctx.cls.setup_context(inner, tuple(args), outputs[0] if ctx.single else tuple(outputs))
            inner._given = inner.to_save
            grads = ctx.cls._derivative()(inner, *gs)
            grads = grads if isinstance(grads, tuple) else (grads,)
            found[:] = [k for k, g in enumerate(grads) if g is not None]
            return tuple(grads[k] for k in found)

        dims = [ctx.dims[k] for k in ctx.tensors]
        values = vmap(of_one, in_dims=(dims, 0, 0), randomness="same")(
            list(saved[:count]), list(saved[count:]), list(gs)
        )
        grads = [None] * len(ctx.fixed)
        for k, g in zip(found, values, strict=True):
            grads[k] = g if ctx.dims[k] == 0 else g.sum(0)
        return None, None, *grads


function.mapped = _mapped
