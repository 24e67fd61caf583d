"""What sparse tensors of all layouts share: they hold dense parts and have forms of operations.

A sparse tensor is composed of dense ones, so that a function that the user calls with one looks
here for its *form*: the function in `FORMS` that does the same with sparse operands. The methods
of sparse tensors are forms too. What has none is refused, as in PyTorch.
"""

import numpy as np

import flambeau

from .. import dtypes
from ..autograd.engine import backward
from ..composed import ComposedTensor
from ..ops.api import METHODS
from ..ops.core import composite
from ..ops.from_data import from_array
from ..recorder.handle import Tensor

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


class SparseTensor(ComposedTensor):
    """A tensor that stores some of its elements: those at given indices; the others are zero.

    Dim 0 of the values counts the stored elements; subclasses have the index tensors.
    """

    backend = kind = ""
    is_sparse = is_sparse_csr = property(lambda self: False)

    def _form(self, name, args, kwargs):
        """What the operation `name` makes of arguments, of which this is one."""
        found = FORMS.get(name)
        if found is None and args and args[0] is self:
            found = getattr(type(self), name, None)
        if found is None:
            raise could_not_run(name, self.backend)
        return found(*args, **kwargs)

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
    own = vars(SparseTensor).keys() | vars(ComposedTensor).keys()
    for name in METHODS.keys() | FORMS.keys():
        known = isinstance(METHODS.get(name), property) or name in own
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
