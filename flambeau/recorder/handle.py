"""What a user holds: `Tensor`, a view on memory or on a value that is recorded but not computed.

The methods of `Tensor` are attached by the modules that define the operations.
"""

import math

from ..geometry import contiguous_strides, is_contiguous

__all__ = ["DEAD", "Meta", "Size", "Storage", "Tensor", "contiguous_strides", "device", "intern"]


class Size(tuple):
    """The shape of a tensor: a tuple of ints with `numel()`."""

    __slots__ = ()

    def __new__(cls, *args):
        return tuple.__new__(cls, *args)

    def numel(self):
        """The number of elements."""
        return math.prod(self)

    def __repr__(self):
        return f"torch.Size({list(self)})"

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __add__(self, other):
        return Size(tuple.__add__(self, tuple(other)))

    def __mul__(self, times):
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self):
        return Size, (tuple(self),)


class device:
    """Where a tensor lives: `device("cpu")`. A device that is not there is refused when used."""

    __slots__ = ("index", "type")
    KNOWN = ("cpu", "cuda", "mps", "meta", "xpu", "mkldnn")

    def __new__(cls, type="cpu", index=None):
        self = object.__new__(cls)
        if isinstance(type, device):
            type, index = type.type, type.index
        elif isinstance(type, int):
            type, index = "cuda", type
        elif isinstance(type, str) and ":" in type:
            if index is not None:
                raise RuntimeError(f"type (string) must not include an index: {type}")
            type, _, number = type.partition(":")
            if not number.isdigit():
                raise RuntimeError(f"Invalid device string: '{type}:{number}'")
            index = int(number)
        if type not in cls.KNOWN:
            raise RuntimeError(
                f"Expected one of {', '.join(cls.KNOWN)} device type at start of device string: "
                f"{type}"
            )
        self.type, self.index = type, index
        return self

    def __repr__(self):
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self):
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other):
        if not isinstance(other, device):
            return NotImplemented
        return (self.type, self.index) == (other.type, other.index)

    def __hash__(self):
        return hash((self.type, self.index))

    def __reduce__(self):
        return device, (str(self),)

    def __enter__(self):
        require_device(self)
        return self

    def __exit__(self, *_):
        return None


def require_device(where):
    """Raise RuntimeError unless `where`, a device, a name or None, is one that is there."""
    if where is None:
        return
    where = device(where)
    if where.type != "cpu":
        raise RuntimeError(f"device {where} is not available; available devices: cpu")


CPU = device("cpu")


class Meta:
    """What is known of a tensor before it is computed. Equal ones are the same object.

    `strides` and `offset` count elements within the storage, whose first `span` elements are in
    use. It `overlaps` if two indices may mean the same element, as in an expanded tensor, and
    `is_dense` if it fills the storage from its start without gaps or overlaps. A `wrapped` tensor
    is a Python number inside a composite: it promotes as the number would.
    """

    __slots__ = (
        *("contiguous", "dtype", "is_dense", "numel", "offset", "overlaps", "requires_grad"),
        *("shape", "span", "strides", "wrapped"),
    )

    def __init__(self, shape, strides, offset, dtype, requires_grad, wrapped=False):
        self.shape, self.strides, self.offset = shape, strides, offset
        self.dtype, self.requires_grad, self.wrapped = dtype, requires_grad, wrapped
        self.numel = math.prod(shape)
        self.contiguous = is_contiguous(shape, strides)
        self.span, self.overlaps = self._reach(), self._repeats()
        whole = self.offset == 0 and self.span == self.numel and not self.overlaps
        self.is_dense = whole or (self.contiguous and not self.offset)

    def __repr__(self):
        text = f"{self.dtype.name}{list(self.shape)}"
        if not self.contiguous or self.offset:
            text += f" strides {self.strides} offset {self.offset}"
        return text + (" grad" if self.requires_grad else "")

    def with_grad(self, requires_grad):
        """The same, but for `requires_grad`."""
        if requires_grad is self.requires_grad:
            return self
        return intern(self.shape, self.dtype, self.strides, self.offset, requires_grad)

    def with_dtype(self, dtype):
        """The same geometry for elements of another type."""
        return intern(self.shape, dtype, self.strides, self.offset, self.requires_grad)

    def _reach(self):
        """The number of storage elements from the start up to the last one in use."""
        if not self.numel:
            return self.offset
        steps = zip(self.shape, self.strides, strict=True)
        return self.offset + 1 + sum((n - 1) * s for n, s in steps)

    def _repeats(self):
        reach = 0
        dims = ((s, n) for s, n in zip(self.strides, self.shape, strict=True) if n > 1)
        for stride, size in sorted(dims):
            if stride <= reach:
                return True
            reach += stride * (size - 1)
        return False


_interned = {}


def intern(shape, dtype, strides=None, offset=0, requires_grad=False, wrapped=False):
    """The one `Meta` with these properties; contiguous where no strides are given."""
    if type(shape) is not Size:
        shape = Size(shape)
    key = (shape, dtype, strides, offset, requires_grad, wrapped)
    found = _interned.get(key)
    if found is None:
        if strides is None:
            strides = contiguous_strides(shape)
            found = intern(shape, dtype, strides, offset, requires_grad, wrapped)
        else:
            found = Meta(shape, tuple(strides), offset, dtype, requires_grad, wrapped)
        if len(_interned) > 200_000:
            _interned.clear()
        _interned[key] = found
    return found


class Storage:
    """Memory that several tensors view, or one tensor and the outside.

    Its content is `buffer` or, while recorded but not computed, the value at `pos` of `segment`.
    `meta` is the geometry of that value. `aliases` are weak references to the tensors that view it.
    `reader` is the last segment that parts of the memory entered, and `parts` the (start, stop,
    position) of each. `patches` are (tensor, start) of stretches of the memory that `segment`
    writes, where it needs the content for nothing else.
    """

    __slots__ = (
        *("__weakref__", "aliases", "buffer", "meta", "parts", "patches", "pos", "reader"),
        *("segment", "version"),
    )

    def __init__(self, meta, segment, pos, buffer):
        self.meta, self.segment, self.pos, self.buffer = meta, segment, pos, buffer
        self.aliases, self.version, self.patches = [], 0, ()
        self.reader, self.parts = None, []


class TensorType(type):
    """The class of `Tensor`: calling it makes a tensor from sizes or data, as PyTorch's does.

    Tensors made by operations skip this and take `Tensor.__new__` directly.
    """

    def __call__(cls, *args, **kwargs):
        if cls.__new__ is object.__new__:
            return cls._new(cls, *args, **kwargs)
        return type.__call__(cls, *args, **kwargs)


class Tensor(metaclass=TensorType):
    """A multi-dimensional array of one element type that records what is done with it.

    Made by `flambeau.tensor`, `flambeau.zeros` and the like.

    >>> import flambeau as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x.shape, x.dtype
    (torch.Size([2, 2]), torch.float32)
    """

    __slots__ = ("__dict__", "__weakref__", "_buffer", "_meta", "_pos", "_segment", "_storage")

    # Seldom set, hence not slots: the accumulated gradient; (graph, position) of the operation
    # that made the tensor; its hooks; the tensor it is a view of, or whether it is a view made
    # while no gradients were recorded, and of something that takes part in gradients; its number of
    # in-place changes, and whether those of the storage are not its own (as of `x.data`); why it
    # must not be written to while gradients are recorded; whether, before this segment, it was made
    # in inference mode.
    _grad = None
    _history = None
    _view_of = None
    _untracked_view = False
    _hides_history = False
    _own_version = False
    _hooks = None
    _after_grad = None
    _changes = 0
    _retains_grad = False
    _refuses_writes = None
    _inference = False


class _Dead:
    """Stands at the positions of a segment whose value nobody can see."""

    __slots__ = ("_meta",)


DEAD = _Dead()
DEAD._meta = None
