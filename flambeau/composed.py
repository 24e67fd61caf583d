"""Tensors that are composed of dense ones: sparse, nested and masked tensors.

Such a tensor has nothing recorded of its own. Where an operation on dense tensors reaches for what
is recorded of one, `SparseOperand` is raised; the function that the user called catches it, and
asks the tensor for the *form* of that function for tensors of its kind.
"""

import flambeau

from .errors import SparseOperand
from .ops.api import METHODS
from .recorder.handle import CPU, Size, Tensor, require_device

__all__ = ["ComposedTensor", "ask_forms"]


def _absent(self):
    raise SparseOperand(self)


class ComposedTensor(Tensor):
    """A tensor whose elements, or those that it stores, are in a dense tensor `_val`.

    Subclasses have the rest, and say what operations make of them (`_form`), how to make another
    with the same rest (`_with`) and the gradient that belongs to one (`_gradient`).
    """

    _meta = _segment = _pos = _storage = _buffer = property(_absent)
    _val = None
    _shape = Size()
    _name = None  # of the node that made it, where it is not that of the values
    _set_grad = None

    # What it is

    shape = property(lambda self: self._shape, doc="The size of each dim.")
    dtype = property(lambda self: self._val.dtype, doc="The type of the elements.")
    device = property(lambda self: CPU, doc="Where the elements are.")
    ndim = property(lambda self: len(self._shape), doc="The number of dims.")
    itemsize = property(lambda self: self.dtype.itemsize, doc="The size of an element in bytes.")
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

    def __deepcopy__(self, memo):
        made = self.detach().clone().requires_grad_(self.requires_grad)
        memo[id(self)] = made
        return made


def ask_forms(cls):
    """Let every method of dense tensors that `cls` does not define ask `_form`: a decorator."""
    own = vars(cls).keys() | vars(ComposedTensor).keys()
    for name, method in METHODS.items():
        dunder = name.startswith("__") and name != "__getitem__"
        if not dunder and name not in own and not isinstance(method, property):
            setattr(cls, name, _asking(name))
    return cls


def _asking(name):
    def method(self, *args, **kwargs):
        return self._form(name, (self, *args), kwargs)

    method.__name__, method.asks = name, True
    return method
