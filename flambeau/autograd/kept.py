"""What a custom function has saved for its derivative."""

import weakref

from ..recorder import inplace
from ..recorder.entering import is_inference
from ..recorder.handle import Tensor
from ..recorder.record import SAVED
from ..recorder.trace import grad_enabled
from . import watch
from .paths import meta_at

__all__ = ["keep"]


class _Kept:
    """A saved tensor and its version; of a result also how to find the tensor handed out."""

    __slots__ = ("final", "index", "place", "tensor", "version")

    def __init__(self, tensor, final=None, index=None):
        self.tensor, self.index = tensor, index
        self.final = None if final is None else weakref.ref(final)
        self.version = (tensor if final is None else final)._version
        self.place = None  # (source, position) of the result, while `backward` is called

    def found_in(self, source, first, skip):
        """Note where in the graph the function's record is."""
        if self.final is not None:
            self.place = (source, first + self.index)

    def unpack(self):
        """The tensor; in a pass that records gradients, one that is tied to the graph."""
        final = None if self.final is None else self.final()
        seen = self.tensor if final is None else final
        if seen._version != self.version and (final is None) is (self.final is None):
            raise watch.changed(seen, self.version)
        if final is None and self.final is not None and grad_enabled():
            return watch.tied(self.tensor, *self.place)
        return seen


class _KeptByUser:
    """A saved tensor in the hands of hooks.

    result, operand: which result, or which of the tensors among the arguments, it is, or None.
    """

    __slots__ = ("operand", "packed", "place", "result")

    def __init__(self, hooks, tensor, result, operand):
        self.result, self.operand, self.place = result, operand, None
        self.packed = watch.Packed(hooks)
        self.packed.add(0, tensor)

    def found_in(self, source, first, skip):
        """Note where in the graph the function's record is."""
        position = None
        if self.result is not None:
            position = first + self.result
        elif self.operand is not None:
            position = source.index[first].operands[skip + self.operand]
        tracked = position is not None and meta_at(source.index, position).requires_grad
        self.place = (source, position) if tracked else None

    def unpack(self):
        """What the hook makes of it; in a pass that records gradients, tied to the graph."""
        x = self.packed.get(0)
        if grad_enabled() and self.place is not None:
            return watch.tied(x, *self.place)
        return x


_COPIES = watch.Hooks(inplace.snapshot, lambda x: x)


def keep(index, x, arguments, raw, outputs, results, dirty):
    """What is kept of the tensor, or None, that `save_for_backward` was given at `index`.

    Args: arguments: the tensors among those of the function; raw: what `forward` returned;
        outputs: what is handed out in its place; results: {index in raw: number of the result};
        dirty: tensors changed in place. Raises: TypeError for what is no tensor.
    """
    if x is None:
        return None
    if not isinstance(x, Tensor):
        raise TypeError(
            f"save_for_backward can only save variables, but argument {index} is of type "
            f"{type(x).__name__}"
        )
    if is_inference(x):
        raise RuntimeError(SAVED)
    same = [k for k, made in enumerate(raw) if made is x and k in results]
    hooks = watch.current_hooks() or (_COPIES if watch.mutation_allowed() else None)
    if hooks is not None:
        places = [k for k, t in enumerate(arguments) if t is x]
        result = results[same[-1]] if same else None
        shown = outputs[same[-1]] if same else x
        return _KeptByUser(hooks, shown, result, places[0] if places else None)
    for k in reversed(same):
        if not any(t is x for t in dirty) and outputs[k] is not x:
            return _Kept(x, outputs[k], results[k])
    return _Kept(x)
