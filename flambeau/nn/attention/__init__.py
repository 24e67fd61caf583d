"""`flambeau.nn.attention`: variants of attention, and which code computes it.

There is one way to compute `functional.scaled_dot_product_attention` here. Which of PyTorch's ways
are permitted is remembered, in `flambeau.backends.cuda`, and has no effect.
"""

import contextlib
import enum

from ...backends import cuda
from ...lazy import submodules

__all__ = ["WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "sdpa_kernel"]

__getattr__ = submodules(__name__)  # bias, flex_attention

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(enum.Enum):
    """PyTorch's ways to compute attention."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


# The function that permits each, and the one that tells whether it is permitted.
_SWITCHES = {
    SDPBackend.MATH: (cuda.enable_math_sdp, cuda.math_sdp_enabled),
    SDPBackend.FLASH_ATTENTION: (cuda.enable_flash_sdp, cuda.flash_sdp_enabled),
    SDPBackend.EFFICIENT_ATTENTION: (cuda.enable_mem_efficient_sdp, cuda.mem_efficient_sdp_enabled),
    SDPBackend.CUDNN_ATTENTION: (cuda.enable_cudnn_sdp, cuda.cudnn_sdp_enabled),
}


@contextlib.contextmanager
def sdpa_kernel(backends, set_priority=False):
    """Permit some ways to compute attention within a `with` block, and no others.

    Args: backends: an `SDPBackend` or a list of them; set_priority: whether earlier ones of the
        list are preferred, which has no effect.
    Raises: AssertionError for anything else.

    >>> import flambeau as torch
    >>> from flambeau.nn.attention import SDPBackend, sdpa_kernel
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     torch.backends.cuda.flash_sdp_enabled()
    False
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            f"{type(backends).__name__}"
        )
    permitted = [backends] if isinstance(backends, SDPBackend) else backends
    before = {backend: enabled() for backend, (_, enabled) in _SWITCHES.items()}
    try:
        for backend, (enable, _) in _SWITCHES.items():
            enable(backend in permitted)
        yield
    finally:
        for backend, (enable, _) in _SWITCHES.items():
            enable(before[backend])
