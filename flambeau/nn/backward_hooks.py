"""How a module's backward hooks see the gradients that pass through it.

The tensors that enter the module and those that leave it go through an identity. In the backward
pass, the identity of the outputs meets the gradient first, then that of the inputs.
"""

from ..autograd import Function
from ..tensor import Tensor
from .functional.common import warn

__all__ = ["BackwardHooks"]


class _Watch(Function):
    """The identity on tensors; `watcher(grads)` may replace their gradients."""

    @staticmethod
    def forward(ctx, watcher, *tensors):
        ctx.watcher = watcher
        ctx.set_materialize_grads(False)
        outputs = tuple(t.view_as(t) for t in tensors)
        pairs = zip(tensors, outputs, strict=True)
        ctx.mark_non_differentiable(*(out for t, out in pairs if not t.requires_grad))
        return outputs

    @staticmethod
    def backward(ctx, *grads):
        return (None, *ctx.watcher(grads))


class BackwardHooks:
    """One call of a module: the hooks around its backward pass, and the gradients they see."""

    def __init__(self, module, before, after):
        self.module, self.before, self.after = module, before, after
        self.grad_outputs = None
        self.inputs = None  # (number of arguments, indices of the tensors among them)
        self.count = 0

    def watch_inputs(self, args):
        """The arguments, with those that are tensors passed through an identity."""
        self.count = len(args)
        args, self.inputs = _watch(self._input_gradients, args)
        return args

    def watch_outputs(self, result):
        """The result of the module, with its tensors passed through an identity."""
        if isinstance(result, Tensor):
            return self._watch_output_tuple((result,))[0]
        if isinstance(result, tuple):
            watched = self._watch_output_tuple(result)
            return type(result)(*watched) if hasattr(result, "_fields") else watched
        return result

    def _watch_output_tuple(self, outputs):
        outputs, self.outputs = _watch(self._output_gradients, outputs)
        self.output_count = len(outputs)
        return outputs

    def _output_gradients(self, grads):
        full = _spread(grads, self.outputs, self.output_count)
        for hook in self.before:
            replaced = hook(self.module, full)
            if replaced is None:
                continue
            full = replaced if isinstance(replaced, tuple) else (replaced,)
            _require_count("Backward pre hook", "grad_output", len(full), self.output_count)
        self.grad_outputs = full
        if self.inputs is None:
            self._call_without_inputs()
        return tuple(full[i] for i in self.outputs)

    def _call_without_inputs(self):
        none = (None,) * self.count
        if self.after:
            warn(
                "Full backward hook is firing when gradients are computed with respect to module "
                "outputs since no inputs require gradients. See https://docs.pytorch.org/docs/main/"
                "generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_hook for "
                "more details."
            )
        for hook in self.after:
            replaced = hook(self.module, none, self.grad_outputs)
            if replaced is not None and any(g is not None for g in _as_tuple(replaced)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always "
                    "return None or None for all gradients."
                )

    def _input_gradients(self, grads):
        full = _spread(grads, self.inputs, self.count)
        for hook in self.after:
            replaced = hook(self.module, full, self.grad_outputs)
            if replaced is not None:
                full = _as_tuple(replaced)
                _require_count("Backward hook", "grad_input", len(full), self.count)
        return tuple(full[i] for i in self.inputs)


def _as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def _watch(watcher, values):
    """(values whose tensors went through `_Watch`; their indices, None where none needs it)."""
    indices = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
    if not any(values[i].requires_grad for i in indices):
        return values, None
    values = list(values)
    watched = _Watch.apply(watcher, *(values[i] for i in indices))
    for i, tensor in zip(indices, watched, strict=True):
        values[i] = tensor
    return tuple(values), indices


def _spread(grads, indices, count):
    """A tuple of `count` with the gradients at the indices and None elsewhere."""
    full = [None] * count
    for i, grad in zip(indices, grads, strict=True):
        full[i] = grad
    return tuple(full)


def _require_count(what, argument, got, expected):
    if got != expected:
        raise RuntimeError(
            f"{what} returned an invalid number of {argument}, got {got}, but expected {expected}"
        )
