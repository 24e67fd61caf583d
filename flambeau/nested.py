"""`flambeau.nested`: batches of tensors that differ in the size of a dim, without padding.

The elements lie behind each other in one dense tensor, so that functions of elements are one
operation. In the layout `jagged` that tensor has shape (total, *): its rows are cut at offsets. In
the layout `strided` it is flat, and every constituent has a shape of its own.

>>> import flambeau as torch
>>> x = torch.nested.nested_tensor([[1.0, 2.0], [3.0]])
>>> torch.nested.to_padded_tensor(x + 1, 0.0)
tensor([[2., 3.],
        [4., 0.]])
"""

import itertools
import math

from .composed import ComposedTensor, ask_forms
from .formats import jagged, strided
from .ops.api import FUNCTIONS, METHODS
from .ops.core import OPS, Elementwise
from .ops.from_data import make_tensor
from .recorder.handle import Size, Tensor

__all__ = [
    "NestedTensor",
    "as_nested_tensor",
    "nested_tensor",
    "nested_tensor_from_jagged",
    "to_padded_tensor",
]

_OF_ELEMENTS = frozenset(
    (
        *("clamp", "clone", "contiguous", "double", "dropout", "float", "gelu", "masked_fill"),
        *("nan_to_num", "pow", "relu", "silu", "square"),
    )
)


class Ragged:
    """The size of a dim that differs from constituent to constituent; prints as `j1`."""

    _numbers = itertools.count(1)

    def __init__(self):
        self.name = f"j{next(self._numbers)}"

    def __repr__(self):
        return self.name


@ask_forms
class NestedTensor(ComposedTensor):
    """A batch of tensors of one dtype and number of dims, whose sizes may differ.

    `layout` is strided or jagged. Made by the functions of `flambeau.nested`.
    """

    is_nested = property(lambda self: True)

    def __new__(cls, *args, **kwargs):
        """Refused: `nested_tensor` makes them. Raises TypeError."""
        raise TypeError("NestedTensor is made by flambeau.nested.nested_tensor")

    def _with(self, values):
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._set_grad, made._val = None, values
        return made

    _gradient = _with

    def __len__(self):
        return self.size(0)

    def __iter__(self):
        return iter(self.unbind())

    def __getitem__(self, index):
        if isinstance(index, int):
            return self.unbind()[index]
        return self._form("__getitem__", (self, index), {})

    def __pow__(self, exponent):
        return self._form("pow", (self, exponent), {})

    def __matmul__(self, other):
        return self.matmul(other)

    def numel(self):
        """The number of elements of all constituents."""
        return self._val.numel()

    nelement = numel

    def is_contiguous(self, memory_format=None):
        """True: the elements lie behind each other."""
        return True

    def tolist(self):
        """The constituents as nested lists of Python numbers."""
        return [x.tolist() for x in self.unbind()]

    def to_padded_tensor(self, padding, output_size=None):
        """The constituents on top of each other, `padding` behind those that are smaller.

        output_size: the shape of the result, which must hold them. Raises RuntimeError if not.
        """
        parts = self.unbind()
        size = [max(sizes) for sizes in zip(*(x.shape for x in parts), strict=True)]
        if output_size is not None:
            if any(a < b for a, b in zip(output_size[1:], size, strict=True)):
                raise RuntimeError(
                    f"to_padded_tensor: output_size {list(output_size)} can not hold constituents "
                    f"of up to {size}"
                )
            size = output_size[1:]
        return FUNCTIONS["stack"]([_padded(x, size, padding) for x in parts])

    def _form(self, name, args, kwargs):
        """What the function `name` makes of arguments, of which this is one."""
        own = getattr(type(self), name, None)
        if own is not None and own is not METHODS.get(name) and not hasattr(own, "asks"):
            return own(*args, **kwargs)
        if name in _OF_ELEMENTS or isinstance(OPS.get(name), Elementwise):
            function = FUNCTIONS.get(name, METHODS.get(name))
            return self._with(function(*[self._beside(name, x) for x in args], **kwargs))
        raise NotImplementedError(
            f"Could not run 'aten::{name}' with arguments from the 'NestedTensorCPU' backend"
        )


def _padded(x, size, padding):
    """A tensor with `padding` behind it in every dim, so that it has this size."""
    pads = []
    for now, then in zip(reversed(x.shape), reversed(size), strict=True):
        pads += (0, then - now)
    return FUNCTIONS["constant_pad_nd"](x, pads, padding)


class _Strided(NestedTensor):
    """A nested tensor whose constituents have any sizes; `_val` is flat."""

    layout = strided
    _sizes = ()  # the shapes of the constituents

    def unbind(self, dim=0):
        """The constituents as a tuple. Raises RuntimeError for another dim than 0."""
        if dim:
            raise RuntimeError("NestedTensor can only be unbound along dimension 0")
        parts = FUNCTIONS["split"](self._val, [math.prod(s) for s in self._sizes])
        return tuple(x.reshape(s) for x, s in zip(parts, self._sizes, strict=True))

    def dim(self):
        """The number of dims, that of the batch among them."""
        return len(self._sizes[0]) + 1 if self._sizes else 1

    ndim = property(dim, doc="The number of dims.")

    @property
    def shape(self):
        """Refused: it has no shape. Raises RuntimeError."""
        return self.size()

    def size(self, dim=None):
        """The size of a dim. Raises RuntimeError for one that differs between constituents."""
        if dim is None:
            raise RuntimeError("a nested tensor of layout torch.strided has no shape")
        dim = self._dim(dim, self.dim())
        sizes = {s[dim - 1] for s in self._sizes} if dim else {len(self._sizes)}
        if len(sizes) > 1:
            raise RuntimeError(f"Given dimension {dim} is irregular and does not have a size.")
        return sizes.pop()

    def values(self):
        """All elements, flat."""
        return self._val

    def _beside(self, name, x):
        """The values of another operand. Raises RuntimeError for one of other sizes."""
        if isinstance(x, Tensor) and not isinstance(x, NestedTensor) and x.numel() != 1:
            raise RuntimeError(f"Expected both to be nested, but got a dense operand of {name}()")
        if not isinstance(x, NestedTensor):
            return x
        if getattr(x, "_sizes", None) != self._sizes:
            raise RuntimeError(f"{name}(): operands do not have the same nested sizes")
        return x._val

    def _each(self, function, *others):
        rows = zip(self.unbind(), *[x.unbind() for x in others], strict=True)
        return _strided([function(*row) for row in rows])

    def _inner(self, dim):
        """A dim of the constituents. Raises RuntimeError for that of the batch."""
        dim = self._dim(dim, self.dim())
        if not dim:
            raise RuntimeError("NestedTensor: an operation along the dim of the batch")
        return dim - 1

    def matmul(self, other):
        """The products of the matrices of two nested tensors, one by one."""
        if not isinstance(self, _Strided) or not isinstance(other, _Strided):
            raise RuntimeError("Expected both to be nested, but got a nested and a dense operand")
        return self._each(FUNCTIONS["matmul"], other)

    def transpose(self, dim0, dim1):
        """Two dims of every constituent swapped."""
        dims = self._inner(dim0), self._inner(dim1)
        return self._each(lambda x: x.transpose(*dims))

    def reshape(self, *shape):
        """Every constituent with another shape, which follows the size of the batch."""
        shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        sizes = [
            [s[k] if n == -1 and k < len(s) else n for k, n in enumerate(shape[1:])]
            for s in self._sizes
        ]
        parts = zip(self.unbind(), sizes, strict=True)
        return _strided([x.reshape(s) for x, s in parts])

    def softmax(self, dim, dtype=None):
        """The softmax of every constituent along a dim."""
        inner = self._inner(dim)
        return self._each(lambda x: x.softmax(inner, dtype=dtype))

    def sum(self, dim, keepdim=False, *, dtype=None):
        """The sums of every constituent along its last dim, which is kept."""
        inner = self._inner(dim)
        if inner != self.dim() - 2 or not keepdim:
            raise RuntimeError("NestedTensor only allows reduction of the last dim, with keepdim")
        return self._each(lambda x: x.sum(inner, True, dtype=dtype))

    def __repr__(self):
        texts = [repr(x.detach()).replace("\n", "\n  ") for x in self.unbind()]
        rows = ",\n".join(f"  {t}" for t in texts)
        note = ""
        if self.grad_fn_name is not None:
            note = f", grad_fn=<{self.grad_fn_name}>"
        elif self.requires_grad:
            note = ", requires_grad=True"
        return f"nested_tensor([\n{rows}\n]{note})"


class _Jagged(NestedTensor):
    """A nested tensor whose constituents differ in their first dim; `_val` has all their rows."""

    layout = jagged
    _starts = _counts = _ragged = None
    # The offsets, the lengths (or None where rows follow each other), and the ragged size.

    shape = property(lambda self: self.size(), doc="The size of each dim; one is ragged.")
    ndim = property(lambda self: self._val.dim() + 1, doc="The number of dims.")

    def values(self):
        """The rows of all constituents."""
        return self._val

    def offsets(self):
        """Where in the values each constituent begins, and where the last one ends."""
        return self._starts

    def lengths(self):
        """The number of rows of each constituent, where they do not follow each other; or None."""
        return self._counts

    def _spans(self):
        """(first row, number of rows) of each constituent."""
        starts = self._starts.tolist()
        if self._counts is not None:
            return list(zip(starts, self._counts.tolist(), strict=False))
        return [(a, b - a) for a, b in itertools.pairwise(starts)]

    def dim(self):
        """The number of dims, that of the batch among them."""
        return self._val.dim() + 1

    def size(self, dim=None):
        """The shape, or the size of one dim; one of them is ragged, an object such as `j1`."""
        shape = Size((len(self._starts) - 1, self._ragged, *self._val.shape[1:]))
        return shape if dim is None else shape[self._dim(dim, len(shape))]

    def unbind(self, dim=0):
        """The constituents as a tuple. Raises RuntimeError for another dim than 0."""
        if dim:
            raise RuntimeError("unbind(): only supported for NestedTensor on dim=0")
        return tuple(self._val.narrow(0, first, count) for first, count in self._spans())

    def _owners(self):
        """The number of its constituent for every row."""
        if self._counts is not None:
            raise RuntimeError("NestedTensor: not defined for rows that leave gaps")
        counts = self._starts.diff()
        return FUNCTIONS["repeat_interleave"](FUNCTIONS["arange"](len(counts)), counts)

    def _beside(self, name, x):
        """The values of another operand. Raises RuntimeError for one of other sizes."""
        if isinstance(x, NestedTensor):
            if getattr(x, "_ragged", None) is not self._ragged:
                raise RuntimeError(
                    f"cannot call binary pointwise function {name} with inputs of other offsets"
                )
            return x._val
        if isinstance(x, Tensor) and x.dim() == self.dim():
            rows = x.squeeze(1)
            return rows if len(rows) == 1 else rows.index_select(0, self._owners())
        return x

    def _rows_dim(self, dim):
        """The dim of the values that a dim is. Raises RuntimeError for that of the batch."""
        dim = self._dim(dim, self.dim())
        if not dim:
            raise RuntimeError("NestedTensor: an operation along the dim of the batch")
        return dim - 1

    def matmul(self, other):
        """The product of every constituent with a matrix."""
        if not isinstance(self, _Jagged) or isinstance(other, NestedTensor) or other.dim() != 2:
            raise RuntimeError(
                "matmul(): a jagged NestedTensor is multiplied by a matrix, from right"
            )
        return self._with(FUNCTIONS["matmul"](self._val, other))

    def softmax(self, dim, dtype=None):
        """The softmax along a dim that is not ragged."""
        inner = self._rows_dim(dim)
        if not inner:
            raise RuntimeError("softmax(): not supported along the ragged dim")
        return self._with(self._val.softmax(inner, dtype=dtype))

    def sum(self, dim=None, keepdim=False, *, dtype=None):
        """The sum of all elements, along the ragged dim, or along a later one."""
        if dim is None:
            return self._val.sum(dtype=dtype)
        inner = self._rows_dim(dim)
        if inner:
            return self._with(self._val.sum(inner, keepdim, dtype=dtype))
        values = self._val if dtype is None else self._val.to(dtype)
        zeros = values.new_zeros((len(self), *values.shape[1:]))
        total = zeros.index_add(0, self._owners(), values)
        return total.unsqueeze(1) if keepdim else total

    def mean(self, dim=None, keepdim=False, *, dtype=None):
        """The mean of all elements, along the ragged dim, or along a later one."""
        if dim is None or self._rows_dim(dim):
            count = self._val.numel() if dim is None else self._val.shape[self._rows_dim(dim)]
            return self.sum(dim, keepdim, dtype=dtype) / count
        counts = self._starts.diff()
        total = self.sum(dim, keepdim, dtype=dtype)
        return total / counts.reshape(-1, *[1] * (total.dim() - 1))

    def __repr__(self):
        size = ", ".join(map(repr, self.size()))
        note = ""
        if self.grad_fn_name is not None:
            note = f", grad_fn=<{self.grad_fn_name}>"
        elif self.requires_grad:
            note = ", requires_grad=True"
        whole = self._counts is None
        return f"NestedTensor(size=({size}), offsets={self._starts!r}{note}, contiguous={whole})"


def _strided(parts):
    made = object.__new__(_Strided)
    flat = [x.reshape(-1) for x in parts]
    made._val = FUNCTIONS["cat"](flat) if flat else FUNCTIONS["empty"](0)
    made._sizes = tuple(x.shape for x in parts)
    return made


def _jagged(values, offsets, lengths=None):
    made = object.__new__(_Jagged)
    made._val, made._starts, made._counts, made._ragged = values, offsets, lengths, Ragged()
    return made


def _check_parts(parts):
    for k, x in enumerate(parts):
        if x.dim() != parts[0].dim():
            raise RuntimeError(
                "All Tensors given to nested_tensor must have the same dimension. Found dimension "
                f"{x.dim()} for Tensor at index {k} and dimension {parts[0].dim()} for Tensor at "
                "index 0."
            )


def _together(parts, layout):
    _check_parts(parts)
    if layout in (None, strided):
        return _strided(parts)
    if layout is not jagged:
        raise RuntimeError(f"Specified layout is unsupported for nested tensors: {layout}")
    if not parts or not parts[0].dim() or len({x.shape[1:] for x in parts}) > 1:
        raise RuntimeError(
            "nested tensors of layout torch.jagged hold at least one tensor; these differ in their "
            f"first dim alone, but got shapes {[list(x.shape) for x in parts]}"
        )
    offsets = [0, *itertools.accumulate(x.shape[0] for x in parts)]
    return _jagged(FUNCTIONS["cat"](parts), make_tensor(offsets))


def nested_tensor(
    tensor_list, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory=False
):
    """A nested tensor of copies of tensors, or of lists of numbers; a leaf.

    >>> import flambeau as torch
    >>> x = torch.nested.nested_tensor([torch.ones(2, 3), torch.zeros(1, 3)], layout=torch.jagged)
    >>> x.offsets()
    tensor([0, 2, 3])
    """
    parts = [
        x.detach() if isinstance(x, Tensor) else make_tensor(x, device=device) for x in tensor_list
    ]
    kind = parts[0].dtype if dtype is None and parts else dtype
    made = _together([x.to(kind) for x in parts], layout)
    made._val = made._val.clone().requires_grad_(requires_grad)
    return made


def as_nested_tensor(ts, dtype=None, device=None, layout=None):
    """A nested tensor of tensors (or of the rows of one) that gradients pass through."""
    if isinstance(ts, NestedTensor):
        return ts if dtype is None else ts.to(dtype)
    parts = [x if isinstance(x, Tensor) else make_tensor(x, device=device) for x in ts]
    return _together([x if dtype is None else x.to(dtype) for x in parts], layout)


def nested_tensor_from_jagged(
    values, offsets=None, lengths=None, jagged_dim=None, min_seqlen=None, max_seqlen=None
):
    """A nested tensor of layout jagged whose constituents are rows of `values`.

    Args:
        offsets: where each constituent begins, and where the last one ends.
        lengths: the number of rows of each, by default up to where the next begins.
        jagged_dim: which dim is ragged: 1, the default.

    Raises RuntimeError without offsets and lengths, ValueError for another dim.
    """
    if jagged_dim not in (None, 1):
        raise ValueError(f"nested_tensor_from_jagged(): jagged_dim must be 1, got {jagged_dim}")
    if offsets is None:
        if lengths is None:
            raise RuntimeError(
                "nested_tensor_from_jagged(): At least one of offsets or lengths is required."
            )
        offsets = FUNCTIONS["cat"]([lengths.new_zeros(1), lengths.cumsum(0)])
        lengths = None
    return _jagged(values, offsets, lengths)


def to_padded_tensor(input, padding, output_size=None):
    """The constituents on top of each other; see `NestedTensor.to_padded_tensor`.

    Raises NotImplementedError for a tensor that is not nested.
    """
    return input.to_padded_tensor(padding, output_size)
