"""Checks of the options of optimizers, with PyTorch's messages."""

from ..tensor import Tensor

__all__ = ["check_betas", "check_flags", "check_lr", "check_nonnegative"]


def check_lr(lr, message="Invalid learning rate: {}"):
    """Raise ValueError unless `lr` is a number, or a tensor of one, that is not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(message.format(lr))


def check_nonnegative(**options):
    """Raise ValueError for the first option that is negative or NaN."""
    for name, value in options.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {'epsilon' if name == 'eps' else name} value: {value}")


def check_betas(betas):
    """Raise ValueError unless both decay rates are in [0, 1)."""
    for i in (0, 1):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_flags(fused, foreach, differentiable):
    """Raise RuntimeError for two implementations asked for at once."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
