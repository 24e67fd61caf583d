"""`flambeau.backends.cuda`: settings of a device that is not there; they have no effect."""

import contextlib
import types

__all__ = [
    "cudnn_sdp_enabled",
    "enable_cudnn_sdp",
    "enable_flash_sdp",
    "enable_math_sdp",
    "enable_mem_efficient_sdp",
    "flash_sdp_enabled",
    "is_built",
    "math_sdp_enabled",
    "matmul",
    "mem_efficient_sdp_enabled",
    "preferred_linalg_library",
    "sdp_kernel",
]

matmul = types.SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    fp32_precision="none",
)
_attention = {"flash": True, "math": True, "mem_efficient": True, "cudnn": True}
_library = ["default"]


def is_built():
    """Whether flambeau can use CUDA."""
    return False


def preferred_linalg_library(backend=None):
    """The library for linear algebra that was asked for, after setting it if one is given."""
    if backend is not None:
        _library[0] = str(backend)
    return _library[0]


def enable_flash_sdp(enabled):
    """Permit one way to compute attention."""
    _attention["flash"] = bool(enabled)


def enable_math_sdp(enabled):
    """Permit one way to compute attention."""
    _attention["math"] = bool(enabled)


def enable_mem_efficient_sdp(enabled):
    """Permit one way to compute attention."""
    _attention["mem_efficient"] = bool(enabled)


def enable_cudnn_sdp(enabled):
    """Permit one way to compute attention."""
    _attention["cudnn"] = bool(enabled)


def flash_sdp_enabled():
    """Whether it is permitted."""
    return _attention["flash"]


def math_sdp_enabled():
    """Whether it is permitted."""
    return _attention["math"]


def mem_efficient_sdp_enabled():
    """Whether it is permitted."""
    return _attention["mem_efficient"]


def cudnn_sdp_enabled():
    """Whether it is permitted."""
    return _attention["cudnn"]


@contextlib.contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
    """Permit some ways to compute attention within a `with` block."""
    before = dict(_attention)
    _attention.update(
        flash=enable_flash,
        math=enable_math,
        mem_efficient=enable_mem_efficient,
        cudnn=enable_cudnn,
    )
    try:
        yield
    finally:
        _attention.update(before)
