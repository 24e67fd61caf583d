"""Operations written with others that both tensors and `nn.functional` have."""

from . import activation, attention, softmax

__all__ = ["activation", "attention", "softmax"]
