"""Views in place: a tensor that gets the shape of a view of itself."""

from ..recorder import inplace
from . import movement as mv
from .api import FUNCTIONS, METHODS

__all__ = []


def _in_place(name, view):
    def method(self, *args, **kwargs):
        inplace.check_writable(self, name)
        seen = view(self, *args, **kwargs)
        if seen is not self:
            inplace.become(self, seen)
        return self

    method.__name__ = name
    method.__doc__ = f"In-place version of `{name[:-1]}`: the tensor itself gets the shape."
    METHODS[name] = method


_in_place("t_", mv.t)
_in_place("squeeze_", mv.squeeze)
_in_place("unsqueeze_", mv.unsqueeze)
_in_place("as_strided_", mv.as_strided)
for _name in ("transpose_", "swapaxes_", "swapdims_"):
    _in_place(_name, mv.transpose)

FUNCTIONS["as_strided_"] = METHODS["as_strided_"]
