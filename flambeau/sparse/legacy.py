"""The constructors by element type that came before `sparse_coo_tensor`: `FloatTensor`, ..."""

from .. import dtypes
from ..formats import sparse_coo
from ..legacy import LegacyType
from ..recorder.handle import CPU, Size, Tensor
from .creation import sparse_coo_tensor

__all__ = [
    "BFloat16Tensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class SparseType(LegacyType):
    """The class of `FloatTensor` and the others, whose instances are the COO tensors of a dtype."""

    def __call__(cls, *args, device=None):
        if not args or isinstance(args[0], (int, Size)):
            size = args[0] if args and isinstance(args[0], Size) else args or (0,)
            return sparse_coo_tensor(Size(size), dtype=cls.dtype, device=device)
        indices, values = args[:2] if len(args) in (2, 3) else (None, None)
        if not isinstance(indices, Tensor) or not isinstance(values, Tensor):
            raise TypeError(
                "new() received an invalid combination of arguments - got "
                f"({', '.join(type(x).__name__ for x in args)}), but expected sizes or (Tensor "
                "indices, Tensor values, tuple of ints size)"
            )
        if indices.dtype is not dtypes.int64:
            raise RuntimeError("indices must be an int64 tensor")
        return sparse_coo_tensor(indices, values, *args[2:], device=device)

    def __instancecheck__(cls, obj):
        return isinstance(obj, Tensor) and obj.layout is sparse_coo and obj.dtype is cls.dtype

    def __repr__(cls):
        return f"<class 'torch.sparse.{cls.__name__}'>"


def _make(name, kind):
    doc = f"Sparse tensors of {kind.name}: empty ones of a size, or of indices and values."
    body = {"dtype": kind, "layout": sparse_coo, "is_cuda": False, "is_sparse": True}
    body |= {"device": CPU, "__doc__": doc, "__module__": "torch.sparse"}
    return SparseType(name, (), body)


BFloat16Tensor = _make("BFloat16Tensor", dtypes.bfloat16)
ByteTensor = _make("ByteTensor", dtypes.uint8)
CharTensor = _make("CharTensor", dtypes.int8)
DoubleTensor = _make("DoubleTensor", dtypes.float64)
FloatTensor = _make("FloatTensor", dtypes.float32)
HalfTensor = _make("HalfTensor", dtypes.float16)
IntTensor = _make("IntTensor", dtypes.int32)
LongTensor = _make("LongTensor", dtypes.int64)
ShortTensor = _make("ShortTensor", dtypes.int16)
