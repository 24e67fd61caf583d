"""Operations written with others that both tensors and `nn.functional` have."""

from . import activation, softmax

__all__ = ["activation", "softmax"]
