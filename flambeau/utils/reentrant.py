"""Checkpointing by a whole backward pass within the backward pass."""

import warnings

from ..autograd import Function
from ..autograd.engine import backward as run_backward
from ..autograd.hooks import ends_of_pass
from ..autograd.modes import enable_grad, no_grad
from ..ops.api import FUNCTIONS
from ..recorder.handle import Tensor
from ..recorder.trace import autocast_dtype, set_autocast

__all__ = ["AsNow", "CheckpointFunction", "check_backward_validity", "detach_variable"]


def detach_variable(inputs):
    """A tuple with each tensor detached, requiring grad where it did. Raises RuntimeError."""
    if not isinstance(inputs, tuple):
        raise RuntimeError(
            "Only tuple of tensors is supported. Got Unsupported input type: "
            f"{type(inputs).__name__}"
        )
    return tuple(_detached(x) if isinstance(x, Tensor) else x for x in inputs)


def _detached(x):
    out = x.detach()
    return out.requires_grad_() if x.requires_grad else out


def check_backward_validity(inputs):
    """Warn if none of the inputs requires a gradient: then none comes through."""
    if not any(x.requires_grad for x in inputs if isinstance(x, Tensor)):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )


class AsNow:
    """A context manager that sets what counts when it is made: autocast and, if `random`, seeds.

    At the end of the `with` block all is as before it. It can be used again.
    """

    def __init__(self, random):
        self.autocast = autocast_dtype()
        self.state = FUNCTIONS["get_rng_state"]() if random else None
        self.outer = []

    def __enter__(self):
        after = None if self.state is None else FUNCTIONS["get_rng_state"]()
        self.outer.append((autocast_dtype(), after))
        set_autocast(self.autocast)
        if self.state is not None:
            FUNCTIONS["set_rng_state"](self.state)

    def __exit__(self, *_):
        autocast, state = self.outer.pop()
        set_autocast(autocast)
        if state is not None:
            FUNCTIONS["set_rng_state"](state)


class CheckpointFunction(Function):
    """A function that runs unrecorded, and again, recorded, in its derivative."""

    @staticmethod
    def forward(ctx, function, preserve, *args):
        """What the function returns."""
        check_backward_validity(args)
        ctx.function, ctx.settings = function, AsNow(preserve)
        ctx.others = [None if isinstance(x, Tensor) else x for x in args]
        ctx.places = [k for k, x in enumerate(args) if isinstance(x, Tensor)]
        ctx.save_for_backward(*(args[k] for k in ctx.places))
        with no_grad():
            return function(*args)

    @staticmethod
    def backward(ctx, *gs):
        """The gradients of the arguments. Raises RuntimeError in a pass for some tensors only."""
        if any(ends_of_pass.partial):
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or "
                "passing an `inputs` parameter to .backward(). To resolve this error, you can "
                "either set use_reentrant=False, or call .backward() without passing the `inputs` "
                "argument."
            )
        inputs = list(ctx.others)
        for k, x in zip(ctx.places, ctx.saved_tensors, strict=True):
            inputs[k] = x
        with ctx.settings, enable_grad():
            inputs = detach_variable(tuple(inputs))
            outputs = ctx.function(*inputs)
        outputs = (outputs,) if isinstance(outputs, Tensor) else outputs
        pairs = [
            (x, g)
            for x, g in zip(outputs, gs, strict=True)
            if isinstance(x, Tensor) and x.requires_grad
        ]
        if not pairs:
            raise RuntimeError(
                "none of output has requires_grad=True, this checkpoint() is not necessary"
            )
        run_backward([x for x, _ in pairs], [g for _, g in pairs])
        return (None, None, *(x.grad if isinstance(x, Tensor) else None for x in inputs))
