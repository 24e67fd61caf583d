"""Python's operators on tensors."""

from .. import dtypes
from ..recorder.handle import Tensor
from . import elementwise as ew
from .api import METHODS, in_place_method, operator, reflected, refuse
from .at_once import add, shifted

__all__: list[str] = []


def _invert(self):
    """~x. Raises TypeError for numbers that are not whole."""
    if self._meta.dtype.category >= dtypes.FLOAT:
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean tensors")
    return ew.bitwise_not(self)


def _moved(sign):
    """What x + n or x - n is at once: as of an index that a loop goes through."""

    def first(self, other):
        if other.__class__ is int and not self._meta.shape:
            return shifted(self, sign * other)
        return refuse(self, other)

    return first


def _add_in_place(f):
    """The dunder method of x += y, where x may be a small part of memory."""

    def dunder(self, other):
        if self._storage is not None and other.__class__ in (int, float, Tensor):
            if add(self, other):
                return self
        return f(self, other)

    return dunder


METHODS.update(
    __add__=operator(ew.add_quick, _moved(1)),
    __radd__=reflected(lambda a, b: ew.add_quick(b, a)),
    __sub__=operator(ew.sub_quick, _moved(-1)),
    __rsub__=reflected(ew.sub_quick),
    __mul__=operator(ew.mul),
    __rmul__=reflected(lambda a, b: ew.mul(b, a)),
    __truediv__=operator(ew.div_quick),
    __rtruediv__=reflected(ew.div_quick),
    __floordiv__=operator(ew.floor_divide),
    __rfloordiv__=reflected(ew.floor_divide),
    __mod__=operator(ew.remainder),
    __rmod__=reflected(ew.remainder),
    __pow__=operator(ew.pow),
    __rpow__=reflected(ew.pow),
    __eq__=operator(ew.eq),
    __ne__=operator(ew.ne),
    __lt__=operator(ew.lt),
    __le__=operator(ew.le),
    __gt__=operator(ew.gt),
    __ge__=operator(ew.ge),
    __and__=operator(ew.bitwise_and),
    __rand__=reflected(ew.bitwise_and),
    __or__=operator(ew.bitwise_or),
    __ror__=reflected(ew.bitwise_or),
    __xor__=operator(ew.bitwise_xor),
    __rxor__=reflected(ew.bitwise_xor),
    __lshift__=operator(ew.bitwise_left_shift),
    __rlshift__=reflected(ew.bitwise_left_shift),
    __rshift__=operator(ew.bitwise_right_shift),
    __rrshift__=reflected(ew.bitwise_right_shift),
    __neg__=ew.neg,
    __pos__=lambda self: self,
    __abs__=ew.abs,
    __invert__=_invert,
    __iadd__=_add_in_place(in_place_method(ew.add_quick, "add_")),
    __isub__=in_place_method(ew.sub_quick, "sub_"),
    __imul__=in_place_method(ew.mul, "mul_"),
    __itruediv__=in_place_method(ew.div_quick, "div_"),
    __ifloordiv__=in_place_method(ew.floor_divide, "floor_divide_"),
    __imod__=in_place_method(ew.remainder, "remainder_"),
    __ipow__=in_place_method(ew.pow, "pow_"),
    __iand__=in_place_method(ew.bitwise_and, "bitwise_and_"),
    __ior__=in_place_method(ew.bitwise_or, "bitwise_or_"),
    __ixor__=in_place_method(ew.bitwise_xor, "bitwise_xor_"),
    __ilshift__=in_place_method(ew.bitwise_left_shift, "bitwise_left_shift_"),
    __irshift__=in_place_method(ew.bitwise_right_shift, "bitwise_right_shift_"),
    __hash__=object.__hash__,
)
