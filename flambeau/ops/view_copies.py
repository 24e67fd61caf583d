"""What views show, in memory of its own: `NAME_copy` for each operation that gives a view."""

from ..recorder.handle import Tensor
from . import joining, rearrange, views  # noqa: F401  they define operations that are copied here
from . import movement as mv
from .api import FUNCTIONS, METHODS, function, into_out

__all__ = ["narrow_copy"]


def _alias(input):
    return mv.view(input, input._meta.shape)


def _slice(input, dim=0, start=None, end=None, step=1):
    return mv.slice_dim(input, mv.normalize_list(dim, input.dim())[0], start, end, step)


def _narrow(input, dim, start, length):
    if not -input.dim() <= dim < input.dim():
        raise RuntimeError(f"narrow_copy(): dim {dim} is out of range for {input.dim()} dims")
    return mv.narrow(input, dim, start, length)


def _detach(input):
    return input.detach()


def _copied(shown):
    if isinstance(shown, Tensor):
        return mv.clone(shown, memory_format=None)
    return tuple(mv.clone(x, memory_format=None) for x in shown)


def _publish(name, view):
    """Publish the function that copies what `view` shows; several tensors go into a list `out`."""

    def copying(input, *args, out=None, **kwargs):
        result = _copied(view(input, *args, **kwargs))
        if out is None:
            return result
        into_out(result, out)
        return out if isinstance(out, Tensor) else None

    copying.__name__ = copying.__qualname__ = name
    copying.__doc__ = f"A copy of what `{name.removesuffix('_copy')}` shows, written to `out`."
    return function(copying, methods=False)


_publish("alias_copy", _alias)
_publish("detach_copy", _detach)
_publish("expand_copy", METHODS["expand"])
_publish("narrow_copy", _narrow)
_publish("slice_copy", _slice)
_publish("split_with_sizes_copy", mv.split)
_publish("unfold_copy", METHODS["unfold"])
_publish("view_copy", METHODS["view"])
for _name in (
    *("as_strided", "diagonal", "permute", "select", "split", "squeeze", "t"),
    *("transpose", "unbind", "unsqueeze", "view_as_complex", "view_as_real"),
):
    _publish(_name + "_copy", FUNCTIONS[_name])
narrow_copy = METHODS["narrow_copy"] = FUNCTIONS["narrow_copy"]
