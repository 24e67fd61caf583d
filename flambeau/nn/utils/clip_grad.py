"""Limits on gradients, against steps that are too long."""

import warnings

import flambeau

from ...autograd import no_grad
from ...ops.core import composite
from ...tensor import Tensor
from ..functional.common import warn

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


@composite
def _total_norm(*tensors, norm_type):
    return flambeau.stack([t.norm(norm_type) for t in tensors]).norm(norm_type)


def _gradients(parameters):
    parameters = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not parameters:
        warn("`parameters` is an empty generator, no gradient clipping will occur.")
    return [p.grad for p in parameters if p.grad is not None]


@no_grad()
def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of a tensor, or of several as if they were one vector.

    Args:
        norm_type: the p of the norm; may be inf.
        error_if_nonfinite: raise RuntimeError where the norm is NaN or infinite.
        foreach: accepted, and of no effect.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return flambeau.tensor(0.0)
    total = _total_norm(*tensors, norm_type=float(norm_type))
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is "
            "non-finite, so it cannot be clipped. To disable this error and scale the gradients by "
            "the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@composite
def _clip_factor(max_norm, total_norm):
    return (max_norm / (total_norm + 1e-6)).clamp(max=1.0)


@no_grad()
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scale the gradients of parameters in place by max_norm / total_norm where that is below 1."""
    gradients = _gradients(parameters)
    if gradients:
        factor = _clip_factor(float(max_norm), total_norm)
        for gradient in gradients:
            gradient.mul_(factor)


@no_grad()
def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients of parameters in place so that their total norm is at most max_norm.

    Args:
        parameters: a tensor, or an iterable of them.
        norm_type: the p of the norm; may be inf.
        error_if_nonfinite: raise RuntimeError where the norm is NaN or infinite.
        foreach: accepted, and of no effect.
    Returns: the norm before.

    >>> import flambeau as torch
    >>> x = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> (x * x).sum().backward()
    >>> torch.nn.utils.clip_grad_norm_(x, 1.0)
    tensor(10.)
    >>> x.grad
    tensor([0.6000, 0.8000])
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    if gradients:
        factor = _clip_factor(float(max_norm), total)
        for gradient in gradients:
            gradient.mul_(factor)
    return total


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The old name of `clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@no_grad()
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Cut the elements of the gradients of parameters in place to [-clip_value, clip_value]."""
    clip_value = float(clip_value)
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.clamp_(-clip_value, clip_value)
