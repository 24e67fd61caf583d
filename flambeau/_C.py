"""Names of PyTorch's compiled part that programs ask for; here there is no such part.

What they ask is answered; options of its compilers are accepted and change nothing.
"""

import flambeau

from .errors import LinAlgError
from .func.vmapping import is_recording
from .overriding import disabled_torch_function

__all__ = ["Generator"]

Generator = flambeau.Generator
_disabled_torch_function_impl = disabled_torch_function
_GLIBCXX_USE_CXX11_ABI = True
_LinAlgError = LinAlgError


def _log_api_usage_once(event):
    """Nothing: what programs use is not counted."""


def _get_tracing_state():
    """None: calls are recorded as they are, whoever records them."""


def _are_functorch_transforms_active():
    """Whether `vmap` is recording a function of one sample."""
    return is_recording()


def _jit_set_profiling_executor(enabled):
    """False, what it was before: there is no other executor."""
    return False


def _jit_set_profiling_mode(enabled):
    """False, what it was before: there is no such mode."""
    return False
