"""`MaskedTensor`: a tensor and a mask that says which of its elements are there.

Functions of elements keep the mask, which must be the same for all operands; functions of shape
change data and mask alike; reductions are those of `flambeau.masked`, whose result is there where
an element was.
"""

import flambeau

from . import dtypes
from .autograd.engine import backward
from .composed import ComposedTensor, ask_forms
from .formats import strided
from .ops.api import FUNCTIONS, METHODS
from .ops.core import OPS, Elementwise
from .recorder.handle import Tensor

__all__ = ["MaskedTensor", "as_masked_tensor", "masked_tensor"]

WIDTH = 8  # of a number in print

_OF_ELEMENTS = frozenset(
    (
        *("bool", "clamp", "clone", "contiguous", "detach", "double", "float", "int", "long"),
        *("masked_fill", "nan_to_num", "pow", "square", "to", "where"),
    )
)
_OF_SHAPE = frozenset(
    (
        *("__getitem__", "cat", "expand", "expand_as", "flatten", "permute", "reshape", "select"),
        *("squeeze", "stack", "swapaxes", "t", "transpose", "unsqueeze", "view"),
    )
)
_ALONG = frozenset(("cumprod", "cumsum", "log_softmax", "normalize", "softmax", "softmin"))


def _check_parts(data, mask):
    for name, x in (("data", data), ("mask", mask)):
        if not isinstance(x, Tensor):
            raise TypeError(f"{name} must be a Tensor")
    if mask.dtype is not dtypes.bool_:
        raise TypeError("mask must have dtype bool.")
    if data.dim() != mask.dim():
        raise ValueError("data.dim() must equal mask.dim()")
    if data.shape != mask.shape:
        raise ValueError("data.size() must equal mask.size()")


def _of(data, mask):
    made = object.__new__(MaskedTensor)
    made._val, made._mask, made._shape = data, mask, data.shape
    return made


@ask_forms
class MaskedTensor(ComposedTensor):
    """A tensor of which a mask of bools selects the elements that are there.

    >>> import flambeau as torch
    >>> x = torch.masked.masked_tensor(torch.tensor([1.0, 2.0]), torch.tensor([True, False]))
    >>> x + 1
    MaskedTensor(
      [  2.0000,       --]
    )
    """

    layout = strided

    def __new__(cls, data, mask, requires_grad=False):
        """A tensor with a copy of these parts; see `masked_tensor`."""
        _check_parts(data, mask)
        data = data.detach().clone().requires_grad_(requires_grad)
        return _of(data, mask.clone())

    def get_data(self):
        """All elements, those that the mask leaves out too."""
        return self._val

    def get_mask(self):
        """The mask, a tensor of bools."""
        return self._mask

    def to_tensor(self, value):
        """A tensor with `value` where the mask leaves elements out."""
        return FUNCTIONS["where"](self._mask, self._val, value)

    def is_contiguous(self, memory_format=None):
        """Whether its elements lie in row-major order without gaps."""
        return self._val.is_contiguous()

    def __len__(self):
        return len(self._val)

    def __pow__(self, exponent):
        return self._form("pow", (self, exponent), {})

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add its gradient to the `.grad` of the leaves it depends on."""
        gradient = gradient.to_tensor(0) if isinstance(gradient, MaskedTensor) else gradient
        backward(self._val, gradient, retain_graph, create_graph, inputs)

    def _with(self, data):
        return _of(data, self._mask)

    _gradient = _with

    def _form(self, name, args, kwargs):
        """What the function `name` makes of arguments, of which this is one."""
        function = FUNCTIONS.get(name, METHODS.get(name))
        if name in flambeau.masked.__all__ or name == "all":
            return self._reduced(name, *args, **kwargs)
        if name in _OF_SHAPE:
            data, mask = (_parts_of(args, part) for part in ("_val", "_mask"))
            return _of(function(*data, **kwargs), function(*mask, **kwargs))
        if name in _OF_ELEMENTS or isinstance(OPS.get(name), Elementwise):
            _check_masks(args)
            made = function(*_parts_of(args, "_val"), **kwargs)
            return _of(made, self._mask.expand(made.shape))
        if name.endswith("_") and not name.startswith("_"):
            self._val.copy_(self._form(name[:-1], args, kwargs)._val)
            return self
        raise TypeError(f"{name}() is not defined for MaskedTensor; to_tensor() gives a Tensor")

    def _reduced(self, name, *args, **kwargs):
        _, *args = args
        if name == "all":
            data = self.to_tensor(True).all(*args, **kwargs)
        else:
            data = getattr(flambeau.masked, name)(self._val, *args, mask=self._mask, **kwargs)
        if name in _ALONG:
            return _of(data, self._mask)
        dim = kwargs.get("dim", args[0] if args else None)
        keepdim = kwargs.get("keepdim", args[1] if len(args) > 1 else False)
        return _of(data, _any(self._mask, dim, keepdim))

    def __repr__(self):
        values, mask = self._val.detach(), self._mask
        if not values.dim():
            return f"MaskedTensor({_cell(values.item(), mask.item())}, {mask.item()})"
        return f"MaskedTensor(\n{_text(values.tolist(), mask.tolist(), 2)}\n)"


def _any(mask, dim, keepdim):
    """Whether a mask selects anything along a dim, or several, or all."""
    dims = range(mask.dim()) if dim is None else (dim,) if isinstance(dim, int) else dim
    for d in sorted((d % mask.dim() for d in dims), reverse=True):
        mask = mask.any(d, keepdim)
    return mask


def _parts_of(args, part):
    """Arguments with the data, or the mask, in place of masked tensors, also in a list of them."""
    if isinstance(args, (list, tuple)):
        return type(args)(_parts_of(x, part) for x in args)
    return getattr(args, part) if isinstance(args, MaskedTensor) else args


def _check_masks(args):
    """Raise ValueError unless the masks of all masked tensors among the arguments are equal."""
    masks = [x._mask for x in args if isinstance(x, MaskedTensor)]
    for other in masks[1:]:
        if other is not masks[0] and not (
            other.shape == masks[0].shape and bool((other == masks[0]).all())
        ):
            raise ValueError("Input masks must match. to_tensor() gives tensors without a mask.")


def _cell(value, there):
    if not there:
        return "--".rjust(WIDTH)
    return f"{value:{WIDTH}.4f}" if isinstance(value, float) else str(value)


def _text(values, mask, indent):
    """The lines of nested lists of elements."""
    space = " " * indent
    if not values or not isinstance(values[0], list):
        return f"{space}[{', '.join(map(_cell, values, mask))}]"
    rows = [_text(v, m, indent + 2) for v, m in zip(values, mask, strict=True)]
    return f"{space}[\n" + ",\n".join(rows) + f"\n{space}]"


def masked_tensor(data, mask, requires_grad=False):
    """A `MaskedTensor` of copies of `data` and of `mask`, a tensor of bools of the same shape.

    Raises TypeError for what are no such tensors, ValueError if the shapes differ.
    """
    return MaskedTensor(data, mask, requires_grad)


def as_masked_tensor(data, mask):
    """As `masked_tensor`, of these tensors themselves, so that gradients pass through it."""
    _check_parts(data, mask)
    return _of(data, mask)
