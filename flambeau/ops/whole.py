"""Public functions that are one record each, though their bodies take several steps.

The result is a tensor of its own, whatever the last step was, and `grad_fn` bears the name of the
function.
"""

import functools

from ..recorder.handle import Tensor
from .core import Composite

__all__ = ["whole"]

_OPERAND = object()  # stands for a tensor, or a number of the run, among fixed arguments


def whole(function=None, *, derivative=None):
    """Record all that a function of tensors does as one operation: a decorator.

    Tensors and floats among its arguments become operands; all others are fixed, and are hashable
    or lists. The body must be pure. derivative: the name of `grad_fn`, if it is another.
    """
    if function is None:
        return functools.partial(whole, derivative=derivative)
    op = Composite(function.__name__, _body(function))
    op.derivative = derivative

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        operands = []
        fixed = tuple(_split(x, operands) for x in args)
        named = tuple((name, _split(x, operands)) for name, x in kwargs.items())
        return op(*operands, fixed=fixed, named=named)

    wrapper.op = op  # for a rule of its derivative, where that of the body is long
    return wrapper


def _split(x, operands):
    """What stays of an argument: operands are put into their list. Kinds tell 1 from True."""
    if isinstance(x, (Tensor, float)):
        operands.append(x)
        return _OPERAND
    if isinstance(x, (list, tuple)):
        return tuple, tuple(_split(y, operands) for y in x)
    return x.__class__, x


def _join(x, operands):
    if x is _OPERAND:
        return next(operands)
    kind, value = x
    return tuple(_join(y, operands) for y in value) if kind is tuple else value


def _body(function):
    def body(*operands, fixed, named):
        operands = iter(operands)
        args = [_join(x, operands) for x in fixed]
        return function(*args, **{name: _join(x, operands) for name, x in named})

    return body
