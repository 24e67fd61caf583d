"""Composites on batches: their bodies are replayed, and so are their own derivative rules."""

import functools

from ..autograd import modes
from ..ops.core import Composite
from ..ops.movement import unexpand
from ..recorder.handle import Tensor, intern
from .batching import Batch, dense, replay_expansion, rule
from .vmapping import vmap

__all__: list[str] = []


class _Mapped(Composite):
    """A composite for operands of which some are batches, with the derivative rule of the one."""

    def __init__(self, op, mapped):
        self.name, self.op, self.mapped, self.known = op.name, op, mapped, {}
        self.multi, self.differentiable = op.multi, op.differentiable
        self.derivative = op.derivative
        self.vjp_rule = self._vjp

    @property
    def grad_name(self):
        return self.op.grad_name

    def function(self, *operands, **attrs):
        """The results of the body, all of them as batches."""
        marked = [Batch(x) if own else x for x, own in zip(operands, self.mapped, strict=True)]
        size = next(len(x.tensor) for x in marked if isinstance(x, Batch))
        described = [_described(x) for x in marked]
        results = replay_expansion(self.op.infer_all(described, attrs)[1], marked, size)
        results = [x.tensor if isinstance(x, Batch) else dense(x, size) for x in results]
        return tuple(results) if self.multi else results[0]

    def _vjp(self, g, out, *operands, **attrs):
        """The rule for each sample; what is the same for all samples gets the sum."""
        found = []

        def of_one(g, out, *operands):
            grads = self.op.vjp_rule(g, out, *operands, **attrs)
            grads = grads if isinstance(grads, tuple) else (grads,)
            found[:] = [k for k, x in enumerate(grads) if x is not None]
            return tuple(unexpand(grads[k], operands[k]._meta.shape) for k in found)

        dims = [0 if own else None for own in self.mapped]
        grads = vmap(of_one, in_dims=(0, 0, *dims), randomness="same")(g, out, *operands)
        result = [None] * len(operands)
        for k, x in zip(found, grads, strict=True):
            result[k] = x if self.mapped[k] else x.sum(0)
        return tuple(result)


def _described(x):
    """An operand as a composite is told of it: the meta of one sample, or the type of a number."""
    if isinstance(x, Batch):
        return intern(x.shape, x.tensor._meta.dtype)
    if isinstance(x, Tensor):
        meta = x._meta
        return meta if meta.wrapped else intern(meta.shape, meta.dtype)
    return None if x is None else type(x)


_mapped = functools.cache(_Mapped)


@rule.register(Composite)
def _(op, state, operands, attrs, size):
    tracked = modes.is_grad_enabled() and op.vjp_rule is not None and any(_tracked(operands))
    if tracked and state.meta.dtype.is_floating_point:
        mask = tuple(isinstance(x, Batch) for x in operands)
        return _mapped(op, mask)(
            *[x.tensor if isinstance(x, Batch) else x for x in operands], **attrs
        )
    results = replay_expansion(state.expansion, operands, size)
    results = [x.tensor if isinstance(x, Batch) else dense(x, size) for x in results]
    return results if op.multi else results[0]


def _tracked(operands):
    tensors = (x.tensor if isinstance(x, Batch) else x for x in operands)
    return (x._meta.requires_grad for x in tensors if isinstance(x, Tensor))
