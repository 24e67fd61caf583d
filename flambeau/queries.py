"""What is known of tensors and dtypes without computing anything."""

import importlib
import math

from .formats import strided
from .ops.core import result_dtype
from .recorder.handle import Tensor
from .recorder.record import NUMBERS

__all__ = [
    "SymBool",
    "SymFloat",
    "SymInt",
    "can_cast",
    "detach",
    "get_device_module",
    "is_complex",
    "is_floating_point",
    "is_nonzero",
    "is_signed",
    "is_storage",
    "is_tensor",
    "numel",
    "result_type",
    "sym_int",
    "typename",
]


class SymInt:
    """An integer that is not known yet, for `isinstance`: sizes are always known here."""

    def __init__(self, node):
        raise TypeError("sizes are integers: there are no symbolic ones")


class SymFloat:
    """A number that depends on a size that is not known yet, for `isinstance`."""

    def __init__(self, node):
        raise TypeError("there are no symbolic sizes for a number to depend on")


class SymBool:
    """A condition on sizes that are not known yet, for `isinstance`."""

    def __init__(self, node):
        raise TypeError("there are no symbolic sizes for a condition to depend on")


def sym_int(a):
    """A number without its fraction, as an int."""
    return math.trunc(a)


def get_device_module(device=None):
    """The module of a kind of device, `flambeau.cpu` or `flambeau.cuda`."""
    kind = "cpu" if device is None else str(device).split(":")[0]
    try:
        return importlib.import_module(f"{__package__}.{kind}")
    except ImportError:
        raise RuntimeError(
            f"Device '{kind}' does not have a corresponding module registered as 'torch.{kind}'."
        ) from None


def is_tensor(obj):
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj):
    """Whether `obj` is a storage."""
    return type(obj).__name__ in ("TypedStorage", "UntypedStorage")


def is_floating_point(input):
    """Whether the elements are floating-point numbers."""
    return input.is_floating_point()


def is_complex(input):
    """Whether the elements are complex numbers."""
    return input.is_complex()


def is_signed(input):
    """Whether the elements can be negative."""
    return input.is_signed()


def is_nonzero(input):
    """Whether the only element is not zero. Raises RuntimeError if there is not exactly one."""
    count = input.numel()
    if count != 1:
        described = "no values" if not count else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {described} is ambiguous")
    return bool(input.item())


def numel(input):
    """The number of elements."""
    return input.numel()


def can_cast(from_, to):
    """Whether PyTorch's promotion rules let a `from_` be written into a `to`.

    >>> import flambeau as torch
    >>> torch.can_cast(torch.double, torch.float), torch.can_cast(torch.float, torch.int)
    (True, False)
    """
    return from_.category <= to.category


def result_type(tensor1, tensor2):
    """The dtype of an arithmetic result of two operands, tensors or numbers.

    >>> import flambeau as torch
    >>> torch.result_type(torch.tensor([1, 2], dtype=torch.int), 1.0)
    torch.float32
    """
    operands = []
    for x in (tensor1, tensor2):
        if isinstance(x, Tensor):
            operands.append(x._meta if x.layout is strided else x._val._meta)
        elif isinstance(x, NUMBERS):
            operands.append(type(x))
        else:
            raise TypeError(f"result_type(): expected a Tensor or a number, not {type(x).__name__}")
    return result_dtype(operands)


def detach(input):
    """A view of the same memory that takes no part in gradients."""
    return input.detach()


def typename(obj):
    """The name of the type of a tensor or of any other object."""
    if isinstance(obj, Tensor):
        return obj.type()
    kind = type(obj)
    module = "" if kind.__module__ in ("builtins", "__builtin__") else kind.__module__ + "."
    return module + kind.__qualname__


def _assert(condition, message):
    """Raise AssertionError with the message unless the condition, a bool or tensor, holds."""
    assert condition, message


def _assert_async(input, assert_msg="Expected Tensor with single nonzero value, but got zero"):
    """Raise RuntimeError with the message unless the one element of a tensor is true."""
    if not input:
        raise RuntimeError(assert_msg)


def _check(cond, message=None):
    """Raise RuntimeError with what `message()` says unless `cond` is true."""
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if not cond:
        raise RuntimeError("Expected cond to be True" if message is None else message())
