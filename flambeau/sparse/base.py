"""What sparse tensors of all layouts share: they hold dense parts and have forms of operations.

A sparse tensor is a `Tensor` with nothing recorded of its own. Where an operation on dense tensors
reaches for what is recorded of one, `SparseOperand` is raised, and the function that the user
called looks here for its *form*: the function in `FORMS` that does the same with sparse operands.
The methods of sparse tensors are forms too. What has none is refused, as in PyTorch.
"""

import numpy as np

import flambeau

from .. import dtypes
from ..autograd.engine import backward
from ..errors import SparseOperand
from ..ops.api import METHODS
from ..ops.core import composite
from ..ops.from_data import from_array
from ..recorder.handle import CPU, Size, Tensor, require_device

__all__ = [
    "FORMS",
    "SparseTensor",
    "attach",
    "check_writable",
    "could_not_run",
    "form",
    "index_tensor",
    "is_dense",
    "plain_copy",
]

FORMS = {}


def form(*names):
    """Publish a function as the form of operations of these names, or of its own: a decorator."""
    if len(names) == 1 and callable(names[0]):
        FORMS[names[0].__name__] = names[0]
        return names[0]

    def decorate(f):
        FORMS.update(dict.fromkeys(names, f))
        return f

    return decorate


def could_not_run(name, backend):
    """The NotImplementedError for an operation that has no form for a backend."""
    return NotImplementedError(
        f"Could not run 'aten::{name}' with arguments from the '{backend}' backend: there is no "
        "such operation on these sparse tensors; to_dense() makes dense ones of them."
    )


def is_dense(x):
    """Whether `x` is a tensor that stores all of its elements."""
    return isinstance(x, Tensor) and not isinstance(x, SparseTensor)


def index_tensor(array):
    """An array of indices as a tensor."""
    return from_array(np.ascontiguousarray(array, np.int64), dtypes.int64)


@composite(name="values")
def _values(x):
    return x.reshape(x.shape)


def plain_copy(x):
    """A tensor of values; another one, which is no leaf, if gradients are recorded for it."""
    return _values(x) if x.requires_grad else x


def _absent(self):
    raise SparseOperand(self)


class SparseTensor(Tensor):
    """A tensor that stores some of its elements: those at given indices; the others are zero.

    Subclasses have the index tensors, and say how to make another with the same ones (`_with`) and
    the gradient that belongs to one (`_gradient`).
    """

    _meta = _segment = _pos = _storage = _buffer = property(_absent)
    _val = None  # the values, a dense tensor whose dim 0 counts the stored elements
    _shape = Size()
    _name = None  # of the node that made it, where it is not that of the values
    _set_grad = None
    backend = kind = ""

    def _form(self, name, args, kwargs):
        """What the operation `name` makes of arguments, of which this is one."""
        found = FORMS.get(name)
        if found is None and args and args[0] is self:
            found = getattr(type(self), name, None)
        if found is None:
            raise could_not_run(name, self.backend)
        return found(*args, **kwargs)

    # What it is

    shape = property(lambda self: self._shape, doc="The size of each dim.")
    dtype = property(lambda self: self._val.dtype, doc="The type of the elements.")
    device = property(lambda self: CPU, doc="Where the elements are.")
    ndim = property(lambda self: len(self._shape), doc="The number of dims.")
    itemsize = property(lambda self: self.dtype.itemsize, doc="The size of an element in bytes.")
    is_sparse = is_sparse_csr = property(lambda self: False)
    _version = property(lambda self: self._val._version)

    @property
    def is_leaf(self):
        """Whether it is not the result of an operation that gradients pass through."""
        return not self._val.requires_grad or (self._name is None and self._val.is_leaf)

    @property
    def requires_grad(self):
        """Whether gradients are recorded for it."""
        return self._val.requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        self.requires_grad_(value)

    @property
    def grad(self):
        """The gradient that backward passes have brought, or None."""
        if self._set_grad is None and self._val.is_leaf and self._val.grad is not None:
            return self._gradient(self._val.grad)
        return self._set_grad

    @grad.setter
    def grad(self, value):
        self._val.grad = None
        self._set_grad = value

    @grad.deleter
    def grad(self):
        self.grad = None

    @property
    def grad_fn(self):
        """The node that made it, or None for a leaf."""
        return None if self.is_leaf else self._val.grad_fn

    @property
    def grad_fn_name(self):
        """What that node is called."""
        if not self._val.requires_grad or self.is_leaf:
            return None
        return self._name or self._val.grad_fn.name()

    def size(self, dim=None):
        """The shape, or the size of one dim."""
        return self._shape if dim is None else self._shape[self._dim(dim)]

    def dim(self):
        """The number of dims."""
        return len(self._shape)

    ndimension = dim

    def numel(self):
        """The number of elements, stored or not."""
        return self._shape.numel()

    nelement = numel

    def element_size(self):
        """The size of an element in bytes."""
        return self.dtype.itemsize

    def is_floating_point(self):
        """Whether elements are floating-point numbers."""
        return self.dtype.is_floating_point

    def is_complex(self):
        """Whether elements are complex numbers."""
        return self.dtype.is_complex

    def is_signed(self):
        """Whether elements can be negative."""
        return self.dtype.is_signed

    def is_same_size(self, other):
        """Whether another tensor has the same shape."""
        return self._shape == other.shape

    def is_coalesced(self):
        """Whether its indices are sorted and occur once. Raises RuntimeError unless it is COO."""
        raise RuntimeError(
            f"is_coalesced expected sparse coordinate tensor layout but got {self.kind}"
        )

    def _nnz(self):
        return self._val.shape[0]

    def _dim(self, dim, ndim=None):
        """A dim counted from the front. Raises IndexError for one that is not there."""
        count = max(len(self._shape) if ndim is None else ndim, 1)
        if not -count <= dim < count:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but "
                f"got {dim})"
            )
        return dim % count

    # Its values

    def item(self):
        """The only element as a Python number. Raises RuntimeError if there are more."""
        if self.numel() != 1:
            raise RuntimeError(
                f"a Tensor with {self.numel()} elements cannot be converted to Scalar"
            )
        return self.detach().to_dense().item()

    def __bool__(self):
        if self.numel() != 1:
            many = "more than one value" if self.numel() else "no values"
            raise RuntimeError(f"Boolean value of Tensor with {many} is ambiguous")
        return bool(self.item())

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __complex__(self):
        return complex(self.item())

    def __len__(self):
        if not self._shape:
            raise TypeError("len() of a 0-d tensor")
        return self._shape[0]

    def __iter__(self):
        return iter(FORMS["unbind"](self))

    def numpy(self, *, force=False):
        """Refused: there is no such array. Raises TypeError."""
        raise TypeError(
            f"can't convert {self.kind} layout tensor to numpy. Use Tensor.to_dense() first."
        )

    def __array__(self, dtype=None, copy=None):
        return self.numpy()

    def _no_pointer(self):
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

    data_ptr = const_data_ptr = tolist = _no_pointer

    def untyped_storage(self):
        """Refused: it has none. Raises NotImplementedError."""
        raise NotImplementedError(f"Cannot access storage of a {self.kind} tensor")

    storage = _typed_storage = untyped_storage

    def __repr__(self):
        from .printing import sparse_text

        return sparse_text(self)

    def __format__(self, spec):
        return object.__format__(self, spec)

    def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False, **_):
        """The tensor with another dtype; itself if it has it already."""
        for arg in args:
            if isinstance(arg, flambeau.dtype):
                dtype = arg
            elif isinstance(arg, Tensor):
                dtype = arg.dtype
            elif arg is not None and not isinstance(arg, bool):
                device = arg
        require_device(device)
        if dtype is None or dtype is self.dtype:
            return self.clone() if copy else self
        return self._with(self._val.to(dtype))

    def cpu(self, memory_format=None):
        """The tensor on the CPU, where it is."""
        return self

    def type_as(self, other):
        """The tensor with the dtype of another."""
        return self.to(other.dtype)

    # Gradients

    def requires_grad_(self, requires_grad=True):
        """Make it a leaf that gradients are recorded for, or not; returns itself."""
        if bool(requires_grad) is not self.requires_grad:
            if not requires_grad and not self.is_leaf:
                self._val.requires_grad_(False)
            self._val, self._name = self._val.detach().requires_grad_(requires_grad), None
        return self

    def detach(self):
        """A tensor with the same memory that takes no part in gradients."""
        return self._with(self._val.detach())

    @property
    def data(self):
        """The same memory, hidden from gradients."""
        return self.detach()

    def detach_(self):
        """Cut it off the graph that made it, in place."""
        self._val, self._name = self._val.detach(), None
        return self

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add its gradient to the `.grad` of the leaves it depends on."""
        if gradient is None:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        given = FORMS["sparse_mask"](gradient, self)._val
        backward(self._val, given, retain_graph, create_graph, inputs)

    def _become(self, other):
        """Take over what another one of this layout holds: how it is changed in place."""
        self.__dict__.update(other.__dict__)
        return self

    def __deepcopy__(self, memo):
        made = self.detach().clone().requires_grad_(self.requires_grad)
        memo[id(self)] = made
        return made


# What works on every tensor by what it is, and what sparse tensors define themselves.
_COMMON = frozenset(
    (
        *("cuda", "get_device", "is_inference", "is_nonzero", "is_pinned", "is_shared"),
        *("pin_memory", "record_stream", "share_memory_"),
    )
)
_OPERATORS = {
    **{f"__{n}__": n for n in ("add", "sub", "mul", "pow", "neg", "abs", "eq", "ne", "lt", "le")},
    **{"__gt__": "gt", "__ge__": "ge", "__truediv__": "div", "__floordiv__": "floor_divide"},
    **{"__mod__": "remainder", "__matmul__": "matmul", "__pos__": "positive"},
}
_REFLECTED = ("add", "sub", "mul", "pow", "truediv", "floordiv", "mod", "matmul")


def attach(*families):
    """Give `SparseTensor` the forms as methods and operators, and refusals for all others.

    families: the modules that define forms, which are hence imported by now.
    """
    for name in METHODS.keys() | FORMS.keys():
        known = isinstance(METHODS.get(name), property) or name in vars(SparseTensor)
        if known or name.startswith("__") or name in _COMMON:
            continue
        setattr(SparseTensor, name, FORMS.get(name) or _in_place(name) or _refusal(name))
    SparseTensor.__getitem__ = FORMS["__getitem__"]
    SparseTensor.__setitem__ = _refusal("copy_")
    for operator, name in _OPERATORS.items():
        setattr(SparseTensor, operator, FORMS.get(name) or _refusal(name))
    for name in _REFLECTED:
        setattr(SparseTensor, f"__r{name}__", _swapped(_OPERATORS[f"__{name}__"]))


def _swapped(name):
    found = FORMS.get(name)
    if found is None:
        return _refusal(name)
    return lambda self, other: found(other, self)


def _in_place(name):
    """The method that does in place what a form of the same name does, if there is one."""
    found = FORMS.get(name[:-1]) if name.endswith("_") else None
    if found is None:
        return None

    def method(self, *args, **kwargs):
        check_writable(self, name)
        if getattr(found, "coalesces", False) and not getattr(self, "_coalesced", True):
            raise RuntimeError(f"{name} requires coalesced input")
        made = found(self, *args, **kwargs)
        if made.dtype is not self.dtype:
            if not flambeau.can_cast(made.dtype, self.dtype):
                raise RuntimeError(
                    f"result type {made.dtype.name} can't be cast to the desired output type "
                    f"{self.dtype.name}"
                )
            made = made.to(self.dtype)
        return self._become(made)

    method.__name__ = name
    return method


def check_writable(x, name):
    """Raise RuntimeError for a leaf that gradients are recorded for: it is not changed in place."""
    if x.requires_grad and x.is_leaf and flambeau.is_grad_enabled():
        raise RuntimeError(
            f"a leaf Variable that requires grad is being used in an in-place operation: {name}"
        )


def _refusal(name):
    def method(self, *args, **kwargs):
        raise could_not_run(name, self.backend)

    method.__name__ = name
    return method
