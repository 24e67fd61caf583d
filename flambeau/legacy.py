"""The constructors by element type that came before `dtype`: `FloatTensor`, `LongTensor`, ..."""

from . import dtypes
from .formats import strided
from .ops import creation, from_data
from .recorder.handle import CPU, Size, Tensor

__all__ = [
    "BFloat16Tensor",
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class LegacyType(type):
    """The class of `FloatTensor` and the others, whose instances are the tensors of a dtype."""

    def __call__(cls, *args, device=None):
        if len(args) == 1 and not isinstance(args[0], (int, Size)):
            return from_data.make_tensor(args[0], dtype=cls.dtype, device=device)
        return creation.empty(*(args or (0,)), dtype=cls.dtype, device=device)

    def __instancecheck__(cls, obj):
        return isinstance(obj, Tensor) and obj.dtype is cls.dtype and obj.layout is strided

    def __repr__(cls):
        return f"<class 'torch.{cls.__name__}'>"


def _make(name, kind):
    doc = f"Tensors of {kind.name}: from sizes, unspecified values; from data, a copy."
    body = {"dtype": kind, "is_cuda": False, "device": CPU, "__doc__": doc, "__module__": "torch"}
    return LegacyType(name, (), body)


BFloat16Tensor = _make("BFloat16Tensor", dtypes.bfloat16)
BoolTensor = _make("BoolTensor", dtypes.bool_)
ByteTensor = _make("ByteTensor", dtypes.uint8)
CharTensor = _make("CharTensor", dtypes.int8)
DoubleTensor = _make("DoubleTensor", dtypes.float64)
FloatTensor = _make("FloatTensor", dtypes.float32)
HalfTensor = _make("HalfTensor", dtypes.float16)
IntTensor = _make("IntTensor", dtypes.int32)
LongTensor = _make("LongTensor", dtypes.int64)
ShortTensor = _make("ShortTensor", dtypes.int16)
